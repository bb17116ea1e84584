"""`keep:`: mails kept on disk instead of sent, each sealed under its person's key.

In: mails. Out: receipts; kept mails, opened, for those who hold the vault. Promised: `sent` means fsynced, a
group of mails by one fsync; nothing readable is on disk without the vault; a torn tail is cut off at the next
start.

A file is a row of frames: length of the seal, person, decision, time (ms), CRC-32 of these and the seal, the
seal. The seal holds the mail's bytes, compressed.
"""

from __future__ import annotations

import contextlib
import os
import struct
import zlib
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Protocol

import msgspec
import zstandard

from livepost.clock import DAY_MS, Clock, WallClock
from livepost.errors import SealError, StoreError
from livepost.model.message import Message, Receipt
from livepost.vault.base import SubjectKeys, seal_context

ROLL_BYTES = 64_000_000
"""A file ends with the group that reaches this size, and with the UTC day: retention drops whole files."""

MAX_BYTES = 4_000_000_000
"""All kept mails together; above it, mails are refused for now (`temporary`)."""

MAX_MAIL_BYTES = 4_000_000
"""One mail, opened."""

MAX_READ = 1_000
"""Mails one `read` gives."""

_HEAD = struct.Struct(">I16s16sqI")
_COVERED = _HEAD.size - 4  # the CRC covers the head before itself
HEAD_BYTES = _HEAD.size
"""What lies before a frame's seal."""

_PROVIDER = "keep"


class Keys(Protocol):
    """The vault's part that seals and opens."""

    def keys(self, subject: bytes) -> SubjectKeys:
        """Return a subject's keys; raise SealError if it was forgotten."""
        ...


class KeptMail(msgspec.Struct, frozen=True, kw_only=True):
    """A mail as it would have been sent; `at_ms` is the host's time of keeping it."""

    decision: bytes
    person: bytes
    at_ms: int
    raw: bytes


class Frame(msgspec.Struct, frozen=True):
    """A kept mail, unopened, and where it lies: `offset` is that of the seal, `size` its length."""

    person: bytes
    decision: bytes
    at_ms: int
    offset: int
    size: int


