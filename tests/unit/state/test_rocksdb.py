"""What RocksDB does besides the contract: kills, damage, writes that fail."""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from livepost.errors import OutcomeUnknownError, StoreError
from livepost.state.rocksdb import RocksState
from livepost.testing.contracts.state import full_step, held, step
from tests.unit.state.test_sqlite import after

WRITER = textwrap.dedent(
    """
    import sys
    from pathlib import Path

    import msgspec

    from livepost.state.rocksdb import RocksState
    from livepost.testing.contracts.state import full_step, step


    class TornState(RocksState):
        '''Commits the rows, and then, in another batch, the rest.'''

        def commit(self, commit):
            super().commit(step(commit.position - 1, rows=commit.rows))
            super().commit(msgspec.structs.replace(commit, rows=[]))


    state = {"whole": RocksState, "torn": TornState}[sys.argv[2]](Path(sys.argv[1]))
    loaded = state.loaded()
    position = loaded.position if loaded else -1
    if position < 0:
        state.commit(step(-1))
    while True:
        position += 1
        state.commit(full_step(position))
        print(position, flush=True)
    """
)


def kill_after(acks: int, path: Path, body: str) -> int:
    """Start an engine's commits, SIGKILL it after it told of `acks` of them; return the last position it told of."""
    with subprocess.Popen([sys.executable, "-c", WRITER, str(path), body], stdout=subprocess.PIPE, text=True) as engine:
        assert engine.stdout
        lines = [engine.stdout.readline() for _ in range(acks)]
        engine.send_signal(signal.SIGKILL)
        lines += engine.stdout.readlines()
        return [int(line) for line in lines if line.endswith("\n")][-1]


def test_what_a_killed_engine_told_is_there_and_each_commit_whole(tmp_path: Path) -> None:
    told = [kill_after(acks, tmp_path / "state", "whole") for acks in (1, 200, 30)]
    assert told == sorted(set(told))
    with closing(RocksState(tmp_path / "state")) as state:
        found = held(state)
    assert found.loaded and found.loaded.position >= told[-1]
    assert found == after(found.loaded.position)


def test_with_rows_and_position_in_two_batches_the_same_kills_leave_a_torn_commit(tmp_path: Path) -> None:
    for number in range(32):
        kill_after(20 + number, tmp_path / f"{number}", "torn")
        with closing(RocksState(tmp_path / f"{number}")) as state:
            found = held(state)
        assert found.loaded
        if found != after(found.loaded.position):
            return
    raise AssertionError("no kill fell between the two batches")


@contextmanager
def files_of_at_most(length: int) -> Iterator[None]:
    """Let the kernel refuse to make files longer: a write fails as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (length, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)


def test_a_commit_that_fails_is_unknown_and_after_reopening_it_is_there_whole_or_not(tmp_path: Path) -> None:
    state = RocksState(tmp_path / "state")
    state.commit(full_step(0))
    with files_of_at_most(100_000):
        with pytest.raises(OutcomeUnknownError, match="close it, open it again"):
            state.commit(step(1, rows=[(1, bytes(200_000))]))
        with pytest.raises(StoreError, match="takes nothing more since a commit failed"):
            state.commit(full_step(2))
    state.close()
    with closing(RocksState(tmp_path / "state")) as state:
        assert held(state) == after(0)
        state.commit(full_step(1))
        assert held(state) == after(1)


def test_a_state_of_another_format_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("livepost.state.rocksdb.ROCKSDB_FORMAT", 9)
    RocksState(tmp_path / "state").close()
    monkeypatch.undo()
    with pytest.raises(StoreError, match="expected a state of format 2, got 9"):
        RocksState(tmp_path / "state")


def test_a_folder_that_holds_no_state_is_refused(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "CURRENT").write_text("MANIFEST-000001\n")
    with pytest.raises(StoreError, match="cannot be opened"):
        RocksState(tmp_path / "state")
