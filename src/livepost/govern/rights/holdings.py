"""All that is said of what is held on one person: what, why, since and until when, where it went, who saw it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from livepost.govern.rights.store import Held
from livepost.govern.rights.summary import HeldLine
from livepost.govern.rights.travel import Travel


class Elsewhere(msgspec.Struct, frozen=True, kw_only=True):
    """A store that has the same once more, or is asked in another's place: what it holds, why it is not told by
    itself, how long it keeps it.
    """

    store: str
    holds: str
    instead: str
    kept: str


class Holdings(msgspec.Struct, frozen=True, kw_only=True):
    """What is held: lines by kind and field, where it went, which stores have it besides, and who saw it."""

    lines: Sequence[HeldLine]
    travels: Sequence[Travel]
    elsewhere: Sequence[Elsewhere]
    accesses: Sequence[Held]