class Keep:
    """The writing half; one per data folder."""

    def __init__(
        self,
        folder: Path,
        keys: Keys,
        workspace: str,
        clock: Clock | None = None,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        """Open or make the mailbox; cut off what a crash left half written. Raises StoreError if that cannot
        be.
        """
        self._folder = folder
        self._keys = keys
        self._workspace = workspace
        self._clock = clock or WallClock()
        self._max_bytes = max_bytes
        self._squeeze = zstandard.ZstdCompressor(level=1)
        self._kept: set[bytes] = set()
        self._broken = ""
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._load()
        except OSError as error:
            raise StoreError(f"the mailbox {folder} cannot be opened: {error.strerror}") from error

    def send(self, messages: Sequence[Message]) -> list[Receipt]:
        """Keep the mails with one fsync; return a receipt for each."""
        if self._broken:
            return [self._receipt("temporary", self._broken)] * len(messages)
        at_ms = self._clock.now_ms()
        frames: list[bytes] = []
        receipts = [self._frame(message, at_ms, frames) for message in messages]
        trouble = self._write(b"".join(frames), at_ms // DAY_MS) if frames else None
        if trouble is None:
            self._kept.update(m.decision for m, r in zip(messages, receipts, strict=True) if r.state == "sent")
            return receipts
        return [trouble if receipt.state == "sent" else receipt for receipt in receipts]

    def lookup(self, decisions: Sequence[bytes]) -> list[Receipt]:
        """Return `sent` for kept mails, `failed` for others: what is not in the mailbox was never kept."""
        return [
            self._receipt("sent", "") if decision in self._kept else self._receipt("failed", "never kept")
            for decision in decisions
        ]

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _held(self) -> int:
        """Return how many bytes the files have together."""
        held = 0
        for path in files(self._folder):
            with contextlib.suppress(FileNotFoundError):  # dropped just now
                held += path.stat().st_size
        return held

    def _load(self) -> None:
        paths = files(self._folder)
        self._bytes = self._held()
        for path in paths:
            frames, end = scan(path)
            self._kept.update(frame.decision for frame in frames)
            if end < path.stat().st_size:
                self._bytes -= path.stat().st_size - end
                os.truncate(path, end)
        self._number = int(paths[-1].stem) + 1 if paths else 0
        self._day = _day_of(paths[-1]) if paths else None
        self._file = self._open(paths[-1]) if paths else self._next_file()

    def _frame(self, message: Message, at_ms: int, frames: list[bytes]) -> Receipt:
        """Add the mail's frame; return the receipt it has once these are on disk."""
        if message.decision in self._kept:
            return self._receipt("sent", "kept before")
        if len(message.raw) > MAX_MAIL_BYTES:
            return self._receipt("failed", f"expected at most {MAX_MAIL_BYTES} bytes, got {len(message.raw)}")
        try:
            context = _context(self._workspace, message.person, message.decision)
            seal = self._keys.keys(message.person).seal(self._squeeze.compress(message.raw), context)
        except SealError:
            return self._receipt("failed", "the person was erased")
        head = _HEAD.pack(len(seal), message.person, message.decision, at_ms, 0)[:_COVERED]
        frames.append(head + zlib.crc32(seal, zlib.crc32(head)).to_bytes(4, "big") + seal)
        return self._receipt("sent", "", at_ms)

    def _write(self, group: bytes, day: int) -> Receipt | None:
        """Append and fsync; return None, or the receipt that says why not. A day begins a file."""
        if self._bytes + len(group) > self._max_bytes:
            self._bytes = self._held()  # retention drops files
        if self._bytes + len(group) > self._max_bytes:
            return self._receipt("temporary", f"the mailbox is full ({self._max_bytes} bytes); remove old files")
        if self._size >= ROLL_BYTES or self._day not in (None, day):
            self._file.close()
            self._file = self._next_file()
            self._bytes = self._held()
        self._day = day
        try:
            self._file.write(group)
            self._file.flush()
        except OSError as error:
            return self._take_back(error)
        try:
            os.fdatasync(self._file.fileno())
        except OSError as error:  # it may be on disk or not: nobody can know
            self._broken = "the mailbox failed at fsync; start again"
            return self._receipt("unknown", f"fsync failed: {error.strerror}")
        self._size += len(group)
        self._bytes += len(group)
        return None

    def _take_back(self, error: OSError) -> Receipt:
        """Nothing was promised yet: cut off what was written of the group."""
        try:
            os.ftruncate(self._file.fileno(), self._size)
            self._file.close()
            self._file = self._open(Path(self._file.name))
        except OSError:
            self._broken = "the mailbox cannot be written; start again"
        return self._receipt("temporary", f"the mailbox cannot be written: {error.strerror}")

    def _next_file(self) -> BinaryIO:
        path = self._folder / f"{self._number:08d}.mails"
        self._number += 1
        file = self._open(path)
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)  # else a power cut may take the file's name with it
        finally:
            os.close(folder)
        return file

    def _open(self, path: Path) -> BinaryIO:
        file = path.open("ab")
        os.chmod(path, 0o600)
        self._size = path.stat().st_size
        return file

    def _receipt(self, state: str, text: str, at_ms: int = 0) -> Receipt:
        return msgspec.convert(
            {"state": state, "text": text, "provider": _PROVIDER, "at_ms": at_ms or self._clock.now_ms()}, Receipt
        )


def each(folder: Path, keys: Keys, workspace: str) -> Iterator[KeptMail]:
    """Yield every kept mail, opened, oldest first; those of forgotten persons are left out."""
    for path in files(folder):
        yield from opened(path, scan(path)[0], keys, workspace)


def each_of(folder: Path, keys: Keys, workspace: str, persons: Collection[bytes]) -> Iterator[KeptMail]:
    """Yield every kept mail that was written to some subjects, opened, oldest first."""
    wanted = frozenset(persons)
    for path in files(folder):
        yield from opened(path, [frame for frame in scan(path)[0] if frame.person in wanted], keys, workspace)


def read(
    folder: Path,
    keys: Keys,
    workspace: str,
    *,
    person: bytes | None = None,
    decision: bytes | None = None,
    limit: int = 100,
) -> list[KeptMail]:
    """Return kept mails, opened, newest first, at most MAX_READ; those of forgotten persons are left out.

    Any process that holds the vault may call it while another writes. Raises StoreError if a file cannot be
    read.
    """
    if limit < 1:
        raise ValueError(f"expected a limit of at least 1 mail, got {limit}")
    mails: list[KeptMail] = []
    try:
        for path in reversed(files(folder)):
            frames, _ = scan(path)
            wanted = [f for f in reversed(frames) if _is_wanted(f, person, decision)]
            for mail in opened(path, wanted, keys, workspace):
                mails.append(mail)
                if len(mails) >= min(limit, MAX_READ):
                    return mails
    except OSError as error:
        raise StoreError(f"the mailbox {folder} cannot be read: {error.strerror}") from error
    return mails


def files(folder: Path) -> list[Path]:
    """Return the mailbox's files, the oldest first."""
    return sorted(folder.glob("*.mails"))


def scan(path: Path, at: int = 0) -> tuple[list[Frame], int]:
    """Return the whole frames of a file from byte `at`, and where they end: what follows is torn."""
    frames: list[Frame] = []
    with path.open("rb") as file:
        file.seek(at)
        while head := file.read(_HEAD.size):
            frame = _whole(file, head, at + _HEAD.size)
            if frame is None:
                break
            frames.append(frame)
            at = frame.offset + frame.size
    return frames, at


def opened(path: Path, frames: Sequence[Frame], keys: Keys, workspace: str) -> Iterator[KeptMail]:
    """Yield the mails of a file's frames; those of forgotten persons are left out."""
    squeeze = zstandard.ZstdDecompressor()
    with path.open("rb") as file:
        for frame in frames:
            file.seek(frame.offset)
            seal = file.read(frame.size)
            with contextlib.suppress(SealError):
                context = _context(workspace, frame.person, frame.decision)
                plain = keys.keys(frame.person).open(seal, context)
                raw = squeeze.decompress(plain, max_output_size=MAX_MAIL_BYTES)
                yield KeptMail(decision=frame.decision, person=frame.person, at_ms=frame.at_ms, raw=raw)


def aged_files(folder: Path, before_ms: int) -> list[tuple[Path, int, int]]:
    """Return the files in which all is older than a time (host ms), never the newest: how many mails, and the time of
    the oldest.
    """
    found = []
    for path in files(folder)[:-1]:
        frames, _ = scan(path)
        if all(frame.at_ms < before_ms for frame in frames):
            found.append((path, len(frames), min((frame.at_ms for frame in frames), default=0)))
    return found


def _day_of(path: Path) -> int | None:
    """Return the day (since 1970) of a file's first mail; None for an empty one."""
    with path.open("rb") as file:
        head = file.read(_HEAD.size)
    return _HEAD.unpack(head)[3] // DAY_MS if len(head) == _HEAD.size else None


def _is_wanted(frame: Frame, person: bytes | None, decision: bytes | None) -> bool:
    return person in (None, frame.person) and decision in (None, frame.decision)


def _whole(file: BinaryIO, head: bytes, offset: int) -> Frame | None:
    if len(head) < _HEAD.size:
        return None
    size, person, decision, at_ms, crc = _HEAD.unpack(head)
    if size > MAX_MAIL_BYTES + 1024:
        return None
    seal = file.read(size)
    if len(seal) < size or zlib.crc32(seal, zlib.crc32(head[:_COVERED])) != crc:
        return None
    return Frame(person, decision, at_ms, offset, size)


def _context(workspace: str, person: bytes, decision: bytes) -> bytes:
    return seal_context(workspace, _PROVIDER, person, decision.hex(), "mail")
