"""What an answer means for a message, by the advice of Standard Webhooks.

In: an answer or its lack, and how often the message was sent. Out: a verdict. Promised: nothing is sent or waited for
here; the words hold nothing of an answer's body.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Literal, TypeAlias

import msgspec

from livepost.fetch.fetcher import Answer
from livepost.fetch.waiting import retry_after

BACK_OFF_S: tuple[int, ...] = (5, 5 * 60, 30 * 60, *(hours * 3_600 for hours in (2, 5, 10, 14, 20, 24)))
"""Waits after the first, second, ... failure; the tenth is the last (Standard Webhooks, "Retry schedule")."""

JITTER = 0.1
"""By how much of itself a wait grows at most, so that those who failed together do not come back together."""

State: TypeAlias = Literal["delivered", "again", "disabled", "dead"]


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of a message, why, and how long to wait (s) before it is sent again."""

    state: State
    why: str = ""
    wait_s: float = 0.0


def verdict(answer: Answer | str, sent: int, tries: int, *, now_s: float, chance: float) -> Verdict:
    """Return what becomes of a message that was sent `sent` times; `answer` is a text where there was none.

    `chance` (0..1) is for the jitter.
    """
    if isinstance(answer, Answer) and HTTPStatus(200) <= answer.status < HTTPStatus(300):
        return Verdict(state="delivered")
    if isinstance(answer, Answer) and answer.status == HTTPStatus.GONE:
        return Verdict(state="disabled", why="it answered 410: it wants no more")
    why = f"it answered {answer.status}" if isinstance(answer, Answer) else answer
    if sent >= tries:
        return Verdict(state="dead", why=why)
    wait_s = BACK_OFF_S[min(sent, len(BACK_OFF_S)) - 1] * (1 + JITTER * chance)
    asked_s = retry_after(answer.headers.get("retry-after", ""), now_s) if isinstance(answer, Answer) else 0.0
    return Verdict(state="again", why=why, wait_s=max(wait_s, asked_s))
