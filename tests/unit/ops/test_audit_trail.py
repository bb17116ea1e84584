"""The audit as people read it, and whether it is whole."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import apsw

from livepost.audit.entry import Entry
from livepost.audit.head import Head, Signer
from livepost.audit.outside import keep_head
from livepost.audit.sqlite import SqliteAudit
from livepost.ops.audit_trail import EntryLine, newest_entries, whole

ADA, BOB = bytes(15) + b"a", bytes(15) + b"b"
SIGNER = Signer(bytes(32))


def written(folder: Path) -> Path:
    path = folder / "audit.db"
    with closing(SqliteAudit(path, "shop")) as audit:
        audit.append([Entry(at=1, by="key:crm", did="person.read", subjects=(ADA,))])
        audit.append([Entry(at=2, by="session:7", did="campaign.killed", about="win_back")])
        audit.append([Entry(at=3, by="key:crm", did="person.read", subjects=(BOB, ADA))])
        number, link = audit.last()
    keep_head(folder / "heads", SIGNER.signed(Head(workspace="shop", number=number, link=link.hex(), at=4)))
    return path


def test_the_newest_come_first_and_those_about_one_person_alone_if_asked(tmp_path: Path) -> None:
    path = written(tmp_path)
    assert [one.number for one in newest_entries(path, "shop", None, 2)] == [3, 2]
    assert [one.number for one in newest_entries(path, "shop", ADA, 10)] == [3, 1]
    assert [one.number for one in newest_entries(path, "shop", ADA, 1)] == [3]
    assert newest_entries(path, "shop", None, 2)[1] == EntryLine(
        number=2, at=2, by="session:7", did="campaign.killed", about="win_back", people=[]
    )


def test_where_nothing_was_noted_there_is_nothing(tmp_path: Path) -> None:
    assert newest_entries(tmp_path / "audit.db", "shop", None, 2) == []
    assert whole(tmp_path / "audit.db", "shop", tmp_path / "heads", SIGNER.public).holds


def test_a_chain_is_whole_until_somebody_changes_it_or_takes_it_away(tmp_path: Path) -> None:
    path = written(tmp_path)
    verdict = whole(path, "shop", tmp_path / "heads", SIGNER.public)
    assert (verdict.holds, verdict.entries, verdict.vouched) == (True, 3, 3)
    with closing(apsw.Connection(str(path))) as connection:
        connection.execute("DELETE FROM entries WHERE number = 3")
    assert not whole(path, "shop", tmp_path / "heads", SIGNER.public).holds
    path.unlink()
    assert not whole(path, "shop", tmp_path / "heads", SIGNER.public).holds
