"""How long a host asks to be left alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livepost.fetch.waiting import RETRY_AFTER_MAX_S, retry_after


@pytest.mark.parametrize(
    ("text", "wait_s"),
    [
        *(("", 0), ("soon", 0), ("-5", 0), ("1.5", 0), ("\u0665", 0), ("Thu, 99 Jan 1970 00:00:09 GMT", 0)),
        *(("9" * 400, RETRY_AFTER_MAX_S), ("Fri, 31 Dec 9999 23:59:59 GMT", RETRY_AFTER_MAX_S), ("0", 0)),
        ("Thu, 01 Jan 1970 00:00:01 GMT", 0),
    ],
)
def test_a_retry_after_of_any_kind_is_bounded(text: str, wait_s: float) -> None:
    assert retry_after(text, 1_000.0) == wait_s


@given(st.text() | st.from_regex(r"[A-Z][a-z]{2}, [0-9]{1,3} [A-Z][a-z]{2} [0-9]{1,5} [0-9:]{0,9} [-+A-Z0-9]{0,6}"))
def test_no_retry_after_is_an_error(text: str) -> None:
    assert 0.0 <= retry_after(text, 1_000.0) <= RETRY_AFTER_MAX_S
