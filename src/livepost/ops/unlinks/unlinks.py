"""The undo of one of a person's links: blocks in, an `Unlink` out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from itertools import groupby
from types import TracebackType
from typing import TypeVar

import duckdb
import numpy as np

from livepost.engine.program import key_of
from livepost.errors import StoreError
from livepost.log.base import Position
from livepost.model.block import Block
from livepost.model.change import SeedState
from livepost.model.compiled import Compiled
from livepost.model.journal import Consent, keep, standing
from livepost.model.record import KeyKind, Kind, Origin
from livepost.model.unlink import EVENTS_MAX, SUBJECTS_MAX, Apart, Part, Unlink
from livepost.ops.parity.counted import count_records
from livepost.ops.parity.fields import types_of
from livepost.ops.seeds.formulas import seed_sql, state_of
from livepost.ops.seeds.seeds import MEMORY_MB, THREADS
from livepost.ops.seeds.tables import database, load
from livepost.ops.unlinks.links import Link, Links, Own

T = TypeVar("T")

OWN_MAX = 500_000
"""Records of a person that are kept in memory, some 200 bytes each."""


class Unlinks:
    """The links of one person, up to a position of the log; a context manager that gives its memory back."""

    def __init__(
        self, compiled: Compiled, person: Sequence[bytes], apart: Sequence[Apart] = (), *, memory_mb: int = MEMORY_MB
    ) -> None:
        """Nothing is read yet.

        compiled   the project that serves
        person     all subjects of the person, the one that names them first
        apart      the merges that were undone so far, of anybody

        Raises StoreError for a person of more than SUBJECTS_MAX subjects.
        """
        if len(person) > SUBJECTS_MAX:
            raise StoreError(
                f"expected a person of at most {SUBJECTS_MAX} subjects, got {len(person)}; they stay one person"
            )
        self.person = tuple(person)
        self.upto = Position(-1, 0)
        self.records = 0
        self._compiled = compiled
        self._types = types_of(compiled)
        self.links = Links(())
        self._subjects = _once_one(person, apart)
        self._apart = [undo for undo in apart if not self._subjects.isdisjoint(undo.sides[0])]
        self._memory_mb = memory_mb
        self._own: list[Own] = []
        self._counted: list[Own] = []
        self._db = database(memory_mb, THREADS)

    def __enter__(self) -> Unlinks:
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Give the memory back."""
        self.close()

    def close(self) -> None:
        """Give the memory back."""
        self._db.close()

    def read(self, blocks: Iterable[Block], upto: Position) -> None:
        """Read the log up to a position: from the oldest record that it has, or from where the last call ended.

        StoreError if the log breaks off before it, or its records do not fit into the memory.
        """
        specs = self._compiled.features
        self.records += self._within_memory(
            lambda: load(self._db, self._noted(blocks, upto.seq), specs, upto.seq, self._subjects)
        )
        self._within_memory(lambda: self._count(upto.seq))
        self.upto = upto
        self.links = Links(self._counted, self._apart)

    def unlink(self, link: Link, known: Mapping[bytes, bool]) -> Unlink:
        """Return the undo of a link; `known` says of subjects that the log does not have any more whether they are."""
        sides = self.links.sides(link, self.person)
        histories: tuple[dict[str, list[SeedState]], ...] = (defaultdict(list), defaultdict(list))
        side_of = {subject: place for place, side in enumerate(sides) for subject in side}
        for feature, subject, state in self._states():
            if subject in side_of:
                histories[side_of[subject]][feature].append(state)
        one, other = (
            self._part(side, {**known, **self.links.known}, dict(history))
            for side, history in zip(sides, histories, strict=True)
        )
        return Unlink(
            link=link.position,
            mentioned=link.mentioned,
            upto=self.upto.seq,
            project=self._compiled.hash(),
            parts=(one, other),
        )

    @property
    def purposes(self) -> frozenset[str]:
        """Purposes of which the log says who of the person spoke of them last."""
        own = [record for record in self._counted if record.subject in self.person]
        return frozenset(standing(_consents(own)))

    def _noted(self, blocks: Iterable[Block], upto: int) -> Iterator[Block]:
        """Yield the blocks, having noted the subjects' own records in them."""
        for block in blocks:
            if block.first <= upto:
                self._own += _own_of(block, self._subjects)
            if len(self._own) > OWN_MAX:
                raise StoreError(
                    f"expected a person of at most {OWN_MAX} records, got more: is it a bot? They stay one person"
                )
            yield block

    def _count(self, upto: int) -> None:
        self._db.execute("DROP TABLE IF EXISTS counted")
        count_records(self._db, upto)
        self._db.register("own", {"seq": np.array([own.seq for own in self._own], np.int64)})
        counted = {seq for (seq,) in self._db.execute("SELECT seq FROM own SEMI JOIN counted USING (seq)").fetchall()}
        self._db.unregister("own")
        self._counted = [own for own in self._own if own.seq in counted]

    def _states(self) -> Iterator[tuple[str, bytes, SeedState]]:
        """Yield (feature's version, subject, state)."""
        for spec in {key_of(spec): spec for spec in self._compiled.features}.values():
            sql, values = seed_sql(spec, self._types, self.upto.stamp)
            with closing(self._db.cursor()) as cursor:
                rows = self._within_memory(lambda: cursor.execute(sql, values).fetchall())  # noqa: B023 - called here
            for (high, low), some in groupby(rows, key=lambda row: row[:2]):
                subject = high.to_bytes(8, "big") + low.to_bytes(8, "big")
                yield key_of(spec), subject, state_of(spec, [row[2:] for row in some])

    def _part(self, side: Sequence[bytes], known: Mapping[bytes, bool], history: dict[str, list[SeedState]]) -> Part:
        subjects = frozenset(side)
        own = [record for record in self._counted if record.subject in subjects]
        return Part(
            subjects=tuple((subject, known.get(subject, False)) for subject in side),
            history=history,
            consents=_consents(own),
            events=tuple(record.event for record in own if record.origin is Origin.LIVE)[-EVENTS_MAX:],
        )

    def _within_memory(self, work: Callable[[], T]) -> T:
        try:
            return work()
        except duckdb.OutOfMemoryException as error:
            raise StoreError(
                f"expected the log's ids to fit into {self._memory_mb} MB, got more; give it more memory"
            ) from error


