"""Who says, with the ledger's word of this moment, whether a person's data may leave for a purpose."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from livepost.clock import Clock
from livepost.ledger.base import Ledger, Permit

Refusals: TypeAlias = Callable[[Sequence[Permit]], list[str]]
"""Returns the reason against each permit, "" for none."""


def refusing(ledger: Ledger, clock: Clock) -> Refusals:
    """Return who gives the reason against each permit, "" for none; `clock` is the workspace's, by which consents
    expire.
    """
    return lambda asked: ledger.refusals(asked, clock.now_ms())


def allowing(ledger: Ledger, clock: Clock) -> Callable[[bytes, str], bool]:
    """Return who says whether a person allows a purpose now."""
    refusals = refusing(ledger, clock)
    return lambda person, purpose: refusals([Permit(person=person, purpose=purpose)]) == [""]
