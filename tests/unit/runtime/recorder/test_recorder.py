"""A recorder's work: the same records as the front would make, with subjects that the front alone makes."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from livepost.collect.request import read_batch
from livepost.errors import StoreError
from livepost.intake.plan import TrackingPlan
from livepost.intake.record import Arrival, Recorder
from livepost.model.block import Block
from livepost.model.compiled import Compiled, EventSpec, FieldSpec
from livepost.model.record import KeyKind, Record
from livepost.runtime.recorder.job import Done, Job, Planned
from livepost.runtime.recorder.process import FoundSubjects, Plan, do
from livepost.vault.base import USER, ExternalId
from livepost.vault.kek.memory import MemoryKeks
from livepost.vault.memory import MemoryVault
from livepost.vault.sqlite import SqliteVault

KEK = bytes(32)
VIEWED = EventSpec(
    name="Product Viewed", cls="ProductViewed", fields=(FieldSpec(name="product_id", keys=("product_id",), type="str"),)
)
PLAN = TrackingPlan(Compiled(events=(VIEWED,)))
ARRIVAL = Arrival(source="web", key=KeyKind.SECRET, received_at=1_767_225_600_000)
BODY = msgspec.json.encode(
    {
        "sentAt": "2026-01-01T00:00:00.000Z",
        "batch": [
            {"type": "identify", "userId": "u1", "anonymousId": "a1", "messageId": "1", "traits": {"email": "a@b.co"}},
            {"type": "track", "userId": "u1", "messageId": "2", "event": "Product Viewed", "properties": {"x": 1}},
            {"type": "track", "anonymousId": "a2", "messageId": "3", "event": "Product Viewed", "timestamp": "soon"},
            {"type": "track", "messageId": "4", "event": "Nobody's"},
            {"type": "alias", "previousId": "a2", "userId": "u2", "messageId": "5"},
        ],
    }
)


class Front:
    """The front's side of the wire, in the same process: makes subjects."""

    def __init__(self, vault: SqliteVault) -> None:
        self.asked = 0
        self._vault = vault

    def make(self, new: list[ExternalId]) -> None:
        self.asked += 1
        self._vault.admit(new)
        self._vault.commit()


def nobody(new: list[ExternalId]) -> None:
    """Make none of the subjects."""


def made(done: Done) -> list[Record]:
    """Return the records that came of a job, as the recorder made them."""
    assert done.piece is not None
    block = msgspec.msgpack.decode(done.piece, type=Block)
    return [msgspec.structs.replace(record, seq=-1, stamp=-1) for record in block.records()]


def opened(record: Record, vault: SqliteVault) -> tuple[object, ...]:
    """Return what two recorders' records of one call have in common: all but the seals' bytes and fresh ids."""
    plain = msgspec.structs.asdict(record)
    plain["sealed"] = sorted(record.sealed)
    if record.message_id == "4":  # about nobody, so about a fresh subject
        plain["subject"] = plain["content_hash"] = b""
    return tuple(plain.items())


def test_a_recorder_makes_the_records_that_the_front_would_make(tmp_path: Path) -> None:
    with (
        closing(SqliteVault(tmp_path / "v.db", MemoryKeks(KEK))) as written,
        closing(SqliteVault(tmp_path / "v.db", MemoryKeks(KEK), readonly=True)) as read,
    ):
        front = Front(written)
        done = do(Job(7, BODY, ARRIVAL), Recorder("shop", FoundSubjects(read, front.make), PLAN))
        request = read_batch(BODY)
        own = Recorder("shop", written, PLAN).records(request.calls, ARRIVAL.sent(request.sent_at))
        assert (done.number, done.refusal) == (7, None)
        assert [opened(one, read) for one in made(done)] == [opened(one, written) for one in own]
        assert front.asked > 0


def test_the_front_is_asked_only_for_who_is_new(tmp_path: Path) -> None:
    with (
        closing(SqliteVault(tmp_path / "v.db", MemoryKeks(KEK))) as written,
        closing(SqliteVault(tmp_path / "v.db", MemoryKeks(KEK), readonly=True)) as read,
    ):
        front = Front(written)
        subjects = FoundSubjects(read, front.make)
        ids = [ExternalId(USER, "ada"), ExternalId(USER, "bob")]
        first = subjects.admit(ids)
        assert [one.subject for one in subjects.admit(ids)] == [one.subject for one in first]
        assert front.asked == 1


def test_who_the_front_could_not_make_is_an_error_and_no_record(tmp_path: Path) -> None:
    with (
        closing(SqliteVault(tmp_path / "v.db", MemoryKeks(KEK))),
        closing(SqliteVault(tmp_path / "v.db", MemoryKeks(KEK), readonly=True)) as read,
        pytest.raises(StoreError, match="expected the front to have made all subjects"),
    ):
        FoundSubjects(read, nobody).admit([ExternalId(USER, "ada")])


def test_a_batch_whose_subjects_cannot_be_made_is_given_back_undone(tmp_path: Path) -> None:
    with (
        closing(SqliteVault(tmp_path / "v.db", MemoryKeks(KEK))),
        closing(SqliteVault(tmp_path / "v.db", MemoryKeks(KEK), readonly=True)) as read,
    ):
        done = do(Job(1, BODY, ARRIVAL), Recorder("shop", FoundSubjects(read, nobody), PLAN))
        assert (done.piece, done.refusal) == (None, None)


def test_a_body_that_cannot_be_read_is_refused_with_its_reason() -> None:
    done = do(Job(1, b'{"batch":', ARRIVAL), Recorder("shop", MemoryVault(), PLAN))
    assert done.refusal is not None
    assert (done.refusal.code, done.refusal.status) == ("unreadable", 400)


def test_calls_are_judged_by_the_plan_that_the_front_names_and_by_none_while_it_cannot_be_asked() -> None:
    front = _Planner()
    plan = Plan(front, "allow", MemoryVault().blind)
    recorder = Recorder("w", MemoryVault(root=bytes(32)), TrackingPlan(Compiled()))
    front.planned = Planned("one", Compiled(events=(VIEWED,)))
    assert not plan.is_known("two", recorder)  # another one by now: the front does these jobs
    assert plan.is_known("one", recorder)
    assert recorder.plan.event("Product Viewed") is not None
    front.planned = None
    assert plan.is_known("one", recorder)
    assert not plan.is_known("two", recorder)


class _Planner:
    """A front that names a plan, or is not there."""

    planned: Planned | None = None

    def call(self, name: str, argument: None, type: type[Planned]) -> Planned:
        if self.planned is None:
            raise StoreError("no answer")
        return self.planned
