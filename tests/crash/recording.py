"""A disk that remembers: every write, truncation, sync, new name and removal below a folder, in order; and what a power
cut may leave of it at any moment.

In: stores opened over the VFS. Out: images, which are folders. What counts as sure is what POSIX says: bytes after the
sync of their file, names after the sync of their folder (SQLite syncs it with the first sync of a WAL). All else may be
there or not: each unsynced write for itself, in any order among writes and files, and by sectors of 512 bytes. Two
things are taken as given, as SQLite takes them: a sector is written whole or not at all and its neighbours stay as they
are, and the names of a folder change in order, as in a journal of the file system.
"""

from __future__ import annotations

import contextlib
import os
import random
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

import apsw

HOST = apsw.vfs_names()[0]
SECTOR_BYTES = 512

Left: TypeAlias = Literal["synced", "written", "drawn"]
"""What a cut leaves of what was not synced: nothing, everything (a kill), or what the dice say."""


@dataclass(frozen=True)
class Named:
    """A name in a folder stands for a file, or for none any more (None)."""

    path: str
    file: int | None


@dataclass(frozen=True)
class Wrote:
    """Bytes at an offset of a file."""

    file: int
    offset: int
    data: bytes


@dataclass(frozen=True)
class Truncated:
    """A file has this length."""

    file: int
    size: int


@dataclass(frozen=True)
class Synced:
    """All of a file so far is on the disk."""

    file: int
    path: str


@dataclass(frozen=True)
class Unheard:
    """A sync that a deaf disk said it had done."""

    file: int
    path: str


@dataclass(frozen=True)
class NamesSynced:
    """All names of a folder so far are on the disk."""

    folder: str


@dataclass(frozen=True)
class Said:
    """Something that the house told the world: from now on it must hold."""

    what: Any


Happening: TypeAlias = Named | Wrote | Truncated | Synced | Unheard | NamesSynced | Said


class Recording(apsw.VFS):
    """The host's file system below `root`, remembered. `deaf` names ends of file names whose syncs do nothing."""

    def __init__(self, root: Path, *, deaf: tuple[str, ...] = ()) -> None:
        self.happened: list[Happening] = []
        self.name = f"recording-{id(self)}"
        self._root = str(root)
        self._deaf = deaf
        self._files: dict[str, int] = {}
        self._next = 0
        super().__init__(self.name, base=HOST)

    def say(self, what: Any) -> None:
        """Note what the house told the world."""
        self.happened.append(Said(what))

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Hear of the folders that Livepost itself syncs, meanwhile."""
        fsync = os.fsync
        vars(os)["fsync"] = self._heard(fsync)
        try:
            yield
        finally:
            vars(os)["fsync"] = fsync

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> _File:
        """Open a file that notes what is done to it."""
        file = _File(self, name, flags)
        if name is not None:
            self._know(file.path)
        return file

    def xDelete(self, name: str, sync_folder: bool) -> None:
        """Remove a file, and note it."""
        super().xDelete(name, sync_folder)
        self._forget(name)
        if sync_folder:
            self.happened.append(NamesSynced(os.path.dirname(name)))

    def note(self, path: str, happening: Callable[[int], Happening]) -> None:
        """Note what happened to a file."""
        self.happened.append(happening(self._know(path)))

    def is_deaf(self, path: str) -> bool:
        """Say whether syncs of this file do nothing."""
        return path.endswith(self._deaf) if self._deaf else False

    def _know(self, path: str) -> int:
        if path not in self._files:
            self._files[path] = self._next
            self._next += 1
            self.happened.append(Named(path, self._files[path]))
        return self._files[path]

    def _forget(self, path: str) -> None:
        if self._files.pop(path, None) is not None:
            self.happened.append(Named(path, None))

    def _heard(self, fsync: Callable[[int], None]) -> Callable[[int], None]:
        def heard(descriptor: int) -> None:
            fsync(descriptor)
            if stat.S_ISDIR(os.fstat(descriptor).st_mode):
                self._names_synced(os.readlink(f"/proc/self/fd/{descriptor}"))

        return heard

    def _names_synced(self, folder: str) -> None:
        """Note the names that came and went without the VFS, and that all are sure now."""
        if not folder.startswith(self._root):
            return
        there = {entry.path for entry in os.scandir(folder)}
        for path in sorted(there):
            self._know(path)
        for path in [path for path in self._files if os.path.dirname(path) == folder and path not in there]:
            self._forget(path)
        self.happened.append(NamesSynced(folder))


class _File(apsw.VFSFile):
    def __init__(self, recording: Recording, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
        self.path = name.filename() if isinstance(name, apsw.URIFilename) else str(name)
        self._recording = recording
        self._named = name is not None
        self._syncs_folder = bool(flags[0] & apsw.SQLITE_OPEN_WAL)
        super().__init__(HOST, name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:
        super().xWrite(data, offset)
        if self._named:
            self._recording.note(self.path, lambda file: Wrote(file, offset, bytes(data)))

    def xTruncate(self, newsize: int) -> None:
        super().xTruncate(newsize)
        if self._named:
            self._recording.note(self.path, lambda file: Truncated(file, newsize))

    def xSync(self, flags: int) -> None:
        super().xSync(flags)
        if not self._named:
            return
        if self._recording.is_deaf(self.path):
            self._recording.note(self.path, lambda file: Unheard(file, self.path))
            return
        self._recording.note(self.path, lambda file: Synced(file, self.path))
        if self._syncs_folder:
            self._syncs_folder = False
            self._recording.happened.append(NamesSynced(os.path.dirname(self.path)))


class Fleeting(apsw.VFS):
    """The host's file system without syncs, for folders that are thrown away."""

    def __init__(self) -> None:
        self.name = f"fleeting-{id(self)}"
        super().__init__(self.name, base=HOST)

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> _FleetingFile:
        """Open a file whose syncs do nothing."""
        return _FleetingFile(HOST, name, flags)


