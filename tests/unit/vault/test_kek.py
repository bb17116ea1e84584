from __future__ import annotations

import base64
from pathlib import Path

import pytest

from livepost.errors import SettingsError
from livepost.vault.kek import make_kek_file, read_kek

KEK = bytes(range(32))


def test_a_made_file_is_for_its_owner_alone_and_reads_back(tmp_path: Path) -> None:
    path = tmp_path / "kek"
    made = make_kek_file(path)
    assert (len(made), path.stat().st_mode & 0o777) == (32, 0o600)
    assert read_kek(f"file:{path}") == made


def test_a_file_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "kek"
    made = make_kek_file(path)
    with pytest.raises(SettingsError, match="File exists"):
        make_kek_file(path)
    assert read_kek(f"file:{path}") == made


@pytest.mark.parametrize("content", [KEK, base64.b64encode(KEK), b" " + base64.b64encode(KEK) + b"\n"])
def test_a_file_holds_the_bytes_or_base64_of_them(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "kek").write_bytes(content)
    assert read_kek(f"file:{tmp_path / 'kek'}") == KEK


def test_a_variable_holds_base64(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVEPOST_TEST_KEK", base64.b64encode(KEK).decode())
    assert read_kek("env:LIVEPOST_TEST_KEK") == KEK


@pytest.mark.parametrize(
    ("told", "wrong"),
    [("not base64!", "got something else"), ("", "got 0 bytes"), (base64.b64encode(KEK[:31]).decode(), "got 31 bytes")],
)
def test_a_key_that_is_none_is_refused_without_being_told(
    monkeypatch: pytest.MonkeyPatch, told: str, wrong: str
) -> None:
    monkeypatch.setenv("LIVEPOST_TEST_KEK", told)
    with pytest.raises(SettingsError, match=wrong) as error:
        read_kek("env:LIVEPOST_TEST_KEK")
    assert not told or told not in str(error.value)


@pytest.mark.parametrize(
    ("reference", "wrong"),
    [
        ("env:LIVEPOST_NO_SUCH_KEK", "LIVEPOST_NO_SUCH_KEK, got none"),
        ("file:/no/such/kek", "No such file"),
        ("vault:x", "got scheme `vault`"),
    ],
)
def test_a_reference_to_nothing_says_so(reference: str, wrong: str) -> None:
    with pytest.raises(SettingsError, match=wrong):
        read_kek(reference)
