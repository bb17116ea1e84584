"""Which sender the settings name."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from livepost.deliver.esp.sender import EspSender
from livepost.deliver.keep import Keep
from livepost.deliver.smtp import SmtpSender
from livepost.errors import SettingsError
from livepost.ledger.routing import Pace, Routing, SenderRule, WarmUp
from livepost.runtime.courier.routing import routing_of
from livepost.runtime.courier.sender import check_sender, senders_of
from livepost.runtime.data.folder import DataFolder
from livepost.settings.load import load

PROVIDER = 'mail = "postmark:"\nmail_password = "file:password"\n'
SEVERAL = """
[[senders]]
name = "own"
mail = "smtp://ada@mail.example.com"
mail_password = "file:password"
pace = "100 per 1s"
[[senders]]
name = "spare"
mail = "postmark:"
mail_password = "file:password"
warm_up = "50 on 2026-12-01, x2 a day until 1000"
[domain_pace]
"gmail.com" = "20 per 1s"
"*" = "600 per 1m"
"""
SERVER = 'mail = "smtp://ada@mail.example.com"\nmail_password = "file:password"\n'


@pytest.mark.parametrize(("text", "body"), [("", Keep), (SERVER, SmtpSender), (PROVIDER, EspSender)])
def test_the_setting_mail_chooses_the_sender(tmp_path: Path, text: str, body: type) -> None:
    (tmp_path / "livepost.toml").write_text(text)
    (tmp_path / "password").write_text("hunter2\n")
    folder = DataFolder(load(tmp_path, {}).settings)
    folder.prepare()
    with closing(folder.vault(readonly=True)) as vault, closing(senders_of(folder, vault)) as senders:
        assert (list(senders), type(senders.first)) == (["mail"], body)


def test_a_password_that_is_not_there_is_said_before_anything_starts(tmp_path: Path) -> None:
    (tmp_path / "livepost.toml").write_text(SERVER)
    with pytest.raises(SettingsError, match=r"mail_password refers to .*password, which cannot be read"):
        check_sender(load(tmp_path, {}).settings)


def test_a_key_that_is_not_there_is_said_too(tmp_path: Path) -> None:
    (tmp_path / "livepost.toml").write_text(PROVIDER)
    with pytest.raises(SettingsError, match=r"mail_password refers to .*password, which cannot be read"):
        check_sender(load(tmp_path, {}).settings)


def test_a_missing_extra_is_answered_with_the_line_to_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "livepost.toml").write_text(PROVIDER)
    (tmp_path / "password").write_text("key\n")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(
        SettingsError, match=r"mail names postmark, which needs an extra; say pip install 'livepost\[esp\]'"
    ):
        check_sender(load(tmp_path, {}).settings)


def test_nobody_imports_the_extra_who_does_not_send_through_a_provider() -> None:
    """The core starts fast, and without the extra: the courier's own module does not bring it either."""
    code = (
        "import sys, livepost.runtime.courier.process, livepost.cli.run; "
        "print('django' in sys.modules, 'requests' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False", "False"]


def test_several_senders_are_opened_in_order_and_told_to_the_ledger(tmp_path: Path) -> None:
    (tmp_path / "livepost.toml").write_text(SEVERAL)
    (tmp_path / "password").write_text("hunter2\n")
    folder = DataFolder(load(tmp_path, {}).settings)
    folder.prepare()
    with closing(folder.vault(readonly=True)) as vault, closing(senders_of(folder, vault)) as senders:
        assert [(name, type(sender)) for name, sender in senders.items()] == [("own", SmtpSender), ("spare", EspSender)]
    warm = WarmUp(begins=date(2026, 12, 1), first=50, factor=2, until=1_000)
    assert routing_of(folder.settings) == Routing(
        senders=(SenderRule(name="own", pace=Pace(100, 1_000)), SenderRule(name="spare", warm_up=warm)),
        domains={"gmail.com": Pace(20, 1_000), "*": Pace(600, 60_000)},
    )


def test_a_password_of_one_of_several_senders_is_looked_for_too(tmp_path: Path) -> None:
    (tmp_path / "livepost.toml").write_text(SEVERAL)
    with pytest.raises(SettingsError, match=r"mail_password refers to .*password, which cannot be read"):
        check_sender(load(tmp_path, {}).settings)
