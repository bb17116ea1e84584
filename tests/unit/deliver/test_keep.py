from __future__ import annotations

import os
from pathlib import Path

import pytest

from livepost.clock import SimulatedClock
from livepost.deliver import keep
from livepost.deliver.keep import Keep, read
from livepost.errors import StoreError
from livepost.ids import digest
from livepost.model.message import Message
from livepost.vault.base import ExternalId
from livepost.vault.memory import MemoryVault

START_MS = 1_700_000_000_000
CONTROL = b"control-token-4711"


def someone(vault: MemoryVault, name: str = "ada") -> bytes:
    [keys] = vault.admit([ExternalId("user", name)])
    return keys.subject


def message(number: int, person: bytes, raw: bytes = b"") -> Message:
    return Message(
        decision=digest("mail", number),
        person=person,
        sender="hello@shop.example",
        recipient="ada@example.com",
        message_id=f"<{number}@shop.example>",
        raw=raw or f"To: ada@example.com\r\nSubject: {number}\r\n\r\nHi Ada\r\n".encode(),
    )


def opened(folder: Path, vault: MemoryVault, **also: int) -> Keep:
    return Keep(folder, vault, "shop", SimulatedClock(START_MS), **also)


def on_disk(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.iterdir()))


def test_kept_mails_are_read_newest_first(tmp_path: Path) -> None:
    vault = MemoryVault()
    ada, bob = someone(vault), someone(vault, "bob")
    mailbox = opened(tmp_path, vault)
    receipts = mailbox.send([message(1, ada), message(2, bob)])
    assert [(one.state, one.provider, one.at_ms) for one in receipts] == [("sent", "keep", START_MS)] * 2
    mailbox.send([message(3, ada)])
    mails = read(tmp_path, vault, "shop")
    assert [mail.decision for mail in mails] == [digest("mail", n) for n in (3, 2, 1)]
    assert mails[0].raw.endswith(b"Subject: 3\r\n\r\nHi Ada\r\n")
    assert [mail.person for mail in read(tmp_path, vault, "shop", person=ada, limit=1)] == [ada]
    assert len(read(tmp_path, vault, "shop", decision=digest("mail", 2))) == 1
    with pytest.raises(ValueError, match="at least 1"):
        read(tmp_path, vault, "shop", limit=0)
    mailbox.close()


def test_nothing_readable_is_on_disk(tmp_path: Path) -> None:
    vault = MemoryVault()
    mailbox = opened(tmp_path, vault)
    mailbox.send([message(1, someone(vault))])
    mailbox.close()
    (tmp_path / "control").write_bytes(CONTROL)
    found = on_disk(tmp_path)
    assert CONTROL in found
    assert not any(word in found for word in (b"ada@example.com", b"Hi Ada", b"Subject"))


def test_a_forgotten_persons_mails_open_for_nobody(tmp_path: Path) -> None:
    vault = MemoryVault()
    ada, bob = someone(vault), someone(vault, "bob")
    mailbox = opened(tmp_path, vault)
    mailbox.send([message(1, ada), message(2, bob)])
    vault.forget([ada])
    assert [mail.person for mail in read(tmp_path, vault, "shop")] == [bob]
    assert [(one.state, one.text) for one in mailbox.send([message(3, ada)])] == [("failed", "the person was erased")]
    mailbox.close()


def test_a_mail_kept_before_is_not_kept_twice(tmp_path: Path) -> None:
    vault = MemoryVault()
    ada = someone(vault)
    mailbox = opened(tmp_path, vault)
    mailbox.send([message(1, ada)])
    mailbox.close()
    again = opened(tmp_path, vault)
    assert [one.state for one in again.send([message(1, ada)])] == ["sent"]
    assert len(read(tmp_path, vault, "shop")) == 1
    assert [one.state for one in again.lookup([digest("mail", 1), digest("mail", 2)])] == ["sent", "failed"]
    again.close()


@pytest.mark.parametrize("cut", [1, 20, 47, 60])
def test_a_torn_tail_is_cut_off_and_what_was_answered_stays(tmp_path: Path, cut: int) -> None:
    vault = MemoryVault()
    ada = someone(vault)
    mailbox = opened(tmp_path, vault)
    mailbox.send([message(1, ada)])
    [path] = tmp_path.iterdir()
    whole = path.stat().st_size
    mailbox.send([message(2, ada)])
    mailbox.close()
    os.truncate(path, whole + cut)
    again = opened(tmp_path, vault)
    assert path.stat().st_size == whole
    again.send([message(3, ada)])
    assert [mail.decision for mail in read(tmp_path, vault, "shop")] == [digest("mail", 3), digest("mail", 1)]
    again.close()


def test_a_changed_byte_is_noticed(tmp_path: Path) -> None:
    vault = MemoryVault()
    mailbox = opened(tmp_path, vault)
    mailbox.send([message(1, someone(vault))])
    mailbox.close()
    [path] = tmp_path.iterdir()
    raw = bytearray(path.read_bytes())
    raw[-1] ^= 1
    path.write_bytes(raw)
    assert read(tmp_path, vault, "shop") == []


def test_a_full_mailbox_refuses_for_now_and_keeps_what_it_has(tmp_path: Path) -> None:
    vault = MemoryVault()
    ada = someone(vault)
    mailbox = opened(tmp_path, vault)
    mailbox.send([message(1, ada)])
    mailbox.close()
    full = opened(tmp_path, vault, max_bytes=len(on_disk(tmp_path)))
    [receipt] = full.send([message(2, ada)])
    assert (receipt.state, "full" in receipt.text) == ("temporary", True)
    assert len(read(tmp_path, vault, "shop")) == 1
    full.close()


def test_a_mail_above_its_bound_fails_and_the_others_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keep, "MAX_MAIL_BYTES", 100)
    vault = MemoryVault()
    ada = someone(vault)
    mailbox = opened(tmp_path, vault)
    receipts = mailbox.send([message(1, ada, b"x" * 101), message(2, ada, b"x" * 100)])
    assert [one.state for one in receipts] == ["failed", "sent"]
    mailbox.close()


def test_files_roll_and_all_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keep, "ROLL_BYTES", 1)
    vault = MemoryVault()
    ada = someone(vault)
    mailbox = opened(tmp_path, vault)
    for number in range(3):
        mailbox.send([message(number, ada)])
    mailbox.close()
    assert len(list(tmp_path.iterdir())) == 3
    assert len(read(tmp_path, vault, "shop")) == 3


def test_after_a_failed_fsync_nobody_knows_and_nothing_more_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    vault = MemoryVault()
    ada = someone(vault)
    mailbox = opened(tmp_path, vault)
    monkeypatch.setattr("os.fdatasync", broken)
    assert [one.state for one in mailbox.send([message(1, ada)])] == ["unknown"]
    monkeypatch.undo()
    assert [one.state for one in mailbox.send([message(2, ada)])] == ["temporary"]
    mailbox.close()


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="mailbox"):
        opened(tmp_path / "file" / "mailbox", MemoryVault())
