"""A disk that fails at a write or a sync of any of the four stores: after that the same again is folded once.

An error at a write is no promise that nothing was written. Whoever gets one closes the stores, opens them again and
repeats what was asked; the end is that of a life without errors.
"""

from __future__ import annotations

import random
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from livepost.errors import OutcomeUnknownError, StoreError
from livepost.ledger.base import LEASE_MS
from tests.conservation import vanished_between
from tests.crash.counter import Counter, moments_of
from tests.crash.recording import HOST
from tests.crash.test_commits import END_MS, End, end_of, subjects_of

MOMENTS = 8
CALLS = 6
ERRORS_AT_MOST = 3
CALLS_OF_DISK = ("xWrite", "half a write", "xSync")
STORES = ("vault.db-wal", "0.db-wal", "state.db-wal", "ledger.db-wal")
ERRORS: tuple[type[apsw.Error], ...] = (apsw.FullError, apsw.IOError)
LIFE = moments_of("errors", MOMENTS, CALLS)


class Failing(apsw.VFS):
    """The host's file system, of which the calls at these places among all of their kind fail, on files named so."""

    def __init__(self, call: str, end: str, error: type[apsw.Error], places: frozenset[int]) -> None:
        self.name = f"failing-{id(self)}"
        self.calls = 0
        self.failed = 0
        self._call, self._end, self._error, self._places = call, end, error, places
        super().__init__(self.name, base=HOST)

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> _File:
        """Open a file that may fail."""
        return _File(self, name, flags)

    def fails(self, call: str, path: str) -> apsw.Error | None:
        """Return the error that this call is to raise."""
        if not path.endswith(self._end) or call != self._call:
            return None
        self.calls += 1
        if self.calls not in self._places:
            return None
        self.failed += 1
        return self._error(f"{call} fails as told")

    def excepthook(self, *_: object) -> bool:
        """Say nothing: the faults are on purpose."""
        return True


class _File(apsw.VFSFile):
    def __init__(self, vfs: Failing, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
        self._vfs = vfs
        self._path = name.filename() if isinstance(name, apsw.URIFilename) else str(name)
        super().__init__(HOST, name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:
        error = self._vfs.fails("xWrite", self._path)
        if error is not None:
            raise error
        half = self._vfs.fails("half a write", self._path)
        super().xWrite(data if half is None else data[: len(data) // 2], offset)
        if half is not None:
            raise half

    def xSync(self, flags: int) -> None:
        error = self._vfs.fails("xSync", self._path)
        if error is not None:
            raise error
        super().xSync(flags)

    def excepthook(self, *_: object) -> bool:
        """Say nothing: the faults are on purpose."""
        return True


def lived(folder: Path, vfs: Failing | None, *, repeats: bool = True) -> tuple[End, int]:
    """Live, opening everything again after each error and repeating the moment; return the end, and how many errors
    there were.
    """
    folder.mkdir()
    # Made on a well disk: a house that cannot be made tells so and is made again.
    counter = Counter(folder, new_id=subjects_of(folder))
    counter.close()
    name = None if vfs is None else vfs.name
    errors = 0
    while True:
        mails, moment, later_ms = counter.mailbox.mails, counter.moment, errors * LEASE_MS
        try:
            new_id = subjects_of(folder)
            counter = Counter(folder, vfs=name, mails=mails, moment=moment, new_id=new_id, later_ms=later_ms)
            counter.live(LIFE)
            break
        except (StoreError, OutcomeUnknownError):
            errors += 1
            counter.fall_over()
            counter.moment += not repeats
    with closing(counter):
        counter.pass_time(END_MS)
        assert vanished_between(counter.log, counter.state) == ""
        return end_of(counter), errors


@pytest.fixture(scope="module")
def wanted(tmp_path_factory: pytest.TempPathFactory) -> End:
    return lived(tmp_path_factory.mktemp("well") / "house", None)[0]


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("call", CALLS_OF_DISK)
@pytest.mark.parametrize("store", STORES)
def test_after_an_error_of_any_store_the_same_again_comes_to_the_same_end(
    store: str, call: str, error: type[apsw.Error], wanted: End, tmp_path: Path
) -> None:
    dice = random.Random(f"{store} {call} {error}")
    vfs = Failing(call, store, error, frozenset(dice.sample(range(2, 10), ERRORS_AT_MOST)))
    found, errors = lived(tmp_path / "house", vfs)
    assert vfs.failed > 0
    assert errors > 0
    assert found.trouble(wanted) == []


def test_clients_that_do_not_ask_again_would_be_found(wanted: End, tmp_path: Path) -> None:
    """The negative control: what was refused is lost, and the end is another."""
    vfs = Failing("xWrite", "0.db-wal", apsw.IOError, frozenset((6, 9)))
    found, errors = lived(tmp_path / "house", vfs, repeats=False)
    assert errors > 0
    assert found.trouble(wanted) != []
