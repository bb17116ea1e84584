"""How definitions change while the house runs: what control records carry (docs/reference/semantics.md, "Changes").

A change is a *run*: a cut, from which new features count live; seeds, which bring them the history before it; and
ready, from which the coming project serves. Each control record is alone in its block.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias, TypeVar

import msgspec

from livepost.model.compiled import CampaignSpec, Compiled
from livepost.model.record import Record

T = TypeVar("T")

SEED_PEOPLE_MAX = 200
"""Subjects that one seed has history for, at most: it is folded between live records."""


class Cut(msgspec.Struct, frozen=True, kw_only=True):
    """Kind.CUT: from the next record on, features of `coming` that do not serve yet count live, for nobody to see.

    run      16 hex digits, drawn for the change
    hash     content hash of `coming`
    carried  what `was=` renames: old name -> new name, by kind ("segment", "campaign")
    """

    run: str
    hash: str
    coming: Compiled
    carried: dict[str, dict[str, str]] = {}


Tile: TypeAlias = tuple[int, int]
"""The start of a tile (s since 1970; 0 for a lifetime) and its partial sum; of a `since` the newest time (ms)."""

SeedState: TypeAlias = Any
"""A subject's state of a feature at the cut, by kind.

count, total, exists, mean   {"total": [Tile...], "count": [Tile...]}, with only the sums that the kind keeps: exists a
                             count; floats in 1e-6
since without a window       the newest effective_ts (ms)
all others                   (effective_ts, message_id, value) of each record that can still matter, in any order; for
                             distinct and top: (tile in seconds, value, how many), of a tile at most `cap` + 1 values

Of a window only what is in it at the cut's stamp. Values are as in a record's properties (money [minor units,
currency]); personal ones are the parts of their `SealedValue`; of a `since` with a window it is true.
"""


class Seed(msgspec.Struct, frozen=True, kw_only=True):
    """Kind.SEED: history of one feature (by its version) for some subjects: the counted records up to the cut.

    `number` counts from 0 within the run; a seed that was folded before is not folded again.
    """

    run: str
    number: int
    feature: str
    people: list[tuple[bytes, SeedState]]


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """Kind.READY: the history is in; from this record on the run's project serves."""

    run: str


class Definitions(msgspec.Struct, frozen=True, kw_only=True):
    """What an engine computes with at a position: the project that serves, and the change under way.

    cut     where it began; None where none is under way; `cut_at` its position
    seeded  the number of the next seed to fold
    """

    serving: Compiled
    cut: Cut | None = None
    cut_at: int = -1
    seeded: int = 0


class Switch(msgspec.Struct, frozen=True, kw_only=True):
    """What an engine has to know of the last READY until everybody was evaluated at it.

    at, position  its stamp (ms) and seq
    removed       campaigns that are not there any more, in the order of the project that had them
    renamed       what campaigns are called from now on: old name -> new name
    """

    at: int
    position: int
    removed: tuple[CampaignSpec, ...] = ()
    renamed: dict[str, str] = {}


def told_by(record: Record, kind: type[T]) -> T:
    """Return what a control record tells, as `kind`; raises msgspec.ValidationError if it cannot be read so."""
    return msgspec.convert(record.control, kind)


def taken_over(before: Iterable[str], after: Iterable[str], carried: Mapping[str, str]) -> dict[str, str]:
    """Return whose memory each name has: new name -> old name, of segments or of campaigns.

    What `carried` renames (old -> new) goes before what is only called the same.
    """
    known, there = set(before), set(after)
    same = {name: name for name in known & there if name not in carried}
    return same | {new: old for old, new in carried.items() if old in known and new in there}
