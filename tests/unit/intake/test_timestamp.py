"""Timestamps of clients: every form that is read, and the correction by their clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livepost.intake.timestamp import MAX_TIMESTAMP_CHARS, effective_ms, parse_timestamp

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def ms(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(milliseconds=1)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2012-12-02T00:30:08.276Z", datetime(2012, 12, 2, 0, 30, 8, 276000, UTC)),
        ("2015-2-02T00:30:08.276Z", datetime(2015, 2, 2, 0, 30, 8, 276000, UTC)),
        ("2015-2-2T0:3:8Z", datetime(2015, 2, 2, 0, 3, 8, 0, UTC)),
        ("2026-11-21T21:31:30.085+00:00", datetime(2026, 11, 21, 21, 31, 30, 85000, UTC)),
        ("2026-11-21T21:31:35.273085+02:30", datetime(2026, 11, 21, 19, 1, 35, 273000, UTC)),
        ("2015-2-02T02:30:08-0230", datetime(2015, 2, 2, 5, 0, 8, 0, UTC)),
        ("2024-01-02T03:04:05", datetime(2024, 1, 2, 3, 4, 5, 0, UTC)),
        ("2024-01-02", datetime(2024, 1, 2, 0, 0, 0, 0, UTC)),
        ("2024-01-02T03:04:05.123456789Z", datetime(2024, 1, 2, 3, 4, 5, 123000, UTC)),
        ("2016-12-31T23:59:60Z", datetime(2017, 1, 1, 0, 0, 0, 0, UTC)),
        ("1969-12-31T23:59:59.999Z", datetime(1969, 12, 31, 23, 59, 59, 999000, UTC)),
    ],
)
def test_a_form_that_clients_send_is_read(text: str, moment: datetime) -> None:
    assert parse_timestamp(text) == ms(moment)


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "2015-13-02T00:00:00Z", "2015-2-30T0:0:0Z", "2015-2-3T24:61:00Z", "1795296709142", "9" * 5000],
)
def test_other_text_is_no_date_time(text: str) -> None:
    assert parse_timestamp(text) is None


def test_text_over_the_bound_is_no_date_time() -> None:
    text = "2015-02-02T00:30:08Z"
    at_bound = text + " " * (MAX_TIMESTAMP_CHARS - len(text))
    assert parse_timestamp(at_bound) is not None
    assert parse_timestamp(at_bound + " ") is None


@given(
    st.datetimes(min_value=datetime(1, 1, 3), max_value=datetime(9999, 12, 29)),
    st.integers(min_value=-14 * 60, max_value=14 * 60),
)
def test_what_isoformat_writes_is_read_back(naive: datetime, offset_min: int) -> None:
    moment = naive.replace(tzinfo=timezone(timedelta(minutes=offset_min)))
    assert parse_timestamp(moment.isoformat()) == ms(moment)


@given(st.datetimes(min_value=datetime(1000, 1, 1), max_value=datetime(9999, 12, 29)))
def test_dropping_the_padding_changes_nothing(naive: datetime) -> None:
    loose = f"{naive.year}-{naive.month}-{naive.day}T{naive.hour}:{naive.minute}:{naive.second}Z"
    assert parse_timestamp(loose) == ms(naive.replace(microsecond=0, tzinfo=UTC))


@given(st.text(max_size=80))
def test_no_text_whatever_raises(text: str) -> None:
    assert isinstance(parse_timestamp(text), int | None)


def test_a_wrong_clock_is_corrected_by_what_it_said_at_sending() -> None:
    ten_years = 10 * 365 * 86_400_000
    assert effective_ms(timestamp=ten_years + 5_000, sent_at=ten_years + 7_000, received_at=9_000) == 7_000


def test_without_sent_at_the_timestamp_counts_and_without_both_the_receipt() -> None:
    assert effective_ms(timestamp=5, sent_at=None, received_at=9) == 5
    assert effective_ms(timestamp=None, sent_at=7, received_at=9) == 9


@pytest.mark.parametrize(
    "text",
    ["0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00", "9999-12-31T23:59:60Z", "0001-1-1T00:00:00+01:00"],
)
def test_what_an_offset_leads_out_of_the_calendar_is_no_date_time(text: str) -> None:
    assert parse_timestamp(text) is None
    assert parse_timestamp("0001-01-01T00:00:00Z") is not None
    assert parse_timestamp("9999-12-31T23:59:59.999Z") is not None
