"""What a complaint rate asks for, at each bound, and how it is said."""

from __future__ import annotations

import pytest

from livepost.model.feedback import (
    COMPLAINTS_MIN,
    MAILS_MIN,
    ComplaintRate,
    complaint_level,
    has_eased,
    rate_sentence,
)


@pytest.mark.parametrize(
    ("sent", "below", "bound", "level"),
    [(10_000, 7, 8, "warn"), (10_000, 9, 10, "pause"), (10_000, 29, 30, "stop"), (123_456, 98, 99, "warn")],
)
def test_a_bound_is_reached_at_the_bound_and_not_below(sent: int, below: int, bound: int, level: str) -> None:
    assert complaint_level(sent, below) != level
    assert complaint_level(sent, bound) == level


def test_few_mails_or_one_complaint_are_no_rate() -> None:
    assert complaint_level(MAILS_MIN - 1, 100) == complaint_level(MAILS_MIN, COMPLAINTS_MIN - 1) == ""
    assert complaint_level(MAILS_MIN, COMPLAINTS_MIN) == "stop"


def test_a_pause_ends_below_the_warning_of_however_few_mails() -> None:
    assert [has_eased(10_000, 8), has_eased(10_000, 7)] == [False, True]
    assert [has_eased(100, 1), has_eased(100, 0), has_eased(0, 0), has_eased(0, 1)] == [False, True, True, False]


def test_a_rate_is_said_with_what_follows_of_it() -> None:
    assert rate_sentence(ComplaintRate()) == "0 complaints about 0 marketing mails in 7 days"
    told = {
        "is paused until": ComplaintRate(sent=10_000, complained=5, paused_at=1),
        "is stopped until a person": ComplaintRate(sent=10_000, complained=30, level="stop", paused_at=1),
        "from 0.1 % on": ComplaintRate(sent=10_000, complained=8, level="warn"),
    }
    assert [words for words, rate in told.items() if words not in rate_sentence(rate)] == []
