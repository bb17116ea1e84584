"""Reports of mail servers: what they say of a mail, and by what addresses it may be known."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livepost.sources.report import ADDRESSES_MAX, read_report
from tests.unit.sources.reports import answer, arf, dsn

VERP = "bounces+abc@shop.example"


@pytest.mark.parametrize(
    ("action", "status", "diagnostic", "kind", "hard"),
    [
        ("failed", "5.1.1", "550 5.1.1 User unknown", "bounced", True),
        ("failed", "5.1.10", "550 5.1.10 RESOLVER.ADR.RecipientNotFound", "bounced", True),
        ("failed", "5.2.1", "550 5.2.1 disabled", "bounced", True),
        ("failed", "5.0.0", "550 5.1.1 User unknown", "bounced", True),
        ("failed", "5.0.0", "550 no", "bounced", False),
        ("failed", "5.2.2", "552 5.2.2 mailbox full", "bounced", False),
        ("failed", "5.7.1", "550 5.7.1 looks like spam", "bounced", False),
        ("failed", "4.4.7", "delivery time expired", "bounced", False),
        ("failed", "5.11.1", "what", "bounced", False),
        ("failed", "", "", "bounced", False),
        ("Failed", "5.1.1", "", "bounced", True),
        ("delayed", "4.4.1", "connection timed out", "deferred", False),
        ("delivered", "2.0.0", "ok", "delivered", False),
    ],
)
def test_a_delivery_status_says_what_became_of_a_mail(
    action: str, status: str, diagnostic: str, kind: str, hard: bool
) -> None:
    report = read_report(dsn(action=action, status=status, diagnostic=diagnostic))
    assert report is not None
    assert (report.kind, report.hard) == (kind, hard)


@pytest.mark.parametrize("action", ["relayed", "expanded", "", "deleted"])
def test_a_status_that_says_nothing_against_a_mail_is_no_report(action: str) -> None:
    assert read_report(dsn(action=action)) is None


@pytest.mark.parametrize(
    ("type_", "kind"),
    [("abuse", "complained"), ("fraud", "complained"), ("opt-out", "unsubscribed"), ("Abuse", "complained")],
)
def test_an_abuse_report_says_who_complained(type_: str, kind: str) -> None:
    report = read_report(arf(path=VERP, type=type_))
    assert report is not None
    assert (report.kind, report.hard, VERP in report.addresses) == (kind, False, True)


@pytest.mark.parametrize("type_", ["not-spam", "auth-failure", ""])
def test_other_feedback_says_nothing_against_a_mail(type_: str) -> None:
    assert read_report(arf(path=VERP, type=type_)) is None


@pytest.mark.parametrize(
    ("raw", "recipient"), [(dsn(to=VERP), ""), (dsn(path=VERP), ""), (dsn(), VERP), (arf(path=VERP), "")]
)
def test_the_mails_own_address_is_found_wherever_it_stands(raw: bytes, recipient: str) -> None:
    report = read_report(raw, recipient)
    assert report is not None and VERP in report.addresses


def test_the_same_report_has_the_same_id_and_others_have_others() -> None:
    ids = [report.id for raw in (dsn(), dsn(), dsn(id="2"), arf(path=VERP)) if (report := read_report(raw))]
    assert len(ids) == 4 and len(set(ids)) == 3


def test_an_answer_of_a_person_is_no_report() -> None:
    assert read_report(answer(VERP)) is None


def test_more_addresses_than_the_bound_are_cut_off() -> None:
    many = ", ".join(f"a{number}@shop.example" for number in range(100))
    report = read_report(dsn(to=many))
    assert report is not None and len(report.addresses) <= ADDRESSES_MAX


@given(st.binary(max_size=300), st.integers(0, 2_000), st.integers(0, 60))
def test_whatever_bytes_come_there_is_an_answer(noise: bytes, at: int, cut: int) -> None:
    raw = dsn(to=VERP)
    read_report(raw[:at] + noise + raw[at + cut :])
    read_report(noise)
