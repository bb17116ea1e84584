"""What an event means: for the ledger, and for the log."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from livepost.ids import digest
from livepost.measure.feedback import NAMES, OUTCOMES, RECORDED, feedback_of, heard
from livepost.model.feedback import Feedback, Heard, MailEvent
from livepost.model.record import Origin

NOW_MS = 1_700_000_000_000
EVENT = MailEvent(
    provider="sendgrid",
    kind="bounced",
    hard=True,
    at_ms=NOW_MS - 5,
    event_id="e-1",
    recipient="Ada@Example.com",
    decision=digest("decision"),
    provider_id="id-1",
)


def blind(address: str) -> bytes:
    return digest("blind", address.casefold())


def meant(**also: Any) -> Feedback:
    found = feedback_of(msgspec.structs.replace(EVENT, **also), blind, NOW_MS)
    assert found is not None
    return found


def test_a_hard_bounce_suppresses_and_a_soft_one_does_not() -> None:
    assert (meant().outcome, meant().suppress, meant().withdraws) == ("bounced", "bounced", False)
    assert (meant(hard=False).outcome, meant(hard=False).suppress) == ("soft_bounced", "")


def test_a_complaint_suppresses_and_withdraws_and_an_unsubscribe_withdraws() -> None:
    assert [(one.suppress, one.withdraws) for one in (meant(kind="complained"), meant(kind="unsubscribed"))] == [
        ("complained", True),
        ("", True),
    ]


@pytest.mark.parametrize(
    ("reason", "suppress", "withdraws"),
    [
        ("bounced", "bounced", False),
        ("invalid", "bounced", False),
        ("spam", "complained", False),
        ("unsubscribed", "", True),
        ("blocked", "", False),
        ("timed_out", "", False),
        ("", "", False),
    ],
)
def test_what_a_provider_would_not_send_is_rejected_and_what_it_knows_of_the_address_counts(
    reason: str, suppress: str, withdraws: bool
) -> None:
    found = meant(kind="rejected", reject_reason=reason)
    assert (found.outcome, found.proves, found.suppress, found.withdraws) == ("rejected", "failed", suppress, withdraws)


@pytest.mark.parametrize("kind", ["subscribed", "autoresponded", "unknown", "inbound", "anything"])
def test_other_events_say_nothing(kind: str) -> None:
    assert feedback_of(msgspec.structs.replace(EVENT, kind=kind), blind, NOW_MS) is None


def test_that_a_mail_was_taken_is_no_outcome_but_proves_something() -> None:
    assert [(one.outcome, one.proves) for one in (meant(kind="queued"), meant(kind="sent"))] == [(None, "sent")] * 2


def test_the_same_event_has_the_same_key_and_others_have_others() -> None:
    others = ({"event_id": "e-2"}, {"kind": "complained"}, {"recipient": "bob@example.com"}, {"provider": "resend"})
    assert meant().key == meant(at_ms=NOW_MS - 9, recipient="ada@example.COM").key
    assert len({meant().key, *(meant(**other).key for other in others)}) == 5


def test_an_event_without_an_id_is_known_by_what_it_says() -> None:
    bare = {"event_id": ""}
    others = ({"at_ms": NOW_MS - 6}, {"provider_id": "id-2"}, {"decision": None}, {"kind": "complained"})
    assert meant(**bare).key == meant(**bare).key
    assert len({meant(**bare).key, *(meant(**bare, **other).key for other in others)}) == 5


def test_where_only_the_id_is_signed_it_is_the_key() -> None:
    assert (
        len({meant(provider="mailgun").key, meant(provider="mailgun", kind="complained", recipient="x@y.z").key}) == 1
    )


@pytest.mark.parametrize(("at_ms", "expected"), [(None, NOW_MS), (NOW_MS + 1, NOW_MS), (0, NOW_MS), (5, 5)])
def test_an_event_is_never_of_a_time_to_come(at_ms: int | None, expected: int) -> None:
    assert meant(at_ms=at_ms).at == expected


@pytest.mark.parametrize("kind", sorted(kind for kind, outcome in OUTCOMES.items() if outcome in RECORDED))
def test_a_record_folds_and_triggers_nothing_and_has_no_personal_value(kind: str) -> None:
    found = meant(kind=kind)
    record = heard(Heard(feedback=found, new=True, decision=EVENT.decision, person=digest("ada")), known=True)
    assert record is not None and found.outcome is not None
    assert (record.name, record.origin, record.subject) == (RECORDED[found.outcome], Origin.IMPORT, digest("ada"))
    assert record.effective_ts == NOW_MS - 5
    assert "ada@" not in repr(record).casefold()
    if kind in ("opened", "clicked"):
        assert (record.properties["class"], record.properties["human"]) == ("unknown", None)


def test_the_same_event_makes_the_same_record() -> None:
    twice = [heard(Heard(feedback=meant(), new=n, decision=b"d" * 16, person=b"p" * 16), known=True) for n in (0, 1)]
    assert twice[0] == twice[1]


@pytest.mark.parametrize("also", [{"decision": None}, {"person": None}])
def test_what_is_not_of_our_mail_makes_no_record(also: dict[str, None]) -> None:
    told = {"feedback": meant(), "new": True, "decision": b"d" * 16, "person": b"p" * 16} | also
    assert heard(Heard(**told), known=True) is None


def test_a_bounce_says_whether_it_will_pass() -> None:
    told = [
        heard(Heard(feedback=meant(hard=h), new=True, decision=b"d", person=b"p"), known=True) for h in (True, False)
    ]
    assert [one.properties["permanent"] for one in told if one] == [True, False]


def test_every_outcome_has_a_name_that_people_read() -> None:
    assert set(NAMES) >= {outcome for outcome in OUTCOMES.values() if outcome} | {"bounced", "soft_bounced"}