class _FleetingFile(apsw.VFSFile):
    def xSync(self, flags: int) -> None:
        pass


@dataclass
class _Content:
    sure: bytearray = field(default_factory=bytearray)
    pending: list[Wrote | Truncated] = field(default_factory=list)


class Disk:
    """The disk after the first of a recording's happenings; goes forward only."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._files: dict[int, _Content] = {}
        self._names: dict[str, int] = {}
        self._pending: dict[str, list[Named]] = {}

    def take(self, happening: Happening) -> None:
        """Go one happening further."""
        match happening:
            case Named(path=path):
                self._pending.setdefault(os.path.dirname(path), []).append(happening)
            case NamesSynced(folder=folder):
                for named in self._pending.pop(folder, ()):
                    _rename(self._names, named)
            case Wrote(file=file) | Truncated(file=file):
                self._files.setdefault(file, _Content()).pending.append(happening)
            case Synced(file=file):
                content = self._files.setdefault(file, _Content())
                for change in content.pending:
                    _apply(content.sure, change)
                content.pending.clear()

    def image(self, to: Path, left: Left, dice: random.Random) -> None:
        """Make a folder of what a cut leaves now; what SQLite keeps in memory (-shm) and locks are not among it."""
        names = dict(self._names)
        for pending in self._pending.values():
            for named in _beginning(pending, left, dice):
                _rename(names, named)
        to.mkdir(parents=True)
        for path in sorted(names, key=len):
            if self._is_reachable(path, names) and not path.endswith(("-shm", ".lock")):
                self._put(to / Path(path).relative_to(self._root), names[path], left, dice)

    def _put(self, at: Path, file: int, left: Left, dice: random.Random) -> None:
        if (self._root / at.name).is_dir():
            at.mkdir()
            return
        content = self._files.get(file, _Content())
        made = bytearray(content.sure)
        for change in content.pending:
            _leave(made, change, left, dice)
        at.write_bytes(made)

    def _is_reachable(self, path: str, names: dict[str, int]) -> bool:
        folder = os.path.dirname(path)
        return folder == str(self._root) or folder in names


def _rename(names: dict[str, int], named: Named) -> None:
    if named.file is None:
        names.pop(named.path, None)
    else:
        names[named.path] = named.file


def _beginning(pending: list[Named], left: Left, dice: random.Random) -> list[Named]:
    if left == "drawn":
        return pending[: dice.randint(0, len(pending))]
    return pending if left == "written" else []


def _leave(content: bytearray, change: Wrote | Truncated, left: Left, dice: random.Random) -> None:
    """Apply all, nothing, or a part of an unsynced change."""
    fate = dice.choice(("there", "gone", "torn")) if left == "drawn" else left
    if fate in ("there", "written") or (fate == "torn" and isinstance(change, Truncated)):
        _apply(content, change)
    elif fate == "torn" and isinstance(change, Wrote):
        for sector in _sectors(change):
            if dice.random() < 0.5:
                _apply(content, sector)


def _sectors(change: Wrote) -> Iterator[Wrote]:
    """Go through a write in parts that lie in a sector each."""
    begin = 0
    while begin < len(change.data):
        end = begin + SECTOR_BYTES - (change.offset + begin) % SECTOR_BYTES
        yield Wrote(change.file, change.offset + begin, change.data[begin:end])
        begin = end


def _apply(content: bytearray, change: Wrote | Truncated) -> None:
    size = change.size if isinstance(change, Truncated) else change.offset + len(change.data)
    if len(content) < size:
        content.extend(bytes(size - len(content)))
    if isinstance(change, Truncated):
        del content[size:]
    else:
        content[change.offset : size] = change.data
