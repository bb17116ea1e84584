from __future__ import annotations

import asyncio
import operator
from contextlib import closing
from pathlib import Path

import pytest

from livepost.audit.deed import Deed
from livepost.audit.entry import Entry, decoded
from livepost.audit.outside import kept_heads
from livepost.audit.sqlite import SqliteAudit
from livepost.clock import SimulatedClock
from livepost.errors import StoreError
from livepost.runtime.data.audits import Audits
from livepost.runtime.front.auditing import PEOPLE_AN_ENTRY, Auditing, entries_of

READ = Deed("person.read", (b"a" * 16,))


def audits_of(folder: Path) -> Audits:
    return Audits(folder / "audit.db", "shop", bytes(32), folder / "heads")


def entries(folder: Path) -> list[Entry]:
    with closing(SqliteAudit(folder / "audit.db", "shop", readonly=True)) as audit:
        return [decoded(one.body) for one in audit.stored()]


def test_a_deed_is_durable_when_it_is_noted(tmp_path: Path) -> None:
    async def run() -> None:
        auditing = Auditing(audits_of(tmp_path), SimulatedClock(17))
        await auditing.note("key:server", READ)
        assert entries(tmp_path) == [Entry(at=17, by="key:server", did="person.read", subjects=READ.people)]
        auditing.close()

    asyncio.run(run())
    assert [one.number for one in kept_heads(tmp_path / "heads")] == [1]


def test_deeds_of_one_kind_that_wait_together_are_one_entry_with_everybody(tmp_path: Path) -> None:
    async def run() -> None:
        auditing = Auditing(audits_of(tmp_path), SimulatedClock(17))
        people = [bytes([number]) * 16 for number in range(50)]
        await asyncio.gather(*(auditing.note("key:server", Deed("person.read", (one,))) for one in people))
        auditing.close()

    asyncio.run(run())
    told = entries(tmp_path)
    assert len(told) < 5
    assert {subject for one in told for subject in one.subjects} == {bytes([number]) * 16 for number in range(50)}


def test_deeds_of_others_or_other_kinds_stand_apart_and_long_lists_are_cut() -> None:
    deeds = [("a", READ), ("b", READ), ("a", Deed("mail.read")), ("a", READ)]
    assert [(one.by, one.did, len(one.subjects)) for one in entries_of(deeds, 1)] == [
        ("a", "person.read", 1),
        ("b", "person.read", 1),
        ("a", "mail.read", 0),
    ]
    many = Deed("members.read", tuple(number.to_bytes(16, "big") for number in range(PEOPLE_AN_ENTRY + 1)))
    assert [len(one.subjects) for one in entries_of([("a", many)], 1)] == [PEOPLE_AN_ENTRY, 1]


def test_what_cannot_be_written_fails_for_everybody_who_waits(tmp_path: Path) -> None:
    (tmp_path / "audit.db").mkdir()

    async def run() -> None:
        auditing = Auditing(audits_of(tmp_path), SimulatedClock(17))
        told = await asyncio.gather(*(auditing.note("a", READ) for _ in range(3)), return_exceptions=True)
        assert [type(one) for one in told] == [StoreError] * 3
        auditing.close()

    asyncio.run(run())


def test_somebody_who_leaves_keeps_nobody_else_from_being_noted(tmp_path: Path) -> None:
    async def run() -> None:
        auditing = Auditing(audits_of(tmp_path), SimulatedClock(17))
        leaving = asyncio.create_task(auditing.note("a", READ))
        staying = asyncio.create_task(auditing.note("b", READ))
        await asyncio.sleep(0)
        leaving.cancel()
        await staying
        with pytest.raises(asyncio.CancelledError):
            await leaving
        auditing.close()

    asyncio.run(run())
    assert {"b"} <= {one.by for one in entries(tmp_path)}


def test_somebody_who_leaves_while_they_write_for_others_keeps_nobody_waiting(tmp_path: Path) -> None:
    async def run() -> None:
        auditing = Auditing(audits_of(tmp_path), SimulatedClock(17))
        first = asyncio.create_task(auditing.note("a", READ))
        await asyncio.sleep(0)
        writing, waiting = (asyncio.create_task(auditing.note(by, READ)) for by in "bc")
        await first
        await asyncio.sleep(0)
        writing.cancel()
        async with asyncio.timeout(5):
            await waiting
        auditing.close()

    asyncio.run(run())
    assert {one.by for one in entries(tmp_path)} == {"a", "b", "c"}


def test_a_head_that_cannot_be_kept_is_said_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("livepost.runtime.front.auditing.HEAD_EVERY_S", 0.0)
    (tmp_path / "heads").mkdir()

    async def run() -> None:
        audits = audits_of(tmp_path)
        auditing = Auditing(audits, SimulatedClock(17))
        await auditing.note("a", READ)
        tried = iter(range(3))
        keep = audits.keep_head
        monkeypatch.setattr(audits, "keep_head", lambda now_ms: (next(tried, None), keep(now_ms)))
        keeping = asyncio.create_task(auditing.keep_heads())
        async with asyncio.timeout(5):
            while operator.length_hint(tried):
                await asyncio.sleep(0)
        keeping.cancel()
        auditing.close()

    asyncio.run(run())
    assert capsys.readouterr().err.count("cannot be kept") == 1


def test_heads_are_kept_every_few_seconds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("livepost.runtime.front.auditing.HEAD_EVERY_S", 0.0)

    async def run() -> None:
        auditing = Auditing(audits_of(tmp_path), SimulatedClock(17))
        await auditing.note("a", READ)
        keeping = asyncio.create_task(auditing.keep_heads())
        async with asyncio.timeout(5):
            while not (tmp_path / "heads").exists():
                await asyncio.sleep(0)
        keeping.cancel()
        auditing.close()

    asyncio.run(run())
    assert [one.number for one in kept_heads(tmp_path / "heads")] == [1]
