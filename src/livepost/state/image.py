"""Images: all people as one step left them, each in a file of its own beside the state.

In: people in pieces, bytes that only `runtime` reads. Out: the same, whole, or an error. Promises: an image that the
state names is fsynced, its name too; a file that was torn or has rotted is refused, never half read; writing waits for
no disk, a thread brings what was written there.

A file has a mark, then frames: length, CRC, piece. The first piece says what the image is of, the last frame has
nothing: all before it is there.
"""

from __future__ import annotations

import contextlib
import os
import struct
import zlib
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

from livepost.errors import StoreError
from livepost.state.hold import sync_folder

MARK = b"livepost image 2\n"
PIECE_BYTES_MAX = 1 << 30
"""What a frame may say it has: more is rot."""

_FRAME = struct.Struct("<II")


class ImageError(StoreError):
    """An image is not there, torn, or has rotted."""


class Images:
    """The images in a folder. One process writes them, and only one at a time."""

    def __init__(self, folder: Path) -> None:
        """Nothing is made or read yet."""
        self.folder = folder

    def begin(self, name: str, about: bytes) -> NewImage:
        """Begin an image, with what it is of; raises StoreError if the disk says no."""
        try:
            self.folder.mkdir(mode=0o700, exist_ok=True)
            return NewImage(self.folder / name, about)
        except OSError as error:
            raise _unwritten(self.folder / name, error) from error

    def about(self, name: str) -> bytes:
        """Return what an image is of; raises ImageError for a bad one."""
        with contextlib.closing(_frames(self.folder / name)) as frames:
            return next(frames)

    def pieces(self, name: str) -> Iterator[bytes]:
        """Go through an image's pieces, in order; raises ImageError for a bad one."""
        pieces = _frames(self.folder / name)
        next(pieces)
        return pieces

    def keep_only(self, name: str) -> None:
        """Remove all images but one; those that cannot be are there for the next time."""
        for path in self.folder.glob("*"):
            if path.name != name:
                path.unlink(missing_ok=True)

    def link(self, name: str, to: Path) -> None:
        """Make an image be in another folder of the same disk, too; raises StoreError if it cannot."""
        try:
            to.mkdir(mode=0o700, exist_ok=True)
            os.link(self.folder / name, to / name)
            sync_folder(to)
        except OSError as error:
            raise _unwritten(to / name, error) from error


class NewImage:
    """An image being written; let go of it if it is not to be finished, and call `close` in any case."""

    def __init__(self, path: Path, about: bytes) -> None:
        self._path = path
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        self._syncing = ThreadPoolExecutor(1, thread_name_prefix="state-image")
        self._waiting: list[Future[None]] = []
        self._put(MARK, _frame(about), about)

    @property
    def name(self) -> str:
        """The name under which it is read."""
        return self._path.name

    def write(self, piece: bytes) -> None:
        """Write a piece, which has something; raises StoreError if the disk says no."""
        self._put(_frame(piece), piece)

    def finish(self) -> None:
        """Say that all is written."""
        self._put(_frame(b""))
        self._waiting.append(self._syncing.submit(sync_folder, self._path.parent))
        self._waiting.append(self._syncing.submit(sync_folder, self._path.parent.parent))

    def synced(self, *, wait: bool = False) -> bool:
        """Return whether all that was written is fsynced; raises StoreError if it cannot be."""
        try:
            while self._waiting and (wait or self._waiting[0].done()):
                self._waiting[0].result()
                del self._waiting[0]
        except OSError as error:
            raise _unwritten(self._path, error) from error
        return not self._waiting

    def close(self) -> None:
        """Release the file."""
        self._syncing.shutdown(cancel_futures=True)
        os.close(self._file)

    def _put(self, *parts: bytes) -> None:
        try:
            for part in parts:
                left = memoryview(part)
                while left:
                    left = left[os.write(self._file, left) :]
        except OSError as error:
            raise _unwritten(self._path, error) from error
        self._waiting.append(self._syncing.submit(os.fdatasync, self._file))


def _frame(piece: bytes) -> bytes:
    return _FRAME.pack(len(piece), zlib.crc32(piece))


def _frames(path: Path) -> Generator[bytes]:
    """Go through the pieces of a whole image; raises ImageError where it is none."""
    try:
        with path.open("rb") as file:
            if file.read(len(MARK)) != MARK:
                raise _damaged(path, "it does not begin as an image does")
            while piece := _read_frame(path, file):
                yield piece
    except OSError as error:
        raise _damaged(path, str(error)) from error


def _read_frame(path: Path, file: BinaryIO) -> bytes:
    """Return the next piece, b"" at the end."""
    raw = file.read(_FRAME.size)
    if len(raw) < _FRAME.size:
        raise _damaged(path, "it ends too soon")
    length, crc = _FRAME.unpack(raw)
    if length > PIECE_BYTES_MAX:
        raise _damaged(path, f"a piece of {length} bytes")
    piece = file.read(length)
    if len(piece) < length or zlib.crc32(piece) != crc:
        raise _damaged(path, "a piece is torn or has rotted")
    return piece


def _damaged(path: Path, why: str) -> ImageError:
    return ImageError(
        f"expected a whole image of people in {path}, got {why}; put the state of a backup in its place, or move the "
        "state away and have it rebuilt from the log"
    )


def _unwritten(path: Path, error: OSError) -> StoreError:
    return StoreError(f"the image of people {path} could not be written: {error}; nothing of it counts, try again")
