from pathlib import Path

from livepost.clock import MINUTE_MS
from livepost.runtime.data.key_uses import KeyUses

NOW_MS = 1_795_296_720_000
"""The beginning of a minute."""


class Told:
    """The time, and how often the file of a key was written."""

    def __init__(self, folder: Path) -> None:
        self.now_ms = NOW_MS
        self.uses = KeyUses(folder, lambda: self.now_ms)


def test_a_use_is_noted_once_a_minute(tmp_path: Path) -> None:
    told = Told(tmp_path / "used")
    told.uses.note("a")
    (tmp_path / "used" / "a").unlink()
    told.now_ms += MINUTE_MS - 1
    told.uses.note("a")
    assert told.uses.last_ms("a") is None
    told.now_ms += 1
    told.uses.note("a")
    assert told.uses.last_ms("a") == NOW_MS + MINUTE_MS


def test_a_key_that_was_never_used_has_no_time(tmp_path: Path) -> None:
    assert KeyUses(tmp_path / "used", lambda: NOW_MS).last_ms("a") is None


def test_where_nothing_can_be_written_keys_work_on(tmp_path: Path) -> None:
    (tmp_path / "used").write_text("a file where the folder should be")
    told = Told(tmp_path / "used")
    told.uses.note("a")
    assert told.uses.last_ms("a") is None


def test_uses_of_keys_that_are_gone_are_forgotten(tmp_path: Path) -> None:
    told = Told(tmp_path / "used")
    told.uses.note("a")
    told.uses.note("b")
    told.uses.keep({"b"})
    assert (told.uses.last_ms("a"), told.uses.last_ms("b")) == (None, NOW_MS)
