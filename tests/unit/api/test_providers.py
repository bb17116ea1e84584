from __future__ import annotations

from tests.unit.api.house import Asked


def test_the_senders_are_told_the_preferred_one_first(asked: Asked) -> None:
    [told] = asked.ask("/api/providers").json()["providers"]
    assert (told["name"], told["breaker"], told["unknown"]) == ("mail", "closed", 0)
