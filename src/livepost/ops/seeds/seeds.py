"""The seeds of a change: blocks in, `Seed` after `Seed` out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from itertools import groupby
from types import TracebackType
from typing import Any, TypeVar

import duckdb

from livepost.errors import StoreError
from livepost.log.base import Position
from livepost.model.block import Block
from livepost.model.change import SEED_PEOPLE_MAX, Seed, SeedState
from livepost.model.compiled import Compiled, FeatureSpec
from livepost.ops.parity.counted import count_records
from livepost.ops.parity.fields import types_of
from livepost.ops.seeds.formulas import seed_sql, state_of
from livepost.ops.seeds.tables import database, load

T = TypeVar("T")

MEMORY_MB = 2_048
"""How much memory the database takes at most; over it a change is refused, nothing goes to a disk."""

THREADS = 1
"""Cores it takes: it works beside a house that is live."""

FETCHED = 10_000
"""Rows that are read from the database at a time."""


class Seeds:
    """The history of some features up to a cut; a context manager that gives its memory back.

    Open it once the cut is in the log: what it reads then never changes.
    """

    def __init__(
        self,
        blocks: Iterable[Block],
        coming: Compiled,
        features: Sequence[FeatureSpec],
        cut: Position,
        *,
        memory_mb: int = MEMORY_MB,
    ) -> None:
        """Read the log up to a cut.

        blocks     the log from the oldest record that it still has
        features   those of `coming` that need history, in an order that is always the same (`Diff.history`)

        StoreError if the log breaks off before the cut, or its records do not fit into `memory_mb`.
        """
        self._types = types_of(coming)
        self._features = features
        self._cut = cut
        self._memory_mb = memory_mb
        self._db = database(memory_mb, THREADS)
        try:
            self.records = self._within_memory(lambda: load(self._db, blocks, features, cut.seq))
            self._within_memory(lambda: count_records(self._db, cut.seq))
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Seeds:
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Give the memory back."""
        self.close()

    def close(self) -> None:
        """Give the memory back."""
        self._db.close()

    def count(self) -> int:
        """Return how many seeds there are."""
        return sum(-(-self._people(spec) // SEED_PEOPLE_MAX) for spec in self._features)

    def of(self, run: str, after: int = -1) -> Iterator[Seed]:
        """Yield a run's seeds with a number > `after`, in their order."""
        number = 0
        for spec in self._features:
            for people in _chunked(self._states(spec)):
                if number > after:
                    yield Seed(run=run, number=number, feature=spec.version, people=people)
                number += 1

    def _states(self, spec: FeatureSpec) -> Iterator[tuple[bytes, SeedState]]:
        """Yield (subject, state) in the order of subjects."""
        for subject, rows in groupby(self._rows(spec), key=lambda row: row[:2]):
            yield _id(subject), state_of(spec, [row[2:] for row in rows])

    def _rows(self, spec: FeatureSpec) -> Iterator[Sequence[Any]]:
        sql, values = seed_sql(spec, self._types, self._cut.stamp)
        with closing(self._db.cursor()) as cursor:  # one of its own: who takes the seeds may ask meanwhile
            self._within_memory(lambda: cursor.execute(sql, values))
            while rows := cursor.fetchmany(FETCHED):
                yield from rows

    def _people(self, spec: FeatureSpec) -> int:
        sql, values = seed_sql(spec, self._types, self._cut.stamp)
        distinct = f"SELECT count(*) FROM (SELECT DISTINCT subject_high, subject_low FROM ({sql}))"
        found = self._within_memory(lambda: self._db.execute(distinct, values).fetchall())
        return int(found[0][0])

    def _within_memory(self, work: Callable[[], T]) -> T:
        try:
            return work()
        except duckdb.OutOfMemoryException as error:
            raise StoreError(
                f"expected the history of {len(self._features)} features to fit into {self._memory_mb} MB, got more; "
                "apply fewer features at a time, or give it more memory"
            ) from error


def _id(halves: Sequence[int]) -> bytes:
    high, low = halves
    return high.to_bytes(8, "big") + low.to_bytes(8, "big")


def _chunked(people: Iterator[tuple[bytes, SeedState]]) -> Iterator[list[tuple[bytes, SeedState]]]:
    chunk: list[tuple[bytes, SeedState]] = []
    for one in people:
        chunk.append(one)
        if len(chunk) == SEED_PEOPLE_MAX:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
