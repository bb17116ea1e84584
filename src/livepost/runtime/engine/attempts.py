"""Attempts at steps: each is noted before it runs, so that a record on which the engine fails is found and set aside.

In: where a step begins, how many records it takes, and how it ended. Out: how many records the next one may take, and
which record it leaves out. A step that failed is tried again with half of its records, down to the one that fails
alone; after that steps grow again. Promises: what an error sets aside depends on log and project only, however the log
is cut; a death of the whole process counts as a failed attempt, and one record alone has to cause ATTEMPTS_MAX of them.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path

ATTEMPTS_MAX = 3
"""So often a record that is tried alone may end the process before it is set aside: others kill processes too."""

_NOTE = struct.Struct("<qqq")


class Attempts:
    """The attempts of one engine; `at_most` is how many records the next step may take."""

    def __init__(self, records_max: int, file: Path | None = None) -> None:
        """Go on from what `file` tells of a process that died in a step; None keeps nothing beyond this process.

        The file is not fsynced: a process that dies leaves it whole, and after a power cut counting begins anew.
        """
        self.at_most = records_max
        self._records_max = records_max
        self._file = None if file is None else os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
        self._died = self._read()
        self._current = (-1, 0, 0)
        self._failed: dict[int, str] = {}

    def begin(self, after: int, records: int) -> dict[int, str]:
        """Note an attempt at the `records` behind seq `after`; return which to leave out, by seq, with the reason."""
        before = self._died[2] if self._died[:2] == (after, records) else 0
        self._current = (after, records, before + 1)
        if self._file is not None:
            os.pwrite(self._file, _NOTE.pack(*self._current), 0)
        if records == 1 and before >= ATTEMPTS_MAX:
            return {after + 1: _reason(f"it ended the engine's process {before} times")}
        return self._failed

    def resume(self, after: int) -> None:
        """Take smaller steps if a process died in the step behind seq `after`, where the engine goes on now."""
        at, records, _ = self._died
        if at == after and records > 0:
            self.at_most = max(records // 2, 1)

    def fail(self, error: Exception) -> None:
        """Take the failure of the attempt that began last: the next one takes less, or leaves the record out.

        Raises the error again where there is nothing to take less of: it is no record's fault.
        """
        after, records, _ = self._current
        if records == 0 or after + 1 in self._failed:
            raise error
        if records == 1:
            self._failed = {after + 1: _reason(f"{type(error).__name__} in the engine")}
        self.at_most = max(records // 2, 1)

    def succeed(self) -> None:
        """Let steps grow again: the attempt that began last is committed."""
        self._failed = {}
        self.at_most = min(2 * self.at_most, self._records_max)

    def close(self) -> None:
        """Release the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _read(self) -> tuple[int, int, int]:
        raw = b"" if self._file is None else os.pread(self._file, _NOTE.size, 0)
        return _NOTE.unpack(raw) if len(raw) == _NOTE.size else (-1, 0, 0)


def _reason(what: str) -> str:
    return f"handler error: {what}; mend what reads the event, then replay it"