def _once_one(person: Iterable[bytes], apart: Iterable[Apart]) -> frozenset[bytes]:
    """Return a person's subjects, and those of whom they were ever one with, by any number of undos between."""
    groups: dict[bytes, set[bytes]] = {}
    for some in (set(person), *({*undo.sides[0], *undo.sides[1]} for undo in apart)):
        joined = some.union(*(groups.get(subject, ()) for subject in some))
        groups.update(dict.fromkeys(joined, joined))
    return frozenset(groups[next(iter(person))])


def _own_of(block: Block, subjects: Collection[bytes]) -> Iterator[Own]:
    if not any(subject in block.subject for subject in subjects):
        return
    for place in range(block.count):
        if block.kind[place] != Kind.EVENT or block.subject[16 * place : 16 * place + 16] not in subjects:
            continue
        record = block.record(place)
        yield Own(
            seq=record.seq,
            stamp=record.stamp,
            effective_ts=record.effective_ts,
            origin=Origin(record.origin),
            key=KeyKind(record.key),
            source=record.source,
            subject=record.subject,
            known=record.known,
            mentions=tuple(mention for mention in record.mentions if mention.subject in subjects),
            message_id=record.message_id,
            event=block.event[16 * place : 16 * place + 16],
            name=record.name,
            consent=record.context.get("consent") or {},
        )


def _consents(own: Iterable[Own]) -> dict[str, Consent]:
    """Return what was said last, by purpose."""
    said: dict[str, Consent] = {}
    for record in own:
        for purpose, allowed in record.consent.items():
            keep(said, purpose, Consent(record.effective_ts, record.message_id, allowed, record.source))
    return said
