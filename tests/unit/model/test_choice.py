from __future__ import annotations

import pytest

from livepost.model.choice import cap_of, is_choice

DAY_MS = 86_400_000


@pytest.mark.parametrize(
    ("key", "cap"),
    [
        ("frequency:1 per 7d", (1, 7 * DAY_MS)),
        ("frequency:20 per 365d", (20, 365 * DAY_MS)),
        ("frequency:0 per 7d", None),
        ("frequency:1 per 7h", None),
        ("frequency:1 per 7d ", None),
        ("topic:1 per 7d", None),
        ("marketing", None),
    ],
)
def test_a_frequency_says_its_cap_and_nothing_else_does(key: str, cap: tuple[int, int] | None) -> None:
    assert cap_of(key) == cap


def test_purposes_are_no_choices() -> None:
    assert [is_choice(key) for key in ("topic:a", "frequency:b", "marketing", "topics", "")] == [True, True] + [
        False
    ] * 3
