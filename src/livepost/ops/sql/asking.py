"""The process of queries from outside: started with masked tables, asked, ended when it takes too long.

Promised: it is given nothing but tables that are masked; it inherits no variable and no file; whoever asks gets an
answer within `seconds`, or is told that there is none.
"""

from __future__ import annotations

import os
import select
import subprocess
import sys
from time import monotonic

import msgspec

from livepost.errors import RejectedError, StoreError
from livepost.ops.sql.query import MAX_CHARS
from livepost.ops.sql.rows import Snapshot
from livepost.ops.sql.worker import Given, Question, Result, write

MEMORY_MB = 512
SECONDS_MAX = 10.0
STARTING_S = 30.0
ROWS_MAX = 10_000
FRAME_BYTES_MAX = 200_000_000
"""Of an answer as it comes: the process bounds its rows far below, and one row may be large."""


class SqlProcess:
    """One process over one snapshot; for one thread at a time."""

    def __init__(self, snapshot: Snapshot, memory_mb: int = MEMORY_MB) -> None:
        """Start it and hand it the tables; raise StoreError if it does not take them."""
        self.snapshot = snapshot
        self._process = subprocess.Popen(
            [sys.executable, "-m", "livepost.ops.sql.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"PYTHONPATH": os.pathsep.join(sys.path)},
            cwd="/",
        )
        try:
            self._send(Given(snapshot.tables, memory_mb))
            self._ask(Question("SELECT 1", 1), STARTING_S)
        except BaseException:
            self.close()
            raise

    @property
    def lives(self) -> bool:
        """Whether it can be asked."""
        return self._process.poll() is None

    def ask(self, query: str, *, rows: int = ROWS_MAX, seconds: float = SECONDS_MAX) -> Result:
        """Return the answer, `rows` of it at most; raise RejectedError for what is no query, takes longer than
        `seconds`, or more memory than it may: the process has ended then.
        """
        if len(query) > MAX_CHARS:
            raise RejectedError(f"expected a query of at most {MAX_CHARS} characters, got more", code="sql")
        result = self._ask(Question(query, min(rows, ROWS_MAX)), seconds)
        if result.wrong:
            raise RejectedError(result.wrong, code="sql")
        return result

    def close(self) -> None:
        """End it."""
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:  # what was under way to it is lost, and may be
                    continue
        self._process.wait()

    def _ask(self, question: Question, seconds: float) -> Result:
        until = monotonic() + seconds
        self._send(question)
        try:
            size = int.from_bytes(self._read(4, until), "big")
            if size > FRAME_BYTES_MAX:
                self.close()
                raise RejectedError("the answer is too large; ask for less", code="sql")
            return msgspec.msgpack.decode(self._read(size, until), type=Result)
        except TimeoutError:
            self.close()
            raise RejectedError(
                f"the query took longer than {seconds:g} s and was stopped; ask for less", code="sql"
            ) from None
        except EOFError:
            self.close()
            raise RejectedError("the query took more memory than it may; ask for less", code="sql") from None

    def _send(self, told: msgspec.Struct) -> None:
        assert self._process.stdin is not None
        try:
            write(self._process.stdin, told)  # type: ignore[arg-type]
        except OSError as error:
            raise StoreError(f"the process of queries does not answer ({error}); ask again") from error

    def _read(self, count: int, until: float) -> bytes:
        assert self._process.stdout is not None
        descriptor, parts = self._process.stdout.fileno(), bytearray()
        while len(parts) < count:
            ready, _, _ = select.select([descriptor], [], [], max(until - monotonic(), 0))
            if not ready:
                raise TimeoutError
            part = os.read(descriptor, min(count - len(parts), 1 << 20))
            if not part:
                raise EOFError
            parts += part
        return bytes(parts)
