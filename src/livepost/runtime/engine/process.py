"""The engine's process: process and decide over the log; the only one that opens the state."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Awaitable
from functools import partial
from time import monotonic
from types import NoneType

import msgspec

from livepost.clock import WallClock
from livepost.errors import StoreError
from livepost.log.base import LogReader
from livepost.model.letter import Letter
from livepost.model.outbox import Urgent, UrgentAsked
from livepost.model.person import PersonView
from livepost.model.told import Due
from livepost.runtime.author.project import Project
from livepost.runtime.data.folder import DataFolder
from livepost.runtime.engine.attempts import Attempts
from livepost.runtime.engine.calling import Standing
from livepost.runtime.engine.recovery import OtherwiseError
from livepost.runtime.engine.snapshot import take_snapshot
from livepost.runtime.engine.sweep import pace_of
from livepost.runtime.engine.worker import STEP_RECORDS, Worker
from livepost.runtime.house.conduct import collect_seldom, stopped
from livepost.runtime.sockets.wire import Handler, WireClient, WireServer, watch
from livepost.state.base import DurableStateStore
from livepost.state.image import ImageError

IDLE_S = 1.0
"""How long the engine waits for the front's wake-up before it looks at the log all the same."""

GIVE_WAY_S = 0.02
"""How long people who settle let live records come first, with which they share a step."""

GIVE_WAY_URGENT_S = 0.05
"""How long a wave stands still at most for a transactional mail on its way, which has its processor meanwhile: until
the courier asks for the next one.
"""

PEOPLE_WAIT_S = 0.5
"""How long a question for people or a letter waits for the engine to get as far as it asks."""

TELL_AGAIN_S = 1.0
"""How often the front is told what it was told already: one that was started again has heard nothing."""


_people_asked = msgspec.msgpack.Decoder(tuple[list[bytes], int])


async def run_engine(folder: DataFolder, project: Project) -> None:
    """Work until told to stop. Raises StoreError if the state or the log cannot be opened."""
    collect_seldom()
    with contextlib.ExitStack() as open_:
        log = open_.enter_context(contextlib.closing(folder.log_reader()))
        store = open_.enter_context(contextlib.closing(folder.state()))
        attempts = open_.enter_context(contextlib.closing(Attempts(STEP_RECORDS, folder.attempts_file)))
        worker = open_.enter_context(contextlib.closing(_worker(folder, project, store, log, attempts)))
        await _Engine(folder, worker, store).run()


def _worker(
    folder: DataFolder, project: Project, store: DurableStateStore, log: LogReader, attempts: Attempts
) -> Worker:
    """Return the worker; a state that cannot be brought to its last commit is rebuilt, if the log is whole.

    Raises StoreError if it is not: people from before its beginning would be lost without a word.
    """
    make = partial(
        Worker,
        project.compiled,
        store,
        log,
        WallClock(),
        folder.settings.workspace,
        attempts=attempts,
        images=folder.images,
        pace=pace_of(folder.settings),
        row_bytes=folder.settings.rows_mb * 1_000_000,
    )
    try:
        return make()
    except (OtherwiseError, ImageError) as error:
        if log.first() > 0:
            raise
        print(f"livepost: {error}; it is being rebuilt", file=sys.stderr)  # noqa: T201
        store.reset()
        return make()


