"""What is checked when a mail is claimed, and again before its first byte: pure, in the order of REASONS.

In: the facts of one delivery, as they stand in the ledger. Out: the first reason against sending, or "".
Promised: consent fails closed (no grant known means no), and the stricter of the engine's and the ledger's
own record holds.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What the ledger knows about one delivery at one moment; times are ms on the workspace's clock.

    granted      what the engine last said for the purpose: True, False, or None for nothing
    granted_at   when that was said
    withdrawn_at the newest withdrawal by link, page or console; None for none
    expired      whether that was too long ago
    sends        other mails of the campaign to the person within the cap's period that are or may be sent
    capped       whether mails of all campaigns reach a cap on them
    topic_off    whether the person switched the mail's topic off
    restricted   whether the person had their data restricted: kept, and not used
    objected     whether the person objected to the mail's purpose, or to all direct marketing
    frequent     whether another mail would be more than the person wants
    merged       whether one went to the person under another name, for a journey that would have kept out this one's
    """

    class_: str
    killed: bool = False
    suppressed: bool = False
    granted: bool | None = None
    granted_at: int = 0
    withdrawn_at: int | None = None
    expired: bool = False
    sends: int = 0
    cap_times: int = 0
    capped: bool = False
    merged: bool = False
    topic_off: bool = False
    frequent: bool = False
    restricted: bool = False
    objected: bool = False


def _consent_missing(facts: Facts) -> bool:
    if facts.class_ == "transactional":
        return False
    withdrawn = facts.withdrawn_at is not None and facts.withdrawn_at >= facts.granted_at
    return facts.granted is not True or withdrawn or facts.expired


def _cap_reached(facts: Facts) -> bool:
    return facts.capped or (facts.cap_times > 0 and facts.sends >= facts.cap_times)


CHECKS: tuple[tuple[str, Callable[[Facts], bool]], ...] = (
    ("kill", lambda facts: facts.killed),
    ("suppressed", lambda facts: facts.suppressed),
    ("restricted", lambda facts: facts.restricted),
    ("objected", lambda facts: facts.objected and facts.class_ != "transactional"),
    ("consent", _consent_missing),
    ("topic", lambda facts: facts.topic_off),
    ("merged", lambda facts: facts.merged),
    ("cap", _cap_reached),
    ("frequency", lambda facts: facts.frequent),
)
"""(reason, whether it stands against sending), in the order of REASONS.

`until` and `exit` need no check: a cancellation moves the delivery the moment it is taken over.
"""


def refusal(facts: Facts) -> str:
    """Return the first reason against sending, or "" if there is none."""
    return next((reason for reason, against in CHECKS if against(facts)), "")
