from __future__ import annotations

from tests.unit.api.house import Asked


def test_the_status_accounts_for_every_event(asked: Asked) -> None:
    told = asked.ask("/api/status").json()
    conserved = told["conservation"]
    assert conserved["holds"] is True
    ends = ("processed", "duplicate", "filtered", "quarantined", "dead_lettered", "in_flight")
    assert conserved["accepted"] == sum(conserved[end] for end in ends) == 5
    assert (told["people"], told["lag_records"], told["trouble"]) == (2, 0, None)


def test_the_status_tells_how_late_events_came_each_in_one_band(asked: Asked) -> None:
    told = asked.ask("/api/status").json()
    lateness = told["lateness"]
    assert sum(band["live"] + band["imported"] for band in lateness["bands"]) == told["conservation"]["processed"]
    assert [band["up_to_ms"] for band in lateness["bands"]][-2:] == [30 * 86_400_000, None]
    assert (lateness["too_late"], lateness["not_fresh"]) == (0, {})


def test_the_status_tells_the_complaint_rate(asked: Asked) -> None:
    told = asked.ask("/api/status").json()["complaints"]
    assert told == {"sent": 1, "complained": 0, "level": "", "paused_at": None}
