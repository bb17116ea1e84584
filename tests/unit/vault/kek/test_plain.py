from __future__ import annotations

import base64
from pathlib import Path

import pytest

from livepost.errors import SettingsError
from livepost.vault.kek.base import Kek
from livepost.vault.kek.plain import FileKeks, VariableKeks

KEK = bytes(range(32))
OLD = bytes(32)
NAME = "LIVEPOST_TEST_KEK"


def text(*keys: bytes) -> str:
    return " ".join(base64.b64encode(key).decode() for key in keys)


def test_a_made_file_is_for_its_owner_alone_and_reads_back(tmp_path: Path) -> None:
    store = FileKeks(tmp_path / "keys" / "kek")
    store.make()
    (kek,) = store.read()
    assert (len(kek.key), kek.retired, store.path.stat().st_mode & 0o777) == (32, False, 0o600)


def test_a_file_is_never_overwritten_by_a_first_key(tmp_path: Path) -> None:
    store = FileKeks(tmp_path / "kek")
    store.make()
    made = store.read()
    with pytest.raises(SettingsError, match="File exists"):
        store.make()
    assert store.read() == made


@pytest.mark.parametrize("content", [KEK, base64.b64encode(KEK), b" " + base64.b64encode(KEK) + b"\n"])
def test_a_file_holds_the_bytes_or_base64_of_them(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "kek").write_bytes(content)
    assert FileKeks(tmp_path / "kek").read() == [Kek(KEK)]


@pytest.mark.parametrize("content", [KEK, base64.b64encode(KEK)])
def test_a_new_key_comes_first_and_older_ones_are_retired_and_then_destroyed(tmp_path: Path, content: bytes) -> None:
    store = FileKeks(tmp_path / "kek")
    store.path.write_bytes(content)
    store.add()
    new, old = store.read()
    assert (old, new.key != KEK, len(new.key)) == (Kek(KEK), True, 32)
    assert store.destroy() == 0
    assert store.retire()
    assert store.read() == [new, Kek(KEK, retired=True)]
    assert store.path.stat().st_mode & 0o777 == 0o600
    assert (store.destroy(), store.read(), store.destroy()) == (1, [new], 0)
    assert base64.b64encode(KEK) not in store.path.read_bytes()


def test_a_change_that_was_cut_short_leaves_the_keys_as_they_were(tmp_path: Path) -> None:
    store = FileKeks(tmp_path / "kek")
    store.make()
    before = store.read()
    (tmp_path / "kek.new").write_bytes(b"half a ke")
    assert store.read() == before
    store.add()
    assert store.read()[1:] == before
    assert [path.name for path in tmp_path.iterdir()] == ["kek"]


def test_a_file_that_cannot_be_changed_says_what_to_do(tmp_path: Path) -> None:
    store = FileKeks(tmp_path / "kek")
    store.make()
    (tmp_path / "kek.new").mkdir()
    with pytest.raises(SettingsError, match="put a new key in its first line yourself"):
        store.add()


def test_a_variable_holds_base64_the_newest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, text(KEK, OLD))
    store = VariableKeks(NAME)
    assert store.read() == [Kek(KEK), Kek(OLD)]
    store.add()
    assert store.retire() is False
    with pytest.raises(SettingsError, match="take all but the first out"):
        store.destroy()
    monkeypatch.setenv(NAME, text(KEK))
    with pytest.raises(SettingsError, match="NEW and OLD in it"):
        store.add()
    assert (store.retire(), store.destroy()) == (True, 0)


@pytest.mark.parametrize(
    ("told", "wrong"),
    [("not+base64!", "got something else"), ("", "got 0 bytes"), (text(KEK[:31]), "got 31 bytes")],
)
def test_a_key_that_is_none_is_refused_without_being_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, told: str, wrong: str
) -> None:
    monkeypatch.setenv(NAME, told)
    (tmp_path / "kek").write_text(told)
    for store in (VariableKeks(NAME), FileKeks(tmp_path / "kek")):
        with pytest.raises(SettingsError, match=wrong) as error:
            store.read()
        assert not told or told not in str(error.value)


def test_more_words_in_a_line_are_refused(tmp_path: Path) -> None:
    (tmp_path / "kek").write_text(f"{text(KEK)} old\n")
    with pytest.raises(SettingsError, match="`retired` behind old ones"):
        FileKeks(tmp_path / "kek").read()


def test_a_reference_to_nothing_says_so() -> None:
    with pytest.raises(SettingsError, match="LIVEPOST_NO_SUCH_KEK, got none"):
        VariableKeks("LIVEPOST_NO_SUCH_KEK").read()
    with pytest.raises(SettingsError, match="No such file"):
        FileKeks(Path("/no/such/kek")).read()