class _Engine:
    def __init__(self, folder: DataFolder, worker: Worker, store: DurableStateStore) -> None:
        self._folder = folder
        self._store = store
        self._worker = worker
        self._woken = asyncio.Event()
        self._stepped = asyncio.Condition()
        self._urgent: Standing[UrgentAsked, Urgent] = Standing(worker.urgent, self._woken.set)
        self._server = WireServer(folder.engine_socket, self._handlers())

    async def run(self) -> None:
        await self._server.start()
        tasks = [
            asyncio.create_task(watch(self._folder.front_socket, self._woken)),
            asyncio.create_task(self._tell_due()),
        ]
        try:
            await stopped(self._work())
        finally:
            for task in tasks:
                task.cancel()
            await self._server.close()
            # A state that takes nothing more loses nothing: the next start has a little to do again.
            with contextlib.suppress(StoreError):
                self._worker.settle()

    async def _work(self) -> None:
        """Step while there is something to do; between steps, questions are answered.

        The courier is woken by decisions only: a step without any would cost it a turn for nothing.
        """
        decided = self._worker.decided
        while True:
            while self._turn():
                self._urgent.look()
                async with self._stepped:
                    self._stepped.notify_all()
                if self._worker.decided > decided:
                    decided = self._worker.decided
                    self._server.changed()
                await self._give_way()
            await self._wait(IDLE_S)

    async def _give_way(self) -> None:
        """Let questions be answered, and whoever is in a hurry go first: live records, transactional mails."""
        await asyncio.sleep(0)
        if self._worker.settling:
            await self._wait(GIVE_WAY_S)
        elif self._urgent.attended():
            await self._wait(GIVE_WAY_URGENT_S)

    def _turn(self) -> bool:
        """Do one step; whoever wakes the engine from now on has something for the next one."""
        self._woken.clear()
        return self._worker.turn()

    async def _wait(self, seconds: float) -> None:
        """Return when there is something new in the log, after so long at the latest."""
        with contextlib.suppress(TimeoutError):  # `asyncio.wait_for` may lose a cancellation (Python 3.11)
            async with asyncio.timeout(seconds):
                await self._woken.wait()

    async def _tell_due(self) -> None:
        """Tell the front when time alone changes something next, so that it lets time pass."""
        front = WireClient(self._folder.front_socket)
        told: Due | None = None
        told_s = 0.0
        while True:
            due = Due(next_due=self._worker.next_due(), log_needed_after=self._worker.log_needed_after)
            if told is None or due.next_due != told.next_due or monotonic() - told_s >= TELL_AGAIN_S:
                with contextlib.suppress(StoreError):
                    await asyncio.to_thread(front.call, "due", due, NoneType)
                    told, told_s = due, monotonic()
            async with self._stepped:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(TELL_AGAIN_S):
                        await self._stepped.wait()

    def _handlers(self) -> dict[str, Handler]:
        worker = self._worker
        return {
            "decisions": lambda raw: worker.decisions(*msgspec.msgpack.decode(raw, type=tuple[int, int])),
            "urgent": lambda raw: self._urgent.ask(msgspec.msgpack.decode(raw, type=UrgentAsked)),
            "people": self._people,
            "everybody": lambda raw: worker.everybody(msgspec.msgpack.decode(raw, type=int)),
            "transitions": lambda raw: worker.transitions(
                *msgspec.msgpack.decode(raw, type=tuple[bytes | None, str | None, int])
            ),
            "segments": lambda raw: worker.segments(),
            "segment_history": lambda raw: worker.segment_history(msgspec.msgpack.decode(raw, type=int)),
            "under_way": lambda raw: worker.under_way(),
            "members": lambda raw: worker.members(*msgspec.msgpack.decode(raw, type=tuple[str, int, int])),
            "dead": lambda raw: worker.dead(*msgspec.msgpack.decode(raw, type=tuple[int, int])),
            "letter": self._letter,
            "served": lambda raw: worker.served(msgspec.msgpack.decode(raw, type=int)),
            "status": lambda raw: worker.status(),
            "definitions": lambda raw: worker.definitions,
            "apart": lambda raw: worker.apart(),
            "transitions_after": lambda raw: worker.transitions_after(
                *msgspec.msgpack.decode(raw, type=tuple[int, int])
            ),
            "snapshot": lambda raw: take_snapshot(self._folder, self._store).position,
            "wake": lambda raw: self._server.changed(),
        }

    def _people(self, raw: msgspec.Raw) -> dict[bytes, PersonView] | Awaitable[dict[bytes, PersonView]]:
        """Return persons: at once, unless the engine has to get somewhere first."""
        subjects, at_least = _people_asked.decode(raw)
        if self._worker.shard.position >= at_least:
            return self._worker.people(subjects, at_least)
        return self._people_later(subjects, at_least)

    async def _people_later(self, subjects: list[bytes], at_least: int) -> dict[bytes, PersonView]:
        await self._until(at_least)
        return self._worker.people(subjects, at_least)

    async def _letter(self, raw: msgspec.Raw) -> Letter | None:
        position, at_least = msgspec.msgpack.decode(raw, type=tuple[int, int])
        await self._until(at_least)
        return self._worker.letter(position, at_least)

    async def _until(self, at_least: int) -> None:
        """Wait until the engine is at a position or later, for a while."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PEOPLE_WAIT_S), self._stepped:
                await self._stepped.wait_for(lambda: self._worker.shard.position >= at_least)
