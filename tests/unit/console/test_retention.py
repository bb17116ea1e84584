"""The page of retention: what is kept how long, what went, what looks amiss."""

from __future__ import annotations

import msgspec

from livepost.clock import DAY_MS, SECOND_MS
from livepost.control.retention import FoundPersonal, Run, Went
from livepost.govern.policy.unread import Unread
from livepost.govern.rights.retention import Term
from livepost.govern.rights.standing import RetentionStanding
from tests.unit.console.told import Browser, ToldHouse

START = 1_800_000_000_000
EMAIL = Term(field="Identified.email", purposes=("marketing", "shop"), days=365)
IP = Term(field="ip", purposes=("shop",), days=30)
RUN = Run(
    id="1",
    by="house",
    begun_at=START,
    as_of=START,
    ended_at=START + 2 * SECOND_MS,
    went=(
        Went(store="log", field="ip", purposes=("shop",), count=1_234, before=START - 30 * DAY_MS),
        Went(store="mailbox", field="mails", count=5, before=START - 365 * DAY_MS),
    ),
    found=(FoundPersonal(field="OrderCompleted.<note>", declared=True, kind="email", by="value", count=2, of=90),),
)
RETENTION = RetentionStanding(
    terms=[EMAIL, IP],
    log_days=90,
    mail_days=365,
    next_at=START + DAY_MS,
    runs=[msgspec.structs.replace(RUN, id="2", ended_at=0, went=()), RUN],
    unread=[Unread(field="Identified.gender", purposes=("shop",), features=(), campaigns=())],
    unread_days=90,
)


def shown(standing: RetentionStanding = RETENTION) -> str:
    return Browser(ToldHouse(retention=standing)).get("/retention").text


def test_each_field_is_told_with_its_days_and_what_went_of_which_store() -> None:
    text = shown()
    assert "Identified.email" in text
    assert "365 days" in text
    assert "1,234" in text
    assert "mailbox" in text
    assert "no run yet" in text  # of Identified.email the last run says nothing


def test_what_looks_personal_and_what_nothing_reads_is_told() -> None:
    text = shown()
    assert "OrderCompleted.&lt;note&gt;" in text
    assert "email, by its value" in text
    assert "2 of 90" in text
    assert "Identified.gender" in text


def test_before_the_first_run_and_without_a_policy_it_says_so() -> None:
    text = shown(msgspec.structs.replace(RETENTION, terms=(), runs=(), unread=()))
    assert "Nothing was taken out yet" in text
    assert "The project promises nothing" in text
    assert "It was not looked yet" in text
    assert "There is none" in text
