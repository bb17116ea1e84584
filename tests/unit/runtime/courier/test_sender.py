"""Which sender the settings name."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from livepost.deliver.keep import Keep
from livepost.deliver.smtp import SmtpSender
from livepost.errors import SettingsError
from livepost.runtime.courier.sender import check_sender, sender_of
from livepost.runtime.data.folder import DataFolder
from livepost.settings.load import load

SERVER = 'mail = "smtp://ada@mail.example.com"\nmail_password = "file:password"\n'


@pytest.mark.parametrize(("text", "body"), [("", Keep), (SERVER, SmtpSender)])
def test_the_setting_mail_chooses_the_sender(tmp_path: Path, text: str, body: type) -> None:
    (tmp_path / "livepost.toml").write_text(text)
    (tmp_path / "password").write_text("hunter2\n")
    folder = DataFolder(load(tmp_path, {}).settings)
    folder.prepare()
    with closing(folder.vault(readonly=True)) as vault, closing(sender_of(folder, vault)) as sender:
        assert isinstance(sender, body)


def test_a_password_that_is_not_there_is_said_before_anything_starts(tmp_path: Path) -> None:
    (tmp_path / "livepost.toml").write_text(SERVER)
    with pytest.raises(SettingsError, match=r"mail_password refers to .*password, which cannot be read"):
        check_sender(load(tmp_path, {}).settings)
