"""Secrets are named, never written."""

from pathlib import Path

import pytest

from livepost.errors import SettingsError
from livepost.settings.secret import MAX_SECRET_BYTES, check_reference, read_secret


def test_a_secret_written_out_is_refused_and_not_repeated() -> None:
    with pytest.raises(SettingsError, match="write env:NAME or file:PATH") as refused:
        check_reference("kek", "hunter2", "livepost.toml:1")
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("text", ["env:", "file:", ""])
def test_a_reference_to_nothing_is_refused(text: str) -> None:
    with pytest.raises(SettingsError):
        check_reference("kek", text, "default")


@pytest.mark.parametrize("text", ["env:SHOP_KEY", "file:./data/keys/kek"])
def test_a_reference_is_taken(text: str) -> None:
    check_reference("kek", text, "default")


def test_a_secret_is_read_from_its_variable_or_file_without_the_newline_at_its_end(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("hunter2\n")
    assert read_secret("mail_password", f"file:{tmp_path / 'password'}", {}) == "hunter2"
    assert read_secret("mail_password", "env:PASSWORD", {"PASSWORD": "pässword 2"}) == "pässword 2"


@pytest.mark.parametrize("environ", [{}, {"PASSWORD": ""}, {"PASSWORD": "hunter\n2"}])
def test_a_variable_without_one_line_of_text_is_refused_by_its_name(environ: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="mail_password refers to the variable PASSWORD") as refused:
        read_secret("mail_password", "env:PASSWORD", environ)
    assert "hunter" not in str(refused.value)


def test_a_file_that_is_not_there_or_not_text_is_refused_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"password, which cannot be read: No such file"):
        read_secret("mail_password", f"file:{tmp_path / 'password'}", {})
    (tmp_path / "password").write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match="not UTF-8"):
        read_secret("mail_password", f"file:{tmp_path / 'password'}", {})


def test_a_file_at_the_bound_is_a_secret_and_one_byte_more_is_not(tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.write_text("x" * MAX_SECRET_BYTES)
    assert len(read_secret("mail_password", f"file:{path}", {})) == MAX_SECRET_BYTES
    path.write_text("x" * (MAX_SECRET_BYTES + 1))
    with pytest.raises(SettingsError, match="name another file"):
        read_secret("mail_password", f"file:{path}", {})
