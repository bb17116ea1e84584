"""A change carried out from outside the house: begin it, read the history, send the seeds, make it serve.

In: a running house and the project that is to come. Out: progress, while it goes on. Promised: what was done stays
done: cut short at any point and begun again, it goes on where it was, with the same seeds under the same numbers. A
front or an engine that falls over is waited for.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Literal, TypeAlias, TypeVar

import msgspec

from livepost.errors import StoreError
from livepost.log.base import Position
from livepost.log.whole import blocks_of
from livepost.model.change import Cut, Seed
from livepost.model.compiled import Compiled
from livepost.model.told import Status
from livepost.ops.seeds import Seeds
from livepost.project.diff import diff
from livepost.project.renames import Renames
from livepost.runtime.data.definitions import Named
from livepost.runtime.data.folder import DataFolder
from livepost.runtime.engine.client import EngineClient
from livepost.runtime.front.changing import CUT, NAMED, READY, SEED, Wish
from livepost.runtime.sockets.wire import WireClient, WireError

T = TypeVar("T")
Stage: TypeAlias = Literal["reading", "history", "people"]

PATIENCE_S = 30.0
"""How long a process that does not answer is waited for: the supervisor starts it again."""

FOLD_S = 600.0
"""How long the engine may take to get to a record; one that is far behind reads its log first."""

PAUSE_S = 0.02
"""How long live records have the engine to themselves after a seed was folded."""

LOOK_S = 0.01


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """Where a change stands: at the log up to the cut, at `done` of `of` seeds, at people who are evaluated."""

    stage: Stage
    done: int = 0
    of: int = 0


class Applying:
    """One change of a running house; a context manager. `named` is what its log names."""

    def __init__(self, folder: DataFolder) -> None:
        """Ask the house; raises StoreError if it does not run."""
        with ExitStack() as opened:
            self._log = opened.enter_context(closing(folder.log_reader()))
            self._front = opened.enter_context(closing(WireClient(folder.front_socket)))
            self._engine = opened.enter_context(closing(EngineClient(folder)))
            try:
                self.named = self._front.call(NAMED, None, Named)
            except WireError as error:
                raise StoreError(
                    "expected a house that runs, to change it, got no answer from its front; start it with "
                    "`livepost run` and apply then"
                ) from error
            self._open = opened.pop_all()

    def __enter__(self) -> Applying:
        """Return itself."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Drop the connections; what was begun stays begun."""
        self._open.close()

    def segments(self) -> dict[str, int]:
        """Return how many people are in each segment."""
        return {one.segment: one.people for one in patiently(self._engine.segments)}

    def carry_out(self, coming: Compiled, carried: dict[str, dict[str, str]]) -> Iterator[Progress]:
        """Do it all, step by step, until the coming project serves everybody.

        Raises StoreError if somebody else changes the house meanwhile, its log cannot be read, the history does not fit
        into memory, or a process does not answer for PATIENCE_S.
        """
        wish = Wish(coming=coming, serving=self.named.serving.hash(), carried=carried)
        self.named = patiently(lambda: self._front.call(CUT, wish, Named))
        if self.named.cut is not None and self.named.cut_at is not None:
            yield from self._give_history(self.named.cut, self.named.cut_at)
            run = self.named.cut.run
            self.named = patiently(lambda: self._front.call(READY, run, Named))
        yield Progress(stage="people")
        self._until(lambda status: status.complete_to >= self.named.ready_at)

    def _give_history(self, cut: Cut, cut_at: Position) -> Iterator[Progress]:
        """Send what the engine does not have yet."""
        features = diff(self.named.serving, cut.coming, Renames()).history
        if not features:
            return
        yield Progress(stage="reading")
        seeded = self._seeded(cut)
        with Seeds(blocks_of(self._log), cut.coming, features, cut_at) as seeds:
            of = seeds.count()
            yield Progress(stage="history", done=seeded, of=of)
            for seed in seeds.of(cut.run, after=seeded - 1):
                self._send(seed)
                yield Progress(stage="history", done=seed.number + 1, of=of)

    def _send(self, seed: Seed) -> None:
        """Return when the engine has folded a seed, and live records have had their turn."""
        at = patiently(lambda: self._front.call(SEED, seed, int))
        self._until(lambda status: status.position >= at)
        time.sleep(PAUSE_S)

    def _seeded(self, cut: Cut) -> int:
        """Return the number of the next seed, once the engine has folded all that are in the log."""
        last = self._log.last().seq
        self._until(lambda status: status.position >= last)
        known = patiently(self._engine.definitions)
        return known.seeded if known.cut is not None and known.cut.run == cut.run else 0

    def _until(self, holds: Callable[[Status], bool]) -> None:
        deadline = time.monotonic() + FOLD_S
        while not holds(patiently(self._engine.status)):
            if time.monotonic() > deadline:
                raise StoreError(
                    f"expected the engine to get to the change within {FOLD_S:g} s, it did not; `livepost apply` goes "
                    "on when less comes in"
                )
            time.sleep(LOOK_S)


def patiently(ask: Callable[[], T]) -> T:
    """Return an answer, though the process that gives it may be starting again just now."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            return ask()
        except WireError:
            if time.monotonic() > deadline:
                raise
        time.sleep(LOOK_S)
