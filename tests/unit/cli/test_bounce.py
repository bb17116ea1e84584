"""`livepost bounce`: what it makes of a report, and what it says where it can make nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from livepost.cli.bounce import event_of
from livepost.deliver.token import Bounces
from livepost.ids import digest
from livepost.sources.report import Report
from tests.unit.cli.conftest import Command
from tests.unit.runtime.still import StillHouse
from tests.unit.sources.reports import dsn

BOUNCES = Bounces("bounces@shop.example", digest("workspace", size=32))
MAIL = digest("mail")


def test_a_report_is_of_the_mail_that_a_token_of_ours_names() -> None:
    addresses = ("bounces@shop.example", "bounces+abc@shop.example", BOUNCES.address(MAIL))
    event = event_of(Report(kind="bounced", hard=True, id="1", addresses=addresses), BOUNCES)
    assert (event.provider, event.kind, event.hard, event.decision, event.recipient) == (
        "smtp",
        "bounced",
        True,
        MAIL,
        "",
    )


def test_a_report_without_one_is_of_nobodys_mail_and_takes_no_others_place() -> None:
    other = Bounces("bounces@shop.example", digest("other", size=32))
    told = [Report(kind="bounced", id="1", addresses=(one.address(MAIL),)) for one in (other, BOUNCES)]
    forged, true = (event_of(report, BOUNCES) for report in told)
    assert (forged.decision, true.decision) == (None, MAIL)
    assert forged.event_id != true.event_id


def test_without_the_setting_it_says_what_to_set(livepost: Command, house: StillHouse) -> None:
    told = livepost("bounce")
    assert told.code == 1
    assert 'bounces = "bounces@shop.example"' in told.err


def test_while_no_house_runs_the_mail_server_is_to_try_again(
    livepost: Command, house: StillHouse, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LIVEPOST_BOUNCES", "bounces@shop.example")
    for name in ("new", "cur"):
        (tmp_path / "mails" / name).mkdir(parents=True)
    assert livepost("bounce", "--maildir", str(tmp_path / "mails")).code == 0

    (tmp_path / "mails" / "new" / "1").write_bytes(dsn())
    told = livepost("bounce", "--maildir", str(tmp_path / "mails"))
    assert (told.code, [path.name for path in (tmp_path / "mails" / "new").iterdir()]) == (75, ["1"])
    assert "livepost run" in told.err


def test_a_folder_that_is_no_maildir_is_refused(
    livepost: Command, house: StillHouse, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LIVEPOST_BOUNCES", "bounces@shop.example")
    told = livepost("bounce", "--maildir", str(tmp_path))
    assert told.code == 1 and "expected a Maildir" in told.err
