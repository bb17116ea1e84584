from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from livepost.control.approvals import Approval, Approvals
from livepost.control.sqlite import ControlStore
from livepost.errors import RejectedError

HASH, OTHER = b"h" * 32, b"o" * 32
ADA = bytes(range(16))


def wish(**told: Any) -> Approval:
    plain: dict[str, Any] = {
        "id": "a" * 16,
        "kind": "export",
        "hash": HASH,
        "told": ("Write it.", "All of it."),
        "people": (ADA,),
        "asked_by": "user:1",
        "reason": "a letter came",
        "asked_at": 10,
        "until": 100,
    }
    return Approval(**{**plain, **told})


def enough(seen: Approval) -> bool:
    return True


@pytest.fixture
def approvals(tmp_path: Path) -> Iterator[Approvals]:
    with closing(ControlStore(tmp_path / "control.db")) as store:
        yield Approvals(store)


def test_what_was_asked_for_is_kept_as_it_was_and_asked_for_once(approvals: Approvals) -> None:
    one = approvals.ask(wish())
    assert approvals.ask(wish(id="b" * 16, asked_at=20)) == one == approvals.get(one.id)
    assert approvals.listed() == [one] == approvals.of_person([ADA])
    assert approvals.of_person([bytes(16)]) == []
    assert approvals.ask(wish(id="c" * 16, asked_by="user:2")).id == "c" * 16


def test_it_is_used_once_only_when_approved_by_its_asker_for_its_hash_and_in_time(approvals: Approvals) -> None:
    one = approvals.ask(wish())
    assert approvals.use(HASH, "user:1", 20) is None
    approved = approvals.approve(one.id, "user:2", 30, enough)
    assert [approved.state(at) for at in (30, 100)] == ["approved", "expired"]
    assert approvals.use(OTHER, "user:1", 40) is None
    assert approvals.use(HASH, "user:2", 40) is None
    assert approvals.use(HASH, "user:1", 100) is None
    used = approvals.use(HASH, "user:1", 99)
    assert used is not None and used.state(99) == "used"
    assert approvals.use(HASH, "user:1", 99) is None
    assert approvals.ask(wish(id="b" * 16, asked_at=50)).id == "b" * 16, "it has to be asked for again"


def test_too_few_eyes_leave_it_waiting_and_the_same_ones_count_once(approvals: Approvals) -> None:
    one = approvals.ask(wish())

    def two(seen: Approval) -> bool:
        return len({eye.who for eye in seen.approved}) > 1

    assert approvals.approve(one.id, "user:2", 20, two).state(20) == "waiting"
    with pytest.raises(RejectedError, match="you approved this before"):
        approvals.approve(one.id, "user:2", 21, two)
    assert approvals.approve(one.id, "user:3", 22, two).state(22) == "approved"
    with pytest.raises(RejectedError, match="approved already"):
        approvals.approve(one.id, "user:4", 23, two)


def test_what_is_refused_or_over_or_nowhere_is_not_approved(approvals: Approvals) -> None:
    one = approvals.ask(wish())
    with pytest.raises(RejectedError, match="expired already"):
        approvals.approve(one.id, "user:2", 100, enough)
    approvals.approve(one.id, "user:2", 20, enough)
    assert approvals.refuse(one.id, "user:1", 30).state(30) == "refused"
    assert approvals.use(HASH, "user:1", 40) is None
    for again in (lambda: approvals.approve(one.id, "user:3", 40, enough), lambda: approvals.refuse(one.id, "x", 40)):
        with pytest.raises(RejectedError, match="refused already"):
            again()
    with pytest.raises(RejectedError, match="expected the id"):
        approvals.refuse("0" * 16, "user:1", 40)


def test_who_may_not_approve_leaves_no_trace(approvals: Approvals) -> None:
    one = approvals.ask(wish())

    def nobody(seen: Approval) -> bool:
        raise RejectedError("no", code="four_eyes", status=403)

    with pytest.raises(RejectedError):
        approvals.approve(one.id, "user:1", 20, nobody)
    assert approvals.get(one.id) == one


def times_used(path: Path, kind: type[Approvals], racers: int = 8) -> int:
    """Return how often as many racers as one process each has of the store used one approval."""
    with closing(ControlStore(path)) as store:
        first = kind(store)
        one = first.ask(wish())
        first.approve(one.id, "user:2", 20, enough)
    barrier, used = threading.Barrier(racers), []

    def race() -> None:
        with closing(ControlStore(path)) as store:
            mine = kind(store)
            barrier.wait()
            used.append(mine.use(HASH, "user:1", 30))

    threads = [threading.Thread(target=race) for _ in range(racers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(one is not None for one in used)


def test_of_many_who_race_for_one_approval_one_has_it(tmp_path: Path) -> None:
    assert times_used(tmp_path / "control.db", Approvals) == 1


def test_the_race_would_show_a_use_that_is_not_written_down(tmp_path: Path) -> None:
    """A negative control: the same race against a body that looks and forgets."""

    class Forgetful(Approvals):
        def use(self, hash: bytes, asked_by: str, now_ms: int) -> Approval | None:
            return next((one for one in self.listed() if one.state(now_ms) == "approved"), None)

    assert times_used(tmp_path / "control.db", Forgetful) > 1
