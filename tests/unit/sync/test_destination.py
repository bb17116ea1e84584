"""Whatever happens to people, vendors and processes: in the end the vendor has what the house says, and nobody more."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livepost.clock import MINUTE_MS, SECOND_MS
from livepost.errors import StoreError
from livepost.sync import destination as room
from livepost.sync import plan as planning
from livepost.sync.book import Book
from livepost.sync.card import Ident, differ
from livepost.sync.pushing import Pusher
from livepost.sync.vendor.every import VENDORS
from tests.unit.sync.bench import NAME, Bench, KilledError
from tests.unit.sync.town import Person, Town
from tests.unit.sync.vendors import Model

FAULTS = ("429", "500", "reset", "lost", "401")
STEPS = 40


def grown(path: Path, vendor: str = "klaviyo", people: int = 3, **other: Any) -> Bench:
    """Return a bench with people who are in a segment and allow it."""
    bench = Bench(path / "audiences.db", vendor, **other)
    for _ in range(people):
        one = bench.town.add()
        bench.town.enter(one, "browsing")
        bench.town.allow(one)
    return bench


# What happens


def random_step(random: Random, bench: Bench) -> None:
    """Let something happen in the house, at the vendor, or to the process."""
    town, model = bench.town, bench.model
    free = [one for one in town.people if not one.merged and not one.forgotten]
    happenings: list[tuple[int, Callable[[Person], object]]] = [
        (6, lambda one: town.enter(one, random.choice(["browsing", "vip"]), random.random() < 0.5)),
        (3, lambda one: town.allow(one, random.random() < 0.7)),
        (2, lambda one: one.values.update(spent=random.randrange(5))),
        (1, lambda one: setattr(one, "email", f"new-{random.randrange(10**9)}@example.com")),
        (1, lambda one: town.forget(one)),
        (1, lambda one: town.merge(one, random.choice([new for new in free if new is not one] or [town.add()]))),
    ]
    kind = random.random()
    if kind < 0.15 or not free:
        town.add()
    elif kind < 0.5:
        one = random.choice(free)
        [happen] = random.choices([act for _, act in happenings], [weight for weight, _ in happenings])
        happen(one)
    elif kind < 0.6:
        model.faults += random.choices(FAULTS, k=random.randrange(1, 3))
    elif kind < 0.65:
        town.epoch = f"epoch {random.random()}"
    else:
        turn(random, bench)


def turn(random: Random, bench: Bench) -> None:
    """Do a turn, that a kill may end at any request, before or behind what the vendor does, or at any commit."""
    moment = random.randrange(12)

    def kill() -> None:
        nonlocal moment
        moment -= 1
        if moment == 0:
            raise KilledError

    bench.model.before, bench.model.after = kill, kill
    bench.book.kill = kill  # type: ignore[attr-defined]
    try:
        bench.turn()
    except KilledError:
        bench.end()
        bench.start()
    finally:
        bench.model.before = bench.model.after = lambda: None
        bench.book.kill = lambda: None  # type: ignore[attr-defined]


class MortalBook(Book):
    """A book whose process may die before or behind each commit."""

    def __init__(self, path: Path) -> None:
        self.kill: Callable[[], None] = lambda: None
        super().__init__(path)

    def _change(self, statements: Any) -> None:
        self.kill()
        super()._change(statements)
        self.kill()


def lived(seed: int, vendor: str, path: Path) -> Bench:
    """Return a bench after a life of its own and some quiet; who never allowed anything is noted."""
    random = Random(seed)
    bench = Bench(path, vendor, Town())
    bench.book.close()
    bench.make_book = MortalBook
    bench.start()
    for _ in range(STEPS):
        random_step(random, bench)
    bench.model.faults.clear()
    bench.run()
    bench.next_round()
    return bench


@pytest.mark.parametrize("vendor", sorted(VENDORS))
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_in_the_end_the_vendor_has_what_the_house_says(
    vendor: str, seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("book") / "audiences.db"
    bench = lived(seed, vendor, path)
    with closing(bench.book):
        assert bench.is_in_step(), (bench.model.in_lists(), bench.town.expected())
        known = {one.handle for one in bench.book.rows_after(NAME, b"", 1_000)}
        left = {ident for ident in bench.model.profiles if bench.town.handle(Ident(bench.town.ident_kind, ident)) not in known}
        assert left == set(), "who was forgotten is forgotten there too"
        gone = {f"person-{n}@example.com" for n, one in enumerate(bench.town.people) if one.forgotten}
        assert not gone & {*bench.model.profiles}


def fails_somewhere(path: Path, vendor: str = "iterable") -> bool:
    """Say whether one of some lives ends out of step."""
    for seed in range(60):
        bench = lived(seed, vendor, path / f"{seed}.db")
        with closing(bench.book):
            if not bench.is_in_step():
                return True
    return False


def test_a_differ_that_forgets_removals_would_be_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forgetful(row: Any, wanted: Any, card: Any, digest: Any) -> Any:
        change = differ(row, wanted, card, digest)
        return None if change is None or (change.remove and not change.upserts) else change

    monkeypatch.setattr(planning, "differ", forgetful)
    assert fails_somewhere(tmp_path)


def test_a_book_that_is_written_only_behind_the_answer_would_be_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the vendor may have is not noted: who leaves before it is asked again stays there for good."""
    monkeypatch.setattr(Book, "write", lambda self, name, rows: None)
    assert fails_somewhere(tmp_path)


def test_a_book_that_is_written_before_the_answer_would_be_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    push = Pusher.push

    def hasty(self: Any, standing: Any, plan: Any, persons: Any) -> None:
        self._book.settle(standing, rows=[self._accepted(plan.rows, one) for one in plan.changes], done=persons)
        push(self, standing, plan, persons)

    monkeypatch.setattr(Pusher, "push", hasty)
    assert fails_somewhere(tmp_path)


def test_the_same_lives_end_in_step_without_a_fault_put_in(tmp_path: Path) -> None:
    assert not fails_somewhere(tmp_path)
