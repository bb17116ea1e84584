from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from livepost.model.feedback import Feedback
from livepost.settings.settings import keys
from tests.unit.cli.conftest import Command
from tests.unit.runtime.still import StillHouse


def test_every_setting_is_told_with_where_it_came_from(
    livepost: Command, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIVEPOST_PORT", "8400")
    told = {row["key"]: row for row in livepost("doctor", "--json").json()}
    assert list(told) == list(keys())
    assert (told["port"]["value"], told["port"]["origin"]) == ("8400", "LIVEPOST_PORT")
    assert told["shop_name"]["origin"].startswith("livepost.toml:")
    assert told["host"]["origin"] == "default"


def test_people_get_a_table(livepost: Command, project: Path) -> None:
    told = livepost("doctor")
    assert told.code == 0
    assert "8300" in told.out and "default" in told.out


def test_a_secret_is_not_shown(livepost: Command, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_KEK", "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA==")
    monkeypatch.setenv("LIVEPOST_KEK", "env:SHOP_KEK")
    told = livepost("doctor", "--json")
    assert "env:SHOP_KEK" in told.out
    assert "c2VjcmV0" not in told.out


def test_a_mail_password_that_is_not_there_is_said_below_the_table_with_exit_code_1(
    livepost: Command, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIVEPOST_MAIL", "smtp://ada@mail.example.com")
    monkeypatch.setenv("LIVEPOST_MAIL_PASSWORD", "env:SHOP_SMTP")
    told = livepost("doctor")
    assert told.code == 1
    assert "smtp://ada@mail.example.com" in told.out and "env:SHOP_SMTP" in told.out
    assert "mail_password refers to the variable SHOP_SMTP" in told.err
    monkeypatch.setenv("SHOP_SMTP", "hunter2")
    told = livepost("doctor")
    assert told.code == 0
    assert "hunter2" not in told.out


@pytest.mark.parametrize("command", ["doctor", "check", "run"])
def test_an_address_that_cannot_be_right_is_said_in_a_sentence(
    livepost: Command, project: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("LIVEPOST_MAIL", "smtp://mail.example.com?tls=none")
    told = livepost(command)
    assert told.code == 1
    assert "mail (LIVEPOST_MAIL) would send mails in clear over the network to mail.example.com" in told.err


@pytest.mark.parametrize("command", ["check", "run"])
def test_a_cafile_that_is_not_there_stops_the_check_and_the_start(
    livepost: Command, project: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("LIVEPOST_MAIL", "smtp://mail.example.com?cafile=ca.pem")
    told = livepost(command)
    assert told.code == 1
    assert f"mail names the cafile {project / 'ca.pem'}" in told.out + told.err
    assert not (project / "data").exists()


def test_the_complaint_rate_of_a_workspace_that_mails_is_told(livepost: Command, house: StillHouse) -> None:
    assert "0 complaints about 1 marketing mails in 7 days (0.000 %)" in livepost("doctor").out
    assert "complaints" not in livepost("doctor", "--json").out


@pytest.mark.parametrize("command", ["doctor", "check", "run"])
def test_a_secret_of_mail_events_that_is_not_there_is_said(livepost: Command, project: Path, command: str) -> None:
    with (project / "livepost.toml").open("a") as file:
        file.write('\n[[mail_events]]\nprovider = "postmark"\nsecret = "env:NOT_THERE"\n')
    told = livepost(command)
    assert told.code == 1
    assert "the secret of the mail_events of postmark refers to the variable NOT_THERE" in told.err + told.out


def test_what_providers_told_is_counted_and_what_is_of_no_mail_here(livepost: Command, house: StillHouse) -> None:
    assert "told of mails" not in livepost("doctor").out
    with closing(house.folder.ledger()) as ledger:
        [mail] = ledger.deliveries()
        told = Feedback(key=b"1" * 16, provider="resend", outcome="soft_bounced", at=1, decision=mail.decision.id)
        ledger.hear([told, replace(told, key=b"2" * 16, decision=b"?" * 16)], 1)
    assert "resend told of mails: 1 soft bounced, 1 of no mail that is known here" in livepost("doctor").out
