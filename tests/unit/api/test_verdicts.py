"""A person's word on mails over HTTP."""

from __future__ import annotations

from typing import Any

import msgspec

from livepost.ids import digest
from livepost.testing.contracts.ledger import decision, page
from tests.unit.api.house import Asked


def told(asked: Asked, delivery: str, verdict: str, **also: str) -> tuple[int, dict[str, Any]]:
    reply = asked.act("/api/verdicts", {"delivery": delivery, "verdict": verdict, **also}, "k")
    return reply.status_code, reply.json()


def held(asked: Asked) -> str:
    """Let a second nudge for Ada be held; return its id."""
    ledger = asked.house.ledger
    [one] = ledger.deliveries(campaign="nudge")
    position = ledger.cursor() + 1
    second = msgspec.structs.replace(one.decision, id=digest("two"), cause=digest("cause"), position=position)
    ledger.take_over(page(second), asked.clock.now_ms())
    assert ledger.hold(asked.clock.now_ms()) == 1
    return second.id.hex()


def test_a_held_mail_goes_out_when_somebody_says_so_and_the_same_again_changes_nothing(asked: Asked) -> None:
    id_ = held(asked)
    status, answer = told(asked, id_, "release", note="the provider has none of it")
    assert (status, answer["state"], answer["detail"]) == (
        202,
        "pending",
        "said by server: the provider has none of it",
    )
    assert told(asked, id_, "release", note="the provider has none of it")[0] == 200
    asked.house.advance(1_000)
    assert [one.state for one in asked.house.ledger.deliveries(campaign="nudge")] == ["sent", "sent"]


def test_what_does_not_fit_is_refused(asked: Asked) -> None:
    id_ = held(asked)
    assert told(asked, id_, "not_sent")[1]["code"] == "state"
    assert told(asked, decision(1).id.hex(), "sent")[1]["code"] == "no_delivery"
    assert told(asked, id_, "lost")[0] == 400
    assert told(asked, id_, "drop")[1]["reason"] == "dropped"
