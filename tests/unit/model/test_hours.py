"""Quiet hours and times of day, by hand where clocks jump, and beside a clock looked at minute by minute."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livepost.model import hours
from livepost.model.compiled import CampaignSpec
from livepost.model.hours import QuietHours, is_quiet, quiet_until, time_after
from tests.oracle import hours as oracle

BERLIN = "Europe/Berlin"
ZONES = (
    BERLIN,
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Pacific/Apia",
    "America/Sao_Paulo",
    "UTC",
)
NIGHT = QuietHours(21 * 60, 8 * 60)


def ms(text: str) -> int:
    """Return a moment, written in UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("minute", "zone", "at", "then"),
    [
        (9 * 60, "UTC", "2026-01-05T08:59:59.999", "2026-01-05T09:00"),
        (9 * 60, "UTC", "2026-01-05T09:00", "2026-01-06T09:00"),
        (9 * 60, BERLIN, "2026-01-05T07:00", "2026-01-05T08:00"),
        (0, BERLIN, "2026-01-05T12:00", "2026-01-05T23:00"),
        (2 * 60 + 30, BERLIN, "2026-03-28T12:00", "2026-03-29T01:00"),
        (2 * 60 + 30, BERLIN, "2026-10-24T12:00", "2026-10-25T00:30"),
        (2 * 60 + 30, BERLIN, "2026-10-25T00:30", "2026-10-25T01:30"),
        (9 * 60, "Pacific/Apia", "2011-12-30T09:00", "2011-12-30T10:00"),
        (9 * 60, "Pacific/Apia", "2011-12-29T19:00", "2011-12-30T10:00"),
    ],
    ids=[
        *("just before", "not the moment itself", "in winter", "at midnight", "jumped over", "the first of two"),
        *("the second of two", "the day that Samoa left out: the jump", "and from the day before"),
    ],
)
def test_the_next_moment_at_which_clocks_come_to_show_a_time(minute: int, zone: str, at: str, then: str) -> None:
    assert time_after(minute, zone, ms(at)) == ms(then)


@pytest.mark.parametrize(
    ("at", "until"),
    [
        ("2026-01-05T19:59:59", "2026-01-05T19:59:59"),
        ("2026-01-05T20:00", "2026-01-06T07:00"),
        ("2026-01-06T06:59:59.999", "2026-01-06T07:00"),
        ("2026-01-06T07:00", "2026-01-06T07:00"),
        ("2026-03-28T22:00", "2026-03-29T06:00"),
    ],
    ids=["before", "they begin", "their last moment", "they end", "a night of an hour less"],
)
def test_quiet_hours_end_where_the_person_is(at: str, until: str) -> None:
    assert quiet_until(NIGHT, BERLIN, ms(at)) == ms(until)


def test_quiet_hours_within_a_day_begin_and_end_on_it() -> None:
    noon = QuietHours(12 * 60, 13 * 60)
    quiet = [hour for hour in range(24) if is_quiet(noon, "UTC", ms(f"2026-01-05T{hour:02}:30"))]
    assert quiet == [12]


moments = st.integers(ms("1995-01-01T00:00"), ms("2037-01-01T00:00"))
minutes = st.integers(0, 24 * 60 - 1)


@settings(deadline=None, max_examples=300)
@given(at=moments, minute=minutes, zone=st.sampled_from(ZONES))
def test_a_clock_looked_at_each_minute_says_the_same(at: int, minute: int, zone: str) -> None:
    assert time_after(minute, zone, at) == oracle.comes_after(minute, zone, at)


@settings(deadline=None, max_examples=300)
@given(at=moments, start=minutes, end=minutes, zone=st.sampled_from(ZONES))
def test_hours_are_quiet_that_a_clock_shows_as_such(at: int, start: int, end: int, zone: str) -> None:
    quiet = QuietHours(start, end)
    campaign = CampaignSpec(name="c", quiet=quiet)
    assert is_quiet(quiet, zone, at) == (start != end and oracle.is_quiet(campaign, zone, at))


def differs_somewhere() -> bool:
    """Say whether the two differ within the days on which Berlin's clocks change."""
    days = [*range(ms("2026-03-28T00:00"), ms("2026-03-30T00:00"), 7_000_001)]
    days += range(ms("2026-10-24T00:00"), ms("2026-10-26T00:00"), 7_000_001)
    return any(time_after(150, BERLIN, at) != oracle.comes_after(150, BERLIN, at) for at in days)


def test_a_clock_that_knows_no_jumps_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not differs_somewhere()
    of_a_day = hours._moments
    monkeypatch.setattr(hours, "_moments", lambda day, minute, clock: list(of_a_day(day, minute, clock))[:1])
    assert differs_somewhere()
