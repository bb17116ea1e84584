"""Moves what is in the WAL to the file beside the writer, so that a commit need not wait for it.

In: a wish for a pass. Out: nothing; the writer's next commit begins the WAL anew if the pass came to its end. Promises:
one pass at a time; nothing is lost if a pass fails.
"""

from __future__ import annotations

import contextlib
import threading

import apsw


class Checkpointer:
    """Passes over the WAL in a thread, over a connection of their own, which it closes.

    The connection must have read the file: until then SQLite does not know that there is a WAL, and moves nothing.
    """

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._pass: threading.Thread | None = None

    def begin(self) -> None:
        """Begin a pass, unless one is under way."""
        if self._pass is None or not self._pass.is_alive():
            self._pass = threading.Thread(target=self._move, name="state-checkpoint", daemon=True)
            self._pass.start()

    def wait(self) -> None:
        """Wait for the end of the pass under way, if there is one."""
        if self._pass is not None:
            self._pass.join()

    def close(self) -> None:
        """Wait, and close the connection."""
        self.wait()
        self._connection.close()

    def _move(self) -> None:
        # What a failed pass did not move is as safe in the WAL; the writer finds out if the disk stays bad.
        with contextlib.suppress(apsw.Error):
            self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
