"""A request that a crash left between being entered and taking effect is finished when it is entered again."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from livepost.clock import SimulatedClock
from livepost.control.requests import Requests
from livepost.control.sqlite import ControlStore
from livepost.errors import RejectedError, StoreError
from livepost.govern.rights.entry import Entry
from livepost.ledger.sqlite import SqliteLedger
from livepost.runtime.rights.entering import Entering
from tests.unit.nobody import nobody

ADA, BOB = b"a" * 16, b"b" * 16


def test_what_a_crash_left_is_done_when_it_is_entered_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimulatedClock(1_000)
    entry = Entry(kind="restriction", regulation="gdpr", way="api", verified="x", by="key:server", outside="api:1")
    with (
        closing(ControlStore(tmp_path / "control.db")) as store,
        closing(SqliteLedger(":memory:", host=clock)) as ledger,
    ):
        requests = Requests(store)
        entering = Entering(requests, ledger, None, clock=clock, host=clock)
        with monkeypatch.context() as broken:
            broken.setattr(ledger, "limit", _dies)
            with pytest.raises(StoreError):
                entering.enter(nobody(ADA), entry)
        [left] = requests.listed()
        assert left.is_open and not ledger.limits(ADA)
        done = entering.enter(nobody(ADA), entry)
        assert (done.id, done.state, [one.request for one in ledger.limits(ADA)]) == (left.id, "completed", [left.id])
        assert entering.enter(nobody(ADA), entry) == done
        with pytest.raises(RejectedError, match="got another"):
            entering.enter(nobody(BOB), entry)


def test_an_objection_to_another_purpose_needs_another_key(tmp_path: Path) -> None:
    clock = SimulatedClock(1_000)
    entry = Entry(kind="objection", regulation="gdpr", way="api", verified="x", by="key:server", outside="api:1")
    with (
        closing(ControlStore(tmp_path / "control.db")) as store,
        closing(SqliteLedger(":memory:", host=clock)) as ledger,
    ):
        entering = Entering(Requests(store), ledger, None, clock=clock, host=clock)
        first = entering.enter(nobody(ADA), msgspec.structs.replace(entry, purpose="news"))
        assert entering.enter(nobody(ADA), msgspec.structs.replace(entry, purpose="news")) == first
        with pytest.raises(RejectedError, match="got another"):
            entering.enter(nobody(ADA), msgspec.structs.replace(entry, purpose="offers"))


def _dies(limit: object) -> None:
    raise StoreError("the ledger is away")
