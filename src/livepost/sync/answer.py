"""What an answer means for a batch, by its status: one table for all vendors.

In: an answer or its lack. Out: go on, again later, or cut the batch. Promised: nothing is waited for here; the words
hold nothing of an answer's body.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from livepost.fetch.fetcher import Answer
from livepost.fetch.waiting import retry_after

BACK_OFF_S: tuple[int, ...] = (5, 30, 120, 300, 900)
"""Waits after the first, second, ... failure; all later ones are as long as the last: a vendor's outage ends."""

JITTER = 0.1

CUT = frozenset((400, 413, 422))
"""What a body is refused with: in a batch of one it is the person's, in others that of somebody in it."""

Way: TypeAlias = Literal["on", "again", "cut"]


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """How it goes on, why, and how long to wait (s) before the batch is sent again."""

    way: Way
    why: str = ""
    wait_s: float = 0.0


def verdict(
    answer: Answer | str, fine: frozenset[int], tries: int, *, vendor: str, now_s: float, chance: float
) -> Verdict:
    """Return what an answer means after `tries` failures before; `answer` is a text where there was none.

    `chance` (0..1) is for the jitter.
    """
    if isinstance(answer, Answer) and (200 <= answer.status < 300 or answer.status in fine):
        return Verdict(way="on")
    why = f"{vendor} answered {answer.status}" if isinstance(answer, Answer) else answer
    if isinstance(answer, Answer) and answer.status in CUT:
        return Verdict(way="cut", why=why)
    wait_s = BACK_OFF_S[min(tries, len(BACK_OFF_S) - 1)] * (1 + JITTER * chance)
    asked_s = retry_after(answer.headers.get("retry-after", ""), now_s) if isinstance(answer, Answer) else 0.0
    return Verdict(way="again", why=why, wait_s=max(wait_s, asked_s))
