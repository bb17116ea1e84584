"""How long who guesses has to wait."""

from __future__ import annotations

from livepost.clock import MINUTE_MS
from livepost.govern.login.throttle import (
    ACCOUNT_FREE,
    ADDRESS_FREE,
    PAIR_FREE,
    account_wait_ms,
    address_wait_ms,
    pair_wait_ms,
)


def test_the_first_tries_are_free_and_no_wait_is_for_good() -> None:
    for wait_ms, free, most in (
        (pair_wait_ms, PAIR_FREE, 15 * MINUTE_MS),
        (account_wait_ms, ACCOUNT_FREE, MINUTE_MS),
        (address_wait_ms, ADDRESS_FREE, 15 * MINUTE_MS),
    ):
        assert [wait_ms(failures) for failures in range(free)] == [0] * free
        assert wait_ms(free) > 0
        waits = [wait_ms(failures) for failures in range(10_000)]
        assert waits == sorted(waits)
        assert waits[-1] == most
