"""Lengths of time are timedeltas, and say themselves in the author's words."""

from datetime import timedelta

import pytest

from livepost.project.duration import days, hours, in_ms, minutes, seconds, spoken, weeks


def test_words_give_plain_timedeltas() -> None:
    assert [seconds(90), minutes(1.5), hours(2), days(7), weeks(1)] == [
        timedelta(seconds=90),
        timedelta(seconds=90),
        timedelta(hours=2),
        timedelta(days=7),
        timedelta(days=7),
    ]


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (weeks(1), "days(7)"),
        (hours(36), "hours(36)"),
        (minutes(120), "hours(2)"),
        (seconds(90), "seconds(90)"),
        (seconds(0.5), "seconds(0.5)"),
        (timedelta(0), "seconds(0)"),
    ],
)
def test_a_length_says_itself_in_the_largest_unit_that_divides_it(length: timedelta, words: str) -> None:
    assert spoken(length) == words


def test_milliseconds_are_whole() -> None:
    assert in_ms(timedelta(microseconds=1999)) == 1
    assert in_ms(days(1)) == 86_400_000
