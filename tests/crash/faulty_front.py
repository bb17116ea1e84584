"""A front on a disk that fails when told to: the file `fault` in the data folder says `CALL END-OF-NAME ERROR`.

CALL is xSync, xWrite, or xWriteHalf, which writes half of what it was given and then fails. It is run in place of
`livepost run front` by test_write_errors.py.
"""

from __future__ import annotations

from pathlib import Path

import apsw

from livepost.cli import front
from livepost.cli.workspace import folder_here

FAULT_FILE = "fault"
HOST = apsw.vfs_names()[0]


class FaultyVFS(apsw.VFS):
    """The host's file system, which fails while there is a fault file; every connection's from now on."""

    def __init__(self, told: Path) -> None:
        self._told = told
        super().__init__("faulty", base=HOST, makedefault=True)

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> FaultyFile:
        """Open a file that asks before each write."""
        return FaultyFile(self, name, flags)

    def check(self, call: str, path: str) -> None:
        """Raise the error that is told for this call on this file."""
        if self._told.exists():
            wanted, end, error = self._told.read_text().split()
            if call == wanted and path.endswith(end):
                raise getattr(apsw, error)(f"{call} fails as told")

    def excepthook(self, *_: object) -> bool:
        """Say nothing: the faults are on purpose."""
        return True


class FaultyFile(apsw.VFSFile):
    """A file that asks before each write, and can fail in the middle of one."""

    def __init__(self, vfs: FaultyVFS, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
        self._vfs = vfs
        self._path = name.filename() if isinstance(name, apsw.URIFilename) else str(name)
        super().__init__(HOST, name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:
        """Write all, nothing, or half of it."""
        self._vfs.check("xWrite", self._path)
        try:
            self._vfs.check("xWriteHalf", self._path)
        except apsw.Error:
            super().xWrite(data[: len(data) // 2], offset)
            raise
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:
        """Sync, or not."""
        self._vfs.check("xSync", self._path)
        super().xSync(flags)

    def excepthook(self, *_: object) -> bool:
        """Say nothing: the faults are on purpose."""
        return True


if __name__ == "__main__":
    folder = folder_here()
    vfs = FaultyVFS(folder.path / FAULT_FILE)
    front.main(folder)
