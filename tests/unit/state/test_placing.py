import os
from pathlib import Path

import pytest

from livepost.errors import HeldError, StoreError
from livepost.state.hold import held
from livepost.state.placing import copy, remove, settle, take_place

NEW = {"state.db": "new", "state.db.images/people-2": "new people"}


def written(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def read(folder: Path) -> dict[str, str]:
    """Return what a data folder has of a state."""
    found = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock")
    return {str(path.relative_to(folder)): path.read_text() for path in found}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with an old state, its WAL and images, and a new one beside it."""
    old = {"state.db": "old", "state.db-wal": "wal", "state.db-shm": "shm", "state.db.images/people-1": "old people"}
    written(tmp_path / "replay", {**NEW, "begun.json": "{}"})
    return written(tmp_path, old)


def test_the_new_state_takes_the_place_of_the_old_one_and_nothing_is_left_of_that(data: Path) -> None:
    take_place(data / "replay", data / "state.db")
    assert read(data) == NEW
    assert not (data / "replay").exists()


def test_a_state_that_is_a_folder_is_moved_as_one(tmp_path: Path) -> None:
    written(tmp_path, {"state.rocksdb/CURRENT": "old", "state.rocksdb/LOG": "old"})
    written(tmp_path / "replay", {"state.rocksdb/CURRENT": "new"})
    take_place(tmp_path / "replay", tmp_path / "state.rocksdb")
    assert read(tmp_path) == {"state.rocksdb/CURRENT": "new"}


def test_a_state_that_is_open_keeps_its_place(data: Path) -> None:
    before = read(data)
    lock = held(data / "state.db")
    with pytest.raises(HeldError):
        take_place(data / "replay", data / "state.db")
    os.close(lock)
    assert read(data) == before


def test_without_a_word_that_it_is_whole_nothing_beside_is_touched(data: Path) -> None:
    before = read(data)
    settle(data / "replay", data / "state.db")
    assert read(data) == before


@pytest.mark.parametrize("dies_at", range(8))
def test_killed_at_any_step_it_is_ended_by_whoever_opens_the_state_next(
    data: Path, dies_at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each unlink and rename is a step; the process that dies does none after the one at which it dies."""
    steps = 0

    class Killed(BaseException):
        pass

    def dying(real: object) -> object:
        def act(*args: object, **kwargs: object) -> object:
            nonlocal steps
            steps += 1
            if steps > dies_at:
                raise Killed
            return real(*args, **kwargs)  # type: ignore[operator]

        return act

    with monkeypatch.context() as patched:
        for name in ("rename", "unlink"):
            patched.setattr(Path, name, dying(getattr(Path, name)))
        try:
            take_place(data / "replay", data / "state.db")
        except Killed:
            assert steps == dies_at + 1
    settle(data / "replay", data / "state.db")
    assert read(data) == NEW
    assert not (data / "replay").exists()


def test_a_disk_that_says_no_is_told_and_the_next_opening_goes_on(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", full)
        with pytest.raises(StoreError, match="could not take the place"):
            take_place(data / "replay", data / "state.db")
    settle(data / "replay", data / "state.db")
    assert read(data) == NEW


def test_a_copy_has_all_of_a_state_and_a_removed_one_is_gone(data: Path, tmp_path: Path) -> None:
    (tmp_path / "copy").mkdir()
    copy(data / "state.db", tmp_path / "copy")
    assert read(tmp_path / "copy")["state.db.images/people-1"] == "old people"
    remove(data / "state.db")
    assert not (data / "state.db").exists() and not (data / "state.db.images").exists()
