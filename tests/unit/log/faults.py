"""A file system that fails when told to: an apsw VFS over the host's own."""

from __future__ import annotations

import apsw


class FaultyVFS(apsw.VFS):
    """While `fault` is set, raises it at each call of `at` (xWrite, xSync) on a file whose name ends with `file`."""

    def __init__(self, name: str, at: str, file: str = "-wal") -> None:
        self.fault: type[apsw.Error] | None = None
        self.name = name
        self.at = at
        self.file = file
        super().__init__(name, base="")

    def xOpen(self, name: object, flags: list[int]) -> FaultyFile:
        return FaultyFile(self, name, flags)

    def check(self, call: str, path: str) -> None:
        if self.fault and call == self.at and path.endswith(self.file):
            raise self.fault(f"{call} fails as told")

    def excepthook(self, *_: object) -> None:
        """Say nothing: the faults are on purpose."""


class FaultyFile(apsw.VFSFile):
    def __init__(self, vfs: FaultyVFS, name: object, flags: list[int]) -> None:
        self._vfs = vfs
        self._path = name.filename() if isinstance(name, apsw.URIFilename) else str(name)
        super().__init__("", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:
        self._vfs.check("xWrite", self._path)
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:
        self._vfs.check("xSync", self._path)
        super().xSync(flags)

    def excepthook(self, *_: object) -> None:
        """Say nothing: the faults are on purpose."""
