"""The kill switch over HTTP."""

from __future__ import annotations

from tests.unit.api.house import Asked


def kill(asked: Asked, campaign: str, *, stopped: bool = True) -> dict[str, object]:
    reply = asked.act("/api/kills", {"campaign": campaign, "stopped": stopped}, "k")
    assert reply.status_code == 202
    told: dict[str, object] = reply.json()
    return told


def test_a_campaign_and_all_marketing_are_stopped_and_let_go_on(asked: Asked) -> None:
    kill(asked, "nudge")
    told = kill(asked, "*")
    assert told == {"stopped": [{"campaign": name, "since": asked.clock.now_ms()} for name in ("*", "nudge")]}
    assert asked.ask("/api/kills").json() == told
    kill(asked, "*", stopped=False)
    assert kill(asked, "nudge", stopped=False) == {"stopped": []}


def test_a_campaign_that_there_is_not_is_refused(asked: Asked) -> None:
    reply = asked.act("/api/kills", {"campaign": "nugde", "stopped": True}, "k")
    assert (reply.status_code, reply.json()["code"]) == (404, "no_campaign")
    assert "nudge" in reply.json()["detail"]


def test_a_method_that_there_is_not_is_refused_with_those_that_there_are(asked: Asked) -> None:
    reply = asked.ask("/api/kills", "DELETE")
    assert reply.status_code == 405
    assert {one.strip() for one in reply.headers["allow"].split(",")} == {"GET", "HEAD", "POST"}
    assert asked.ask("/api/kills", "HEAD").status_code == 200
