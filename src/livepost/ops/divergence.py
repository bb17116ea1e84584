"""What a replay made beside what there was before: the same, otherwise, new, missing.

In: transitions and decisions before and after, each side gone through as often as it takes. Out: counts, and examples.
Promised: nothing is changed; 40 bytes of memory a transition or decision of each side.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Literal, TypeAlias

import msgspec
import numpy as np

from livepost.ids import digest
from livepost.ledger.takeover import WORDS, differing
from livepost.model.decision import Decision, Transition

EXAMPLES_MAX = 5
"""Of each kind of divergence so many are told one by one; all are counted."""

AT_ONCE = 10_000

Made: TypeAlias = Transition | Decision

Side: TypeAlias = Callable[[], Iterable[Made]]
"""What was made, each once; it may be gone through more than once."""

Kind: TypeAlias = Literal["different", "new", "missing"]


class Divergence(msgspec.Struct, frozen=True, kw_only=True):
    """A transition or decision that is not on both sides as it is on one.

    name     of the segment or campaign; `person` and `id` in hex; `at` in UTC ms
    fields   which differ, where both sides have it
    """

    kind: Kind
    name: str
    id: str
    person: str
    at: int
    position: int
    fields: tuple[str, ...] = ()


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """How many were made the same once more, otherwise, only now (`new`), or only before (`missing`).

    `ahead` are those that only the replay has and the ledger has not come to yet: they are no divergence.
    """

    same: int
    different: int
    new: int
    missing: int
    ahead: int = 0
    examples: tuple[Divergence, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether all is the same."""
        return not (self.different or self.new or self.missing)


def compare(before: Side, after: Side, upto: int) -> Compared:
    """Compare what was made before with what a replay makes; what only the replay has beyond position `upto` is
    `ahead`.
    """
    old, new = _Marks(before()), _Marks(after())
    _, mine, theirs = np.intersect1d(old.ids, new.ids, assume_unique=True, return_indices=True)
    differs = old.digests[mine] != new.digests[theirs]
    only_old, only_new = _but(len(old.ids), mine), _but(len(new.ids), theirs)
    is_ahead = new.positions[only_new] > upto
    behind = only_new[~is_ahead]
    return Compared(
        same=int((~differs).sum()),
        different=int(differs.sum()),
        new=len(behind),
        missing=len(only_old),
        ahead=int(is_ahead.sum()),
        examples=(
            *_different(before, after, new.first(theirs[differs])),
            *_examples("new", after, new.first(behind)),
            *_examples("missing", before, old.first(only_old)),
        ),
    )


class _Marks:
    """The ids, digests and positions of one side, in its order."""

    def __init__(self, made: Iterable[Made]) -> None:
        ids, digests, positions = [], [], []
        for part in _parts(made):
            ids.append(np.frombuffer(b"".join(one.id for one in part), "S16"))
            digests.append(np.frombuffer(b"".join(map(_digest, part)), "S16"))
            positions.append(np.array([one.position for one in part], np.int64))
        self.ids = np.concatenate(ids) if ids else np.empty(0, "S16")
        self.digests = np.concatenate(digests) if digests else np.empty(0, "S16")
        self.positions = np.concatenate(positions) if positions else np.empty(0, np.int64)

    def first(self, places: np.ndarray) -> set[bytes]:
        """Return the ids of those that come first in the log."""
        order = places[np.argsort(self.positions[places], kind="stable")][:EXAMPLES_MAX]
        return {bytes(id).ljust(16, b"\0") for id in self.ids[order].tolist()}  # numpy drops zeros at the end


def _parts(made: Iterable[Made]) -> Iterator[list[Made]]:
    part: list[Made] = []
    for one in made:
        part.append(one)
        if len(part) == AT_ONCE:
            yield part
            part = []
    if part:
        yield part


def _digest(one: Made) -> bytes:
    if isinstance(one, Decision):
        one = msgspec.structs.replace(one, **dict.fromkeys(WORDS, ""))
    return digest(msgspec.msgpack.encode(one))


def _but(count: int, places: np.ndarray) -> np.ndarray:
    """Return all places but these."""
    there = np.ones(count, bool)
    there[places] = False
    return np.flatnonzero(there)


def _different(before: Side, after: Side, ids: set[bytes]) -> list[Divergence]:
    old = {one.id: one for one in before() if one.id in ids} if ids else {}
    new = {one.id: one for one in after() if one.id in ids} if ids else {}
    return _in_order(_told("different", new[id], differing(old[id], new[id])) for id in ids)


def _examples(kind: Kind, side: Side, ids: set[bytes]) -> list[Divergence]:
    return _in_order(_told(kind, one) for one in side() if one.id in ids) if ids else []


def _in_order(told: Iterable[Divergence]) -> list[Divergence]:
    return sorted(told, key=lambda one: (one.position, one.id))


def _told(kind: Kind, one: Made, fields: tuple[str, ...] = ()) -> Divergence:
    return Divergence(
        kind=kind,
        name=one.segment if isinstance(one, Transition) else one.campaign,
        id=one.id.hex(),
        person=one.person.hex(),
        at=one.at,
        position=one.position,
        fields=fields,
    )
