"""Senders and paces: what is refused, and that the words for it help."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from livepost.errors import SettingsError
from livepost.settings.load import load
from livepost.settings.sender import read_pace, read_warm_up

SERVER = 'name = "own"\nmail = "smtp://mail.example.com"'


def loaded(folder: Path, text: str) -> None:
    (folder / "livepost.toml").write_text(text)
    load(folder, {})


def test_paths_of_senders_are_those_of_the_project(tmp_path: Path) -> None:
    (tmp_path / "livepost.toml").write_text(
        '[[senders]]\nname = "own"\nmail = "smtp://ada@mail.example.com?cafile=ca.pem"\nmail_password = "file:password"'
    )
    [table] = load(tmp_path, {}).settings.senders
    assert table.mail == f"smtp://ada@mail.example.com?cafile={tmp_path}/ca.pem"
    assert table.mail_password == f"file:{tmp_path}/password"
    assert str(table) == "own"


@pytest.mark.parametrize("text", ["1 per 1s", "1000000 per 24h", "7 per 90m"])
def test_a_pace_has_a_number_and_a_time(text: str) -> None:
    times, per_ms = read_pace(text, "here")
    assert (times > 0, per_ms > 0) == (True, True)


@pytest.mark.parametrize(
    "text", ["0 per 1s", "1 per 0s", "1/s", "1 per 25h", "1 per 1w", "", "-1 per 1s", "1 per 1s\n"]
)
def test_what_is_no_pace_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="expected a pace like"):
        read_pace(text, "here")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("50 a day", "expected a warm_up like"),
        ("50 on 2026-02-30, x2 a day until 100", "which is no day"),
        ("50 on 2026-12-01, x1 a day until 100", "has to grow"),
        ("500 on 2026-12-01, x2 a day until 100", "has to grow"),
    ],
)
def test_what_is_no_warm_up_is_refused(text: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        read_warm_up(text, "here")


def test_a_warm_up_may_grow_slowly() -> None:
    assert read_warm_up("50 on 2026-12-01, x1.25 a day until 100", "") == (date(2026, 12, 1), 50, 1.25, 100)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"[[senders]]\n{SERVER}\n[[senders]]\n{SERVER}", "has own twice"),
        (f'mail = "keep:"\n[[senders]]\n{SERVER}', "senders .* and mail are both said"),
        ('[[senders]]\nname = "own"\nmail = "keep:"', "begins with keep:, expected smtp:"),
        ('[[senders]]\nname = "own"\nmail = "smtp://ada@mail.example.com"', "there is no mail_password"),
        ('[[senders]]\nname = "own"\nmail = "postmark:"', "there is no key"),
        ('[[senders]]\nname = "own"\nmail = "postmark:"\nmail_password = "abc"', "mail_password"),
        (f'[[senders]]\n{SERVER}\npace = "fast"', "expected a pace like"),
        (f'[[senders]]\n{SERVER}\nwarm_up = "slow"', "expected a warm_up like"),
        ('[[senders]]\nname = "Own One"\nmail = "smtp://mail.example.com"', "does not fit"),
        ('[domain_pace]\n"GMail.com" = "1 per 1s"', "expected a domain in small letters"),
        ('[domain_pace]\n"gmail.com" = "fast"', "expected a pace like"),
    ],
)
def test_what_cannot_be_right_is_refused_with_where_it_is(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words) as caught:
        loaded(tmp_path, text)
    assert "livepost.toml" in str(caught.value)
    assert "abc" not in str(caught.value)
