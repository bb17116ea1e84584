"""The front's part in undoing a merge: the undo that was read from the log goes into it, if it is still true.

In: `Unlink`s over the front's socket. Out: UNLINK records, each alone in its block. Promised: none is written where one
of the person's records stands behind what was read, or another project serves by now.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from livepost.errors import StoreError
from livepost.intake.writer import Intake
from livepost.log.base import LogReader
from livepost.model.record import Kind, Origin, Record
from livepost.model.unlink import Unlink
from livepost.runtime.data.definitions import Named

UNLINK = "unlink"
"""What others ask the front for it: the argument is an `Unlink`, the answer its position, or None: read on before."""

TAIL_RECORDS = 5_000
"""Records behind what was read that are looked at: a few milliseconds, in which nothing is taken in."""

UNLINK_BYTES_MAX = 64 * 1024 * 1024
"""How long an undo may be; a person's history is kilobytes."""


class Undoing:
    """Undos of one log; for the event loop of its writer."""

    def __init__(self, intake: Intake, log: Callable[[], LogReader], named: Callable[[], Named]) -> None:
        """`log` is asked each time, for it may have been opened anew; `named` is what it names by now."""
        self._intake = intake
        self._log = log
        self._named = named

    def handle(self, raw: msgspec.Raw) -> int | None:
        """Write an undo down; return its position, or None where the log has to be read further before.

        Raises StoreError for one that is too long, of another project, or asked for while the project changes.
        """
        if len(memoryview(raw)) > UNLINK_BYTES_MAX:
            raise StoreError(
                f"expected the history of two people in at most {UNLINK_BYTES_MAX} bytes, got {len(memoryview(raw))}; "
                "they stay one person"
            )
        unlink = msgspec.msgpack.decode(raw, type=Unlink)
        self._require_same(unlink)
        if not self._is_read(unlink):
            return None
        control = msgspec.to_builtins(unlink, builtin_types=(bytes,))
        return self._intake.append([Record(kind=Kind.UNLINK, origin=Origin.BACKFILL, control=control)]).last

    def _require_same(self, unlink: Unlink) -> None:
        named = self._named()
        if named.cut is not None or named.serving.hash() != unlink.project:
            raise StoreError(
                "expected the project that serves to stay while a merge is undone, it changes or has changed; undo it "
                "again once `livepost apply` is through"
            )

    def _is_read(self, unlink: Unlink) -> bool:
        """Say whether nothing of the person stands behind what was read."""
        log = self._log()
        last = log.last().seq
        if last - unlink.upto > TAIL_RECORDS:
            return False
        if last <= unlink.upto:
            return True
        subjects = [subject for part in unlink.parts for subject in part.ids]
        found = log.records_of(subjects, last + 1, last - unlink.upto)
        return all(record.seq <= unlink.upto for record in found.records)
