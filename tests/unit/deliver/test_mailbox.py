"""The mailbox, read while it is written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from livepost.clock import SimulatedClock
from livepost.deliver import keep, mailbox
from livepost.deliver.keep import Keep
from livepost.deliver.mailbox import Mailbox
from livepost.errors import RejectedError, StoreError
from livepost.ids import digest
from livepost.vault.memory import MemoryVault
from tests.unit.deliver.test_keep import START_MS, message, someone


def _kept(folder: Path, vault: MemoryVault, *numbers: int) -> None:
    writer = Keep(folder, vault, "shop", SimulatedClock(START_MS))
    ada = someone(vault)
    for number in numbers:
        writer.send([message(number, ada)])
    writer.close()


def _decisions(read: Mailbox, before: str | None = None) -> list[bytes]:
    return [found.frame.decision for found in read.newest_first(before)]


def _mails(*numbers: int) -> list[bytes]:
    return [digest("mail", number) for number in numbers]


def test_mails_come_newest_first_over_all_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keep, "ROLL_BYTES", 1)
    _kept(tmp_path, MemoryVault(), 1, 2, 3)
    assert len(list(tmp_path.iterdir())) == 3
    assert _decisions(Mailbox(tmp_path, "shop")) == _mails(3, 2, 1)


def test_a_mailbox_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert _decisions(Mailbox(tmp_path / "none", "shop")) == []
    assert Mailbox(tmp_path / "none", "shop").find(digest("mail", 1)) is None


@pytest.mark.parametrize("roll", [1, 64_000_000], ids=["a file a mail", "one file"])
def test_a_page_goes_on_before_the_place_of_the_last_mail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, roll: int
) -> None:
    monkeypatch.setattr(keep, "ROLL_BYTES", roll)
    vault = MemoryVault()
    _kept(tmp_path, vault, 1, 2, 3)
    read = Mailbox(tmp_path, "shop")
    places = [found.place for found in read.newest_first()]
    _kept(tmp_path, vault, 4)  # what comes meanwhile moves nothing
    assert [_decisions(read, place) for place in places] == [_mails(2, 1), _mails(1), []]


@pytest.mark.parametrize("place", ["x", "1-2", "00000000-", "../../etc-1", "00000000-9999999999999"])
def test_what_is_no_place_is_refused(tmp_path: Path, place: str) -> None:
    with pytest.raises(RejectedError, match="expected a place in the mailbox"):
        _decisions(Mailbox(tmp_path, "shop"), place)


def test_what_came_since_is_read_from_where_the_file_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vault = MemoryVault()
    _kept(tmp_path, vault, 1, 2)
    read = Mailbox(tmp_path, "shop")
    assert _decisions(read) == _mails(2, 1)
    begun: list[int] = []
    scan = mailbox.scan
    monkeypatch.setattr(mailbox, "scan", lambda path, at=0: begun.append(at) or scan(path, at))
    _kept(tmp_path, vault, 3)
    assert _decisions(read) == _mails(3, 2, 1)
    assert begun and min(begun) > 0


def test_a_torn_tail_is_no_mail_and_what_lies_there_later_is(tmp_path: Path) -> None:
    vault = MemoryVault()
    _kept(tmp_path, vault, 1, 2)
    [file] = tmp_path.iterdir()
    os.truncate(file, file.stat().st_size - 1)
    read = Mailbox(tmp_path, "shop")
    assert _decisions(read) == _mails(1)
    _kept(tmp_path, vault, 3)  # the writer cuts the tail off
    assert _decisions(read) == _mails(3, 1)


def test_what_a_writer_took_back_is_forgotten_though_other_mails_lie_there_now(tmp_path: Path) -> None:
    vault = MemoryVault()
    _kept(tmp_path, vault, 1)
    [file] = tmp_path.iterdir()
    whole = file.stat().st_size
    _kept(tmp_path, vault, 2)
    read = Mailbox(tmp_path, "shop")
    assert _decisions(read) == _mails(2, 1)
    os.truncate(file, whole)
    _kept(tmp_path, vault, 30, 31)
    assert _decisions(read) == _mails(31, 30, 1)


def test_a_mail_is_found_by_its_decision_and_opened(tmp_path: Path) -> None:
    vault = MemoryVault()
    _kept(tmp_path, vault, 1, 2, 3)
    read = Mailbox(tmp_path, "shop")
    found = read.find(digest("mail", 2))
    assert found is not None
    opened = read.open(found, vault)
    assert opened is not None and b"Subject: 2\r\n" in opened.raw
    assert read.find(digest("mail", 4)) is None
    assert read.find(someone(vault)) is None  # a person's id lies there, too, and names no mail


def test_a_forgotten_persons_mail_does_not_open(tmp_path: Path) -> None:
    vault = MemoryVault()
    _kept(tmp_path, vault, 1)
    read = Mailbox(tmp_path, "shop")
    [found] = read.newest_first()
    vault.forget([found.frame.person])
    assert read.open(found, vault) is None


def test_only_so_many_files_are_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keep, "ROLL_BYTES", 1)
    _kept(tmp_path, MemoryVault(), 1, 2, 3)
    read = Mailbox(tmp_path, "shop", indexed_files=2)
    assert _decisions(read) == _decisions(read) == _mails(3, 2, 1)
    assert len(read._indexes) == 2


def test_a_file_that_cannot_be_read_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "00000000.mails").mkdir()
    with pytest.raises(StoreError, match=r"the mailbox .* cannot be read: Is a directory"):
        _decisions(Mailbox(tmp_path, "shop"))
