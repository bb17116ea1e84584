"""When each key was used last: an empty file a key, whose time of change is the time of use.

In: ids of keys as they are used. Out: times (ms). Promised: a key's use is noted once a minute at most and never waits
for a disk; several processes may note the same key; a use that cannot be noted is none the less allowed.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Collection
from pathlib import Path

from livepost.clock import MINUTE_MS


class KeyUses:
    """The last uses of a data folder's keys."""

    def __init__(self, folder: Path, now_ms: Callable[[], int]) -> None:
        self._folder = folder
        self._now_ms = now_ms
        self._next_ms: dict[str, int] = {}

    def note(self, id: str) -> None:
        """Note that a key is used now, unless it was noted within the last minute."""
        now_ms = self._now_ms()
        if now_ms < self._next_ms.get(id, 0):
            return
        minute_ms = now_ms - now_ms % MINUTE_MS
        self._next_ms[id] = minute_ms + MINUTE_MS
        with contextlib.suppress(OSError):  # a full disk keeps nobody out
            self._touch(self._folder / id, minute_ms)

    def last_ms(self, id: str) -> int | None:
        """Return the minute in which a key was used last, None if it never was."""
        try:
            return (self._folder / id).stat().st_mtime_ns // 1_000_000
        except OSError:
            return None

    def keep(self, ids: Collection[str]) -> None:
        """Forget the uses of all other keys."""
        with contextlib.suppress(OSError):
            for path in self._folder.iterdir():
                if path.name not in ids:
                    path.unlink(missing_ok=True)
        self._next_ms = {id: next_ms for id, next_ms in self._next_ms.items() if id in ids}

    def _touch(self, path: Path, at_ms: int) -> None:
        at_ns = at_ms * 1_000_000
        try:
            os.utime(path, ns=(at_ns, at_ns))
        except FileNotFoundError:
            self._folder.mkdir(parents=True, exist_ok=True)
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
            os.utime(path, ns=(at_ns, at_ns))
