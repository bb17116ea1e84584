"""The mailbox of `keep:` for those who turn its pages while another process writes it.

In: a folder of kept mails. Out: their frames, the newest first, and the mails they hold. Promised: a file is read once
and, as it grows, from where it had ended; nothing is opened that nobody asked for.
"""

from __future__ import annotations

import re
import struct
import threading
from bisect import bisect_left
from collections.abc import Iterator
from pathlib import Path

import msgspec

from livepost.deliver.keep import HEAD_BYTES, Frame, KeptMail, Keys, files, opened, scan
from livepost.errors import RejectedError, StoreError
from livepost.ids import SUBJECT_BYTES

INDEXED_FILES = 16
"""Files whose frames are remembered (48 bytes a mail); the longest unused are forgotten first."""

_ROW = struct.Struct(">16s16sQQ")  # person, decision, time (ms), and in one number where the seal lies and its length
_SIZE_BITS = 24  # a seal has at most 4,001,024 bytes, a file 64 MB and a group
_PLACE = re.compile(r"(\d{8})-(\d{1,12})")


class Found(msgspec.Struct, frozen=True):
    """A kept mail, unopened: its file, and its row among those of the file. Rows are read when they are asked for."""

    path: Path
    rows: bytes
    number: int

    @property
    def person(self) -> bytes:
        """The subject that it was written to."""
        at = self.number * _ROW.size
        return self.rows[at : at + SUBJECT_BYTES]

    @property
    def frame(self) -> Frame:
        """Where it lies in its file, and whose it is."""
        return _frame(self.rows, self.number)

    @property
    def place(self) -> str:
        """Where it lies, for an address; later mails have a later place."""
        return f"{self.path.stem}-{self.frame.offset}"


class _Index(msgspec.Struct, frozen=True):
    """The frames of a file up to byte `end`, a row each."""

    rows: bytes = b""
    end: int = 0

    def __len__(self) -> int:
        return len(self.rows) // _ROW.size

    def before(self, offset: int) -> int:
        """Return how many frames lie before a byte."""
        return bisect_left(range(len(self)), offset, key=lambda number: _frame(self.rows, number).offset)


class Mailbox:
    """The reading half; for any thread. Every method raises StoreError if a file cannot be read."""

    def __init__(self, folder: Path, workspace: str, *, indexed_files: int = INDEXED_FILES) -> None:
        """Read nothing yet; the folder need not be there."""
        self._folder = folder
        self._workspace = workspace
        self._indexed_files = indexed_files
        self._indexes: dict[Path, _Index] = {}
        self._alone = threading.Lock()

    def newest_first(self, before: str | None = None) -> Iterator[Found]:
        """Yield what is kept, the newest first; only what lies before the place `before`, if one is given.

        Raises RejectedError for what is no place.
        """
        name, offset = _place(before) if before else ("", 0)
        for path in reversed(self._files()):
            if name and path.stem > name:
                continue
            index = self._index(path)
            count = index.before(offset) if path.stem == name else len(index)
            for number in range(count - 1, -1, -1):
                yield Found(path, index.rows, number)

    def find(self, decision: bytes) -> Found | None:
        """Return the mail of a decision, None if it is not kept."""
        for path in reversed(self._files()):
            index = self._index(path)
            at = index.rows.find(decision)
            while at >= 0:
                number, within = divmod(at, _ROW.size)
                if within == SUBJECT_BYTES:  # a decision stands behind the person
                    return Found(path, index.rows, number)
                at = index.rows.find(decision, at + 1)
        return None

    def open(self, found: Found, keys: Keys) -> KeptMail | None:
        """Return the mail; None if its person was forgotten."""
        try:
            return next(opened(found.path, [found.frame], keys, self._workspace), None)
        except OSError as error:
            raise self._unreadable(error) from error

    def _files(self) -> list[Path]:
        try:
            return files(self._folder)
        except OSError as error:
            raise self._unreadable(error) from error

    def _index(self, path: Path) -> _Index:
        """Return a file's frames as it is now."""
        with self._alone:
            try:
                index = _grown(path, self._indexes.pop(path, _Index()))
            except OSError as error:
                raise self._unreadable(error) from error
            self._indexes[path] = index  # the last one used stands last
            while len(self._indexes) > self._indexed_files:
                del self._indexes[next(iter(self._indexes))]
            return index

    def _unreadable(self, error: OSError) -> StoreError:
        return StoreError(f"the mailbox {self._folder} cannot be read: {error.strerror}")


def _grown(path: Path, known: _Index) -> _Index:
    """Return the index with what came since. The last frame known is looked at again: a writer whose disk was full
    takes back what it had begun, and another mail may lie there now.
    """
    if len(known):
        last = _frame(known.rows, len(known) - 1)
        frames, end = scan(path, last.offset - HEAD_BYTES)
        if frames[:1] == [last]:
            return known if len(frames) == 1 else _Index(known.rows + _rows(frames[1:]), end)
    frames, end = scan(path)
    return _Index(_rows(frames), end)


def _frame(rows: bytes, number: int) -> Frame:
    person, decision, at_ms, lies = _ROW.unpack_from(rows, number * _ROW.size)
    return Frame(person, decision, at_ms, lies >> _SIZE_BITS, lies & ((1 << _SIZE_BITS) - 1))


def _rows(frames: list[Frame]) -> bytes:
    return b"".join(
        _ROW.pack(one.person, one.decision, one.at_ms, one.offset << _SIZE_BITS | one.size) for one in frames
    )


def _place(text: str) -> tuple[str, int]:
    found = _PLACE.fullmatch(text)
    if found is None:
        raise RejectedError(
            f"expected a place in the mailbox such as 00000003-51200, got {text[:40]!r}; turn the pages by their links",
            code="place",
        )
    return found[1], int(found[2])
