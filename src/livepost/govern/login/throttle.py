"""How long who guesses has to wait: by pair of account and address, by account, by address.

In: failures in a row. Out: ms until the next try. Promised: nobody is locked out for good: a pair and an address wait
15 minutes at most, an account one minute, and an address from where its user got in before does not wait for what
others do to the account.
"""

from __future__ import annotations

from livepost.clock import MINUTE_MS, SECOND_MS

PAIR_FREE = 5
ACCOUNT_FREE = 20
ADDRESS_FREE = 30
PAIR_MAX_MS = 15 * MINUTE_MS
ACCOUNT_MAX_MS = MINUTE_MS


def pair_wait_ms(failures: int) -> int:
    """Return how long an address waits that fails for one account.

    >>> [pair_wait_ms(failures) for failures in (4, 5, 6, 7, 60)]
    [0, 1000, 2000, 4000, 900000]
    """
    return _doubled(failures - PAIR_FREE, PAIR_MAX_MS)


def account_wait_ms(failures: int) -> int:
    """Return how long an account waits that fails from anywhere."""
    return _doubled(failures - ACCOUNT_FREE, ACCOUNT_MAX_MS)


def address_wait_ms(failures: int) -> int:
    """Return how long an address waits that fails for any account."""
    return _doubled(failures - ADDRESS_FREE, PAIR_MAX_MS)


def _doubled(times: int, most_ms: int) -> int:
    return 0 if times < 0 else min(SECOND_MS << min(times, 20), most_ms)
