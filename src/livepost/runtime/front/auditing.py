"""The front's audit: deeds of many requests in one commit, and a signed head every few seconds.

In: deeds. Out: entries, heads. Promised: `note` returns once the entry is durable; deeds of one and the same kind that
wait together are one entry.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import msgspec

from livepost.audit.deed import Deed
from livepost.audit.entry import Entry
from livepost.audit.head import Head
from livepost.clock import Clock, WallClock
from livepost.errors import StoreError
from livepost.runtime.data.audits import Audits

HEAD_EVERY_S = 10.0
"""How long the newest entries stand without a head that vouches for them, at most."""

PEOPLE_AN_ENTRY = 1_000


class Auditing:
    """Writes down what the front's API and console do; for one event loop."""

    def __init__(self, audits: Audits, clock: Clock | None = None) -> None:
        """Take the workspace's audit; `clock` is the host's."""
        self._audits = audits
        self._clock = clock or WallClock()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="audit")
        self._waiting: list[tuple[str, Deed, asyncio.Future[None]]] = []
        self._writing = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    async def note(self, by: str, deed: Deed) -> None:
        """Return once the audit has the deed, durably; raise StoreError if it has not."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((by, deed, done))
        async with self._writing:  # whoever comes next writes for all that wait by then, and also if they leave
            if not done.done():
                self._task = asyncio.create_task(self._write())
                await asyncio.shield(self._task)
        await done

    async def keep_heads(self) -> None:
        """Keep a head whenever entries were added, every HEAD_EVERY_S; what fails is said once, and tried again."""
        failed = False
        while True:
            try:
                await self._keep_head()
                failed = False
            except StoreError as error:
                if not failed:
                    print(f"livepost: {error}; it is tried again", file=sys.stderr)  # noqa: T201
                failed = True
            await asyncio.sleep(HEAD_EVERY_S)

    def close(self) -> None:
        """Keep a last head, and release the file."""
        with contextlib.suppress(StoreError):
            self._thread.submit(self._audits.keep_head, self._clock.now_ms()).result()
        self._thread.submit(self._audits.close).result()
        self._thread.shutdown()

    async def _write(self) -> None:
        noted, self._waiting = self._waiting, []
        entries = entries_of([(by, deed) for by, deed, _ in noted], self._clock.now_ms())
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._thread, self._audits.append, entries)
        except StoreError as error:
            for _, _, done in noted:
                _fail(done, error)
        else:
            for _, _, done in noted:
                if not done.done():
                    done.set_result(None)

    async def _keep_head(self) -> Head | None:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._audits.keep_head, self._clock.now_ms())


def entries_of(deeds: Sequence[tuple[str, Deed]], now_ms: int) -> list[Entry]:
    """Return an entry for all deeds of one kind by one, in the order they came."""
    together: dict[tuple[str, str, str], dict[bytes, None]] = {}
    for by, deed in deeds:
        together.setdefault((by, deed.did, deed.about), {}).update(dict.fromkeys(deed.people))
    entries: list[Entry] = []
    for (by, did, about), people in together.items():
        one = Entry(at=now_ms, by=by, did=did, about=about)
        parts = list(people)
        for first in range(0, max(len(parts), 1), PEOPLE_AN_ENTRY):
            entries.append(msgspec.structs.replace(one, subjects=tuple(parts[first : first + PEOPLE_AN_ENTRY])))
    return entries


def _fail(done: asyncio.Future[None], error: StoreError) -> None:
    if not done.done():
        done.set_exception(error)
