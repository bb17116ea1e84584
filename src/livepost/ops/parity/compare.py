"""The comparison: blocks and live people in, a `Parity` out, with every value that is not the same on both sides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal

import msgspec

from livepost.errors import StoreError
from livepost.log.base import Position
from livepost.model.block import Block
from livepost.model.compiled import Compiled
from livepost.model.person import PersonView
from livepost.model.record import SealedValue
from livepost.ops.parity.persons import Person
from livepost.ops.parity.recompute import MEMORY_MB, People, Recomputed, recompute

MISMATCHES_MAX = 1_000
"""How many mismatches are told one by one; all are counted."""

UNKNOWN = "unknown"
"""What is said of a segment whose condition is unknown."""


class Mismatch(msgspec.Struct, frozen=True):
    """One value that differs: of which person (hex of the naming subject), what it is, and what either side says.

    kind    person: `live` and `recomputed` are their subjects (hex), the naming one first, [] for no such person;
            feature, segment, consent: `name` says which; None is never, unknown, or nothing said; a segment is
            true, false, or `UNKNOWN` where its condition is: then the stored bit is not compared, nobody could
            tell it from the log's end
    """

    person: str
    kind: Literal["person", "feature", "segment", "consent"]
    name: str
    live: Any
    recomputed: Any


class Parity(msgspec.Struct, frozen=True, kw_only=True):
    """What came out at a log position: how many people and values were compared, how many values differ.

    `holds` is the only good answer; `mismatches` are the first of those that differ.
    """

    position: int
    as_of: int
    people: int
    values: int
    mismatched: int
    mismatches: tuple[Mismatch, ...]
    holds: bool


def compare(
    blocks: Iterable[Block],
    compiled: Compiled,
    people: Sequence[PersonView],
    at: Position,
    *,
    everybody: bool = False,
    memory_mb: int = MEMORY_MB,
) -> Parity:
    """Recompute people from the log up to `at` and compare them with how they are live there.

    blocks      the whole log from its first record, at least up to `at`; what comes behind is not read
    people      all as of `at`, every due time until then served; `everybody` says that there are no others, and
                then whoever is missing is a mismatch too

    A person whose subjects differ is one mismatch: their values are those of somebody else and are not compared.
    StoreError if a person is not as of `at`, the log is incomplete, or it does not fit into `memory_mb`.
    """
    _refuse_elsewhere(people, at)
    found = recompute(blocks, compiled, [view.subjects for view in people], at, memory_mb)
    values, different = 0, []
    for comparison in _comparisons(people, found, everybody):
        values += 1
        if comparison.live != comparison.recomputed:
            different.append(comparison)
    return Parity(
        position=at.seq,
        as_of=at.stamp,
        people=len(people),
        values=values,
        mismatched=len(different),
        mismatches=tuple(different[:MISMATCHES_MAX]),
        holds=not different,
    )


def _refuse_elsewhere(people: Sequence[PersonView], at: Position) -> None:
    for view in people:
        if (view.position, view.as_of) != (at.seq, at.stamp):
            raise StoreError(
                f"expected all people as of record {at.seq} (stamp {at.stamp}), got {view.person.hex()} as of record "
                f"{view.position} (stamp {view.as_of}); ask the engine for all of them at once"
            )


def _comparisons(people: Sequence[PersonView], found: People, everybody: bool) -> Iterator[Mismatch]:
    """Yield every pair of values, the same or not."""
    owners = {subject: person for person in found.persons.values() for subject in person.subjects}
    for view in people:
        recomputed = found.recomputed.get(view.person)
        yield _identity(view, owners.get(view.person))
        if recomputed is not None and set(recomputed.person.subjects) == set(view.subjects):
            yield from _values(view, recomputed)
    if everybody:
        live = {view.person for view in people}
        for name, person in found.persons.items():
            if name not in live:
                yield Mismatch(name.hex(), "person", "", [], _hex(person.subjects))


def _identity(view: PersonView, owner: Person | None) -> Mismatch:
    others = sorted(subject for subject in view.subjects if subject != view.person)
    recomputed = _hex(owner.subjects) if owner else []
    return Mismatch(view.person.hex(), "person", "", _hex((view.person, *others)), recomputed)


def _values(view: PersonView, recomputed: Recomputed) -> Iterator[Mismatch]:
    person = view.person.hex()
    live = {**view.features, **view.sealed}
    for name, value in recomputed.features.items():
        yield Mismatch(person, "feature", name, _as_thinned(live.get(name), value), value)
    inside = {each.segment: UNKNOWN if each.unknown else each.inside for each in view.memberships}
    for name, told in recomputed.segments.items():
        yield Mismatch(person, "segment", name, inside.get(name), UNKNOWN if told is None else told)
    for purpose in sorted({*view.consents, *recomputed.consents}):
        yield Mismatch(person, "consent", purpose, view.consents.get(purpose), recomputed.consents.get(purpose))


def _as_thinned(live: Any, recomputed: Any) -> Any:
    """Return a live value as it is in a log out of which retention took its seal."""
    if isinstance(live, SealedValue) and isinstance(recomputed, SealedValue) and not recomputed.seal:
        return msgspec.structs.replace(live, seal=b"")
    return live


def _hex(subjects: Iterable[bytes]) -> list[str]:
    return [subject.hex() for subject in subjects]
