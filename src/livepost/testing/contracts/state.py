"""The contract of a state store: `StateContract` for every body, `DurableStateContract` for those that outlive their
process.

In: a fixture `bench` that opens the body under test. Out: pass or fail. Promises: a test sees only what it committed.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livepost.errors import StoreError
from livepost.model.letter import Letter
from livepost.state.base import Commit, DurableStateStore, Loaded, Numbering, StateStore, TransitionRow
from livepost.state.pack import pack_of

ADA, BOB = bytes(15) + b"a", bytes(15) + b"b"
MANY = 2**63 - 1


class StateBench(Protocol):
    """Opens state stores of the body under test."""

    def new(self) -> StateStore:
        """Return a new, empty store."""
        ...


class DurableStateBench(StateBench, Protocol):
    """Opens stores that outlive their process."""

    def new(self) -> DurableStateStore:
        """Return a new, empty store."""
        ...

    def reopen(self, store: StateStore) -> DurableStateStore:
        """Close the store and return it opened again."""
        ...

    def at(self, place: Path) -> DurableStateStore:
        """Open the store at a place."""
        ...


class Held(msgspec.Struct, frozen=True):
    """All that a store has."""

    loaded: Loaded | None
    rows: list[tuple[int, bytes]]
    seen: list[bytes]
    outbox: list[tuple[int, bytes]]
    transitions: list[bytes]
    dead: list[Letter]
    hours: list[tuple[int, bytes]]
    steps: list[tuple[int, bytes]]


EMPTY = Held(None, [], [], [], [], [], [], [])


def held(store: StateStore) -> Held:
    """Return all that a store has."""
    return Held(
        loaded=store.loaded(),
        rows=sorted(store.rows()),
        seen=list(store.seen()),
        outbox=store.outbox(-1, 1_000_000),
        transitions=store.transitions(None, None, 1_000_000),
        dead=store.dead(-1, 1_000_000),
        hours=store.hours(0),
        steps=list(store.steps()),
    )


def step(
    position: int,
    *,
    rows: list[tuple[int, bytes | None]] | None = None,
    seen: bytes = b"",
    seen_day: int = 0,
    outbox: list[tuple[int, bytes]] | None = None,
    transitions: list[TransitionRow] | None = None,
    dead: list[Letter] | None = None,
    replayed: list[tuple[int, int]] | None = None,
    hours: list[tuple[int, bytes]] | None = None,
    counts: dict[str, int] | None = None,
    again: tuple[int, bytes] | None = None,
    image: tuple[str, int] | None = None,
) -> Commit:
    """Return a commit at a position, with stamps made up from it."""
    return Commit(
        position=position,
        as_of=1_000 + position,
        complete_to=position,
        program="p1",
        rows=pack_of(rows or []),
        seen=seen,
        seen_day=seen_day,
        outbox=outbox or [],
        transitions=transitions or [],
        dead=dead or [],
        replayed=replayed or [],
        hours=hours or [],
        counts=counts or {},
        step=again,
        image=image,
    )


def full_step(position: int) -> Commit:
    """Return a commit with something of each kind, which names its position."""
    text = str(position).encode()
    return step(
        position,
        rows=[(position % 7, text), ((position + 3) % 7, None)],
        seen=text,
        seen_day=position // 100,
        outbox=[(position, text)],
        transitions=[transition(position)],
        dead=[letter(position, text.decode())],
        replayed=[(position, position + 1)],
        hours=[(position, text)],
        counts={"processed": 1},
        again=(position, text),
        image=(text.decode(), max(position - 1, 0)) if position % 5 == 0 else None,
    )


def letter(position: int, reason: str, replayed_at: int | None = None) -> Letter:
    """Return a dead letter."""
    return Letter(
        position=position,
        fate="dead_lettered",
        reason=reason,
        at=1_000 + position,
        source="web",
        name="Product Viewed",
        replayed_at=replayed_at,
    )


def transition(number: int, person: bytes = ADA, segment: str = "vip", at: int = 0) -> TransitionRow:
    """Return a transition whose body is its number."""
    return TransitionRow(person, segment, at, str(number).encode())


class StateContract:
    """What every state store does. A subclass gives the fixture `bench`."""

    @pytest.fixture
    def bench(self) -> StateBench:
        """Return the bench of the body under test."""
        raise NotImplementedError(f"{type(self).__name__} gives no fixture `bench`; return a StateBench from it")

    def test_a_new_store_has_nothing(self, bench: StateBench) -> None:
        store = bench.new()
        assert held(store) == EMPTY
        assert store.dead_count() == 0

    def test_everything_of_a_commit_is_there(self, bench: StateBench) -> None:
        store = bench.new()
        store.commit(full_step(10))
        place = Loaded(position=10, as_of=1_010, complete_to=10, program="p1", counts={"processed": 1}, image="10")
        assert held(store) == Held(
            loaded=place,
            rows=[(3, b"10")],
            seen=[b"10"],
            outbox=[(10, b"10")],
            transitions=[b"10"],
            dead=[letter(10, "10", 11)],
            hours=[(10, b"10")],
            steps=[(10, b"10")],
        )

    def test_definitions_are_kept_until_others_come_or_all_is_dropped(self, bench: StateBench) -> None:
        store = bench.new()
        for position, told, kept in [(0, b"", b""), (1, b"one", b"one"), (2, b"", b"one"), (3, b"two", b"two")]:
            store.commit(msgspec.structs.replace(step(position), definitions=told))
            loaded = store.loaded()
            assert loaded is not None
            assert loaded.definitions == kept
        store.reset()
        store.commit(step(0))
        loaded = store.loaded()
        assert loaded is not None
        assert loaded.definitions == b""

    def test_an_empty_commit_moves_the_position_alone(self, bench: StateBench) -> None:
        store = bench.new()
        store.commit(step(3))
        assert held(store).loaded == Loaded(position=3, as_of=1_003, complete_to=3, program="p1", counts={})
        assert held(store) == msgspec.structs.replace(held(bench.new()), loaded=store.loaded())

    def test_of_a_number_given_twice_the_last_row_counts(self, bench: StateBench) -> None:
        store = bench.new()
        store.commit(step(0, rows=[(9, b"a"), (1, b"b"), (5, b"c"), (9, b"d"), (7, b"e"), (7, None)]))
        assert sorted(store.rows()) == [(1, b"b"), (5, b"c"), (9, b"d")]
        store.commit(step(1, rows=[(5, None), (6, None), (1, b"longer " * 1_000), (7, b"")]))
        assert sorted(store.rows()) == [(1, b"longer " * 1_000), (7, b""), (9, b"d")]

    def test_more_rows_than_are_read_at_once_all_come(self, bench: StateBench) -> None:
        store = bench.new()
        store.commit(step(0, rows=[(number, b"%d" % number) for number in range(12_000)]))
        assert sorted(store.rows()) == [(number, b"%d" % number) for number in range(12_000)]

    def test_rows_of_some_people_are_theirs_and_nobody_elses(self, bench: StateBench) -> None:
        store = bench.new()
        store.commit(step(0, rows=[(number, b"old %d" % number) for number in range(200)]))
        store.commit(step(1, rows=[(3, None), (5, b"new"), (500, b"far")]))
        assert store.rows_of([5, 3, 7, 500, 501, 10**7]) == {5: b"new", 7: b"old 7", 500: b"far"}
        assert store.rows_of([]) == {}
        assert store.rows_of(range(1_000)) == dict(store.rows())

    def test_steps_are_kept_from_the_image_on(self, bench: StateBench) -> None:
        store = bench.new()
        for number in range(4):
            store.commit(step(number, again=(number, b"%d" % number)))
        assert list(store.steps()) == [(0, b"0"), (1, b"1"), (2, b"2"), (3, b"3")]
        store.commit(step(4, again=(4, b"4"), image=("first", 3)))
        store.commit(step(5))
        loaded = store.loaded()
        assert (loaded and loaded.image, list(store.steps())) == ("first", [(3, b"3"), (4, b"4")])
        store.commit(step(6, image=("second", 5)))
        loaded = store.loaded()
        assert (loaded and loaded.image, list(store.steps())) == ("second", [])

    def test_counts_add_up(self, bench: StateBench) -> None:
        store = bench.new()
        for position, counts in enumerate(({"processed": 3}, {"processed": 2, "duplicate": 1}, {}, {"duplicate": 0})):
            store.commit(step(position, counts=counts))
        loaded = store.loaded()
        assert loaded and loaded.counts == {"processed": 5, "duplicate": 1}

    def test_a_commit_that_goes_back_is_refused_whole(self, bench: StateBench) -> None:
        store = bench.new()
        store.commit(full_step(5))
        store.commit(step(5))
        before = held(store)
        with pytest.raises(ValueError, match="position 5 or later, got 4"):
            store.commit(full_step(4))
        assert held(store) == before
        store.commit(full_step(6))

    def test_a_page_has_positions_in_order_and_those_of_one_as_committed(self, bench: StateBench) -> None:
        store = bench.new()
        store.commit(step(9, outbox=[(5, b"a"), (9, b"b"), (9, b"a")]))
        store.commit(step(9, outbox=[(3, b"late"), (5, b"A")]))
        assert store.outbox(-1, 9) == [(3, b"late"), (5, b"a"), (5, b"A"), (9, b"b"), (9, b"a")]
        assert store.outbox(3, 9) == [(5, b"a"), (5, b"A"), (9, b"b"), (9, b"a")]
        assert store.outbox(9, 9) == []

    def test_a_page_never_has_part_of_a_position(self, bench: StateBench) -> None:
        store = bench.new()
        items = [(1, b"a"), (2, b"b"), (2, b"c"), (2, b"d"), (4, b"e")]
        store.commit(step(4, outbox=items))
        assert [len(store.outbox(-1, limit)) for limit in (1, 2, 3, 4, 5, 6)] == [1, 1, 1, 4, 5, 5]
        assert [len(store.outbox(1, limit)) for limit in (1, 2, 3, 4)] == [3, 3, 3, 4]

    def test_pages_of_any_size_put_together_are_the_outbox(self, bench: StateBench) -> None:
        @settings(max_examples=60, deadline=None, database=None)
        @given(st.lists(st.lists(st.integers(0, 12), max_size=8), max_size=4), st.integers(1, 6))
        def holds(commits: list[list[int]], limit: int) -> None:
            store.reset()
            numbered = iter(range(1_000))
            made = [[(position, b"%d" % next(numbered)) for position in some] for some in commits]
            for items in made:
                store.commit(step(12, outbox=items))
            paged: list[tuple[int, bytes]] = []
            while page := store.outbox(paged[-1][0] if paged else -1, limit):
                assert len(page) <= limit or len({position for position, _ in page}) == 1
                paged += page
            assert paged == sorted([item for items in made for item in items], key=lambda item: item[0])

        store = bench.new()
        holds()

    def test_items_come_by_number_in_the_order_of_commits_and_each_once(self, bench: StateBench) -> None:
        @settings(max_examples=60, deadline=None, database=None)
        @given(st.lists(st.lists(st.integers(0, 12), max_size=8), max_size=4), st.integers(1, 6))
        def holds(commits: list[list[int]], limit: int) -> None:
            store.reset()
            told: list[bytes] = []
            after = 0
            numbered = iter(range(1_000))
            made = [[(position, b"%d" % next(numbered)) for position in some] for some in commits]
            for items in made:
                store.commit(step(12, outbox=items))
                while page := store.outbox_after(after, limit):
                    assert len(page) <= limit and after < page[0][0] and page == sorted(page)
                    after = page[-1][0]
                    told += [body for _, body in page]
            assert told == [body for items in made for _, body in items]

        store = bench.new()
        holds()

    def test_numbers_of_items_go_on_behind_a_prune_and_whatever_is_pruned_is_not_told(self, bench: StateBench) -> None:
        store = bench.new()
        store.commit(step(9, outbox=[(9, b"a"), (9, b"b"), (5, b"late")]))
        [(first, _), (second, _), (late, _)] = store.outbox_after(0, 9)
        assert (first, second, late) == tuple(range(store.newest_item() - 2, store.newest_item() + 1))
        assert store.outbox_after(first, 1) == [(second, b"b")]
        store.prune_outbox(5)
        assert store.outbox_after(0, 9) == [(first, b"a"), (second, b"b")]
        store.prune_outbox(9)
        store.commit(step(12, outbox=[(12, b"c")]))
        [(last, body)] = store.outbox_after(late, 9)
        assert (last > late, body) == (True, b"c")
        assert last == store.newest_item()
        assert store.outbox_after(0, 9) == [(last, b"c")]

    def test_pruned_items_are_gone_and_later_ones_stay(self, bench: StateBench) -> None:
        store = bench.new()
        store.commit(step(3, outbox=[(1, b"a"), (2, b"b"), (3, b"c")]))
        store.prune_outbox(2)
        store.prune_outbox(0)
        assert store.outbox(-1, 9) == [(3, b"c")]
        store.commit(step(4, outbox=[(4, b"d")]))
        assert store.outbox(-1, 9) == [(3, b"c"), (4, b"d")]
        store.prune_outbox(MANY)
        assert store.outbox(-1, 9) == []

    def test_after_a_reset_nothing_is_pruned(self, bench: StateBench) -> None:
        store = bench.new()
        store.commit(full_step(8))
        store.prune_outbox(8)
        store.reset()
        assert held(store) == EMPTY
        store.commit(full_step(2))
        assert (store.outbox(-1, 9), sorted(store.rows())) == ([(2, b"2")], [(2, b"2")])
        assert store.loaded() == Loaded(position=2, as_of=1_002, complete_to=2, program="p1", counts={"processed": 1})

    def test_transitions_are_found_by_person_by_segment_by_both_and_by_none(self, bench: StateBench) -> None:
        store = bench.new()
        made = [transition(1), transition(2, BOB), transition(3, ADA, "browsing"), transition(4), transition(5, BOB)]
        store.commit(step(3, transitions=made[:3]))
        store.commit(step(5, transitions=made[3:]))
        assert store.transitions(ADA, None, 9) == [b"4", b"3", b"1"]
        assert store.transitions(None, "vip", 9) == [b"5", b"4", b"2", b"1"]
        assert store.transitions(ADA, "vip", 9) == [b"4", b"1"]
        assert store.transitions(None, None, 2) == [b"5", b"4"]
        assert store.transitions(bytes(16), None, 9) == store.transitions(ADA, "", 9) == []

    def test_transitions_are_numbered_in_the_order_of_their_commits(self, bench: StateBench) -> None:
        store = bench.new()
        assert (store.numbering().first, store.numbering().last, store.transitions_after(0, 9)) == (1, 0, [])
        store.commit(step(3, transitions=[transition(3), transition(1)]))
        store.commit(step(5))
        store.commit(step(6, transitions=[transition(2)]))
        assert store.transitions_after(0, 9) == [(1, b"3"), (2, b"1"), (3, b"2")]
        assert (store.transitions_after(1, 1), store.transitions_after(3, 9)) == ([(2, b"1")], [])
        assert (store.numbering().first, store.numbering().last) == (1, 3)

    def test_numbers_of_forgotten_transitions_are_not_given_again(self, bench: StateBench) -> None:
        store = bench.new()
        store.commit(step(1, transitions=[transition(n, at=n) for n in (10, 20, 30)]))
        epoch = store.numbering().epoch
        assert store.forget_transitions(20) == 1
        assert (store.numbering().first, store.transitions_after(0, 9)) == (2, [(2, b"20"), (3, b"30")])
        assert store.forget_transitions(MANY) == 2
        assert store.numbering() == Numbering(epoch=epoch, first=4, last=3)
        store.commit(step(2, transitions=[transition(40)]))
        assert store.transitions_after(0, 9) == [(4, b"40")]

    def test_a_reset_begins_another_epoch(self, bench: StateBench) -> None:
        store = bench.new()
        store.commit(step(1, transitions=[transition(1)]))
        before = store.numbering()
        store.reset()
        after = store.numbering()
        assert (after.first, after.last, after.epoch == before.epoch) == (1, 0, False)
        assert bench.new().numbering().epoch not in (before.epoch, after.epoch)

    def test_old_transitions_are_forgotten_up_to_the_first_that_is_not(self, bench: StateBench) -> None:
        store = bench.new()
        store.commit(step(4, transitions=[transition(n, at=at) for n, at in enumerate((10, 20, 30, 15))]))
        assert store.forget_transitions(10) == 0
        assert store.forget_transitions(25) == 2
        assert store.transitions(None, None, 9) == [b"3", b"2"]
        assert (store.forget_transitions(MANY), store.transitions(None, None, 9)) == (2, [])

    def test_dead_letters_come_by_seq_after_the_asked_one(self, bench: StateBench) -> None:
        store = bench.new()
        plan, later, late = letter(8, "plan"), letter(9, "plan"), letter(2, "late")
        store.commit(step(8, dead=[plan, letter(2, "conflict")]))
        store.commit(step(9, dead=[later, late]))
        assert store.dead(-1, 9) == [late, plan, later]
        assert (store.dead(2, 1), store.dead(9, 1), store.dead_count()) == ([plan], [], 3)

    def test_a_letter_of_any_fate_comes_as_it_was_committed(self, bench: StateBench) -> None:
        store = bench.new()
        kept = msgspec.structs.replace(letter(3, "undeclared"), fate="quarantined", name="", source="app")
        store.commit(step(3, dead=[kept]))
        assert store.dead(-1, 9) == [kept]

    def test_a_letter_is_marked_with_its_first_replay_and_no_other(self, bench: StateBench) -> None:
        store = bench.new()
        store.commit(step(4, dead=[letter(2, "plan"), letter(3, "plan"), letter(4, "plan")], replayed=[(3, 4)]))
        store.commit(step(9, replayed=[(2, 8), (3, 9), (7, 9)]))
        assert store.dead(-1, 9) == [letter(2, "plan", 8), letter(3, "plan", 4), letter(4, "plan")]
        assert store.dead_count() == 3

    def test_a_refused_commit_marks_no_letter(self, bench: StateBench) -> None:
        store = bench.new()
        store.commit(step(5, dead=[letter(5, "plan")]))
        with pytest.raises(ValueError, match="position 5 or later"):
            store.commit(step(4, replayed=[(5, 6)]))
        assert store.dead(-1, 9) == [letter(5, "plan")]

    def test_old_dedupe_entries_are_forgotten_by_day(self, bench: StateBench) -> None:
        store = bench.new()
        for position, day in enumerate((1, 1, 2, 3)):
            store.commit(step(position, seen=b"%d" % position, seen_day=day))
        store.commit(step(4, seen_day=9))
        assert store.forget_seen(1) == 0
        assert (store.forget_seen(2), list(store.seen())) == (2, [b"2", b"3"])
        assert (store.forget_seen(10), list(store.seen())) == (2, [])

    def test_hours_are_in_order_and_begin_with_what_held_then(self, bench: StateBench) -> None:
        store = bench.new()
        store.commit(step(1, hours=[(20, b"two"), (10, b"one")]))
        store.commit(step(2, hours=[(40, b"four"), (20, b"two again")]))
        assert store.hours(0) == store.hours(10) == [(10, b"one"), (20, b"two again"), (40, b"four")]
        assert store.hours(20) == store.hours(11) == store.hours(0)
        assert store.hours(21) == store.hours(40) == [(20, b"two again"), (40, b"four")]
        assert store.hours(MANY) == [(40, b"four")]

    def test_old_hours_are_forgotten(self, bench: StateBench) -> None:
        store = bench.new()
        store.commit(step(1, hours=[(end, b"") for end in (10, 20, 30)]))
        assert (store.forget_hours(10), store.forget_hours(21)) == (0, 2)
        assert store.hours(0) == [(30, b"")]
        assert (store.forget_hours(MANY), store.hours(0)) == (1, [])

    @pytest.mark.parametrize("ask", ["outbox", "outbox_after", "dead", "transitions", "transitions_after"])
    def test_a_page_of_nothing_is_refused(self, bench: StateBench, ask: str) -> None:
        store = bench.new()
        pages: dict[str, Callable[[], object]] = {
            "outbox": lambda: store.outbox(0, 0),
            "outbox_after": lambda: store.outbox_after(0, 0),
            "dead": lambda: store.dead(0, 0),
            "transitions": lambda: store.transitions(None, None, 0),
            "transitions_after": lambda: store.transitions_after(0, 0),
        }
        with pytest.raises(ValueError, match="limit of at least 1, got 0"):
            pages[ask]()


class DurableStateContract(StateContract):
    """What a store that outlives its process does besides. A subclass gives the fixture `durable`, too."""

    @pytest.fixture
    def durable(self) -> DurableStateBench:
        """Return the bench of the body under test."""
        raise NotImplementedError(f"{type(self).__name__} gives no fixture `durable`; return a DurableStateBench")

    def test_what_was_committed_is_there_after_reopening(self, durable: DurableStateBench) -> None:
        store = durable.new()
        for position in range(50):
            store.commit(full_step(position))
        before = held(store)
        store = durable.reopen(store)
        assert held(store) == before
        store.commit(full_step(50))
        assert len(held(store).transitions) == 51

    def test_numbers_go_on_after_reopening_also_where_all_were_forgotten(self, durable: DurableStateBench) -> None:
        store = durable.new()
        store.commit(step(1, transitions=[transition(1), transition(2)]))
        before = store.numbering()
        store = durable.reopen(store)
        assert store.numbering() == before
        store.forget_transitions(MANY)
        store = durable.reopen(store)
        store.commit(step(2, transitions=[transition(3)]))
        assert (store.numbering().epoch, store.transitions_after(0, 9)) == (before.epoch, [(3, b"3")])

    def test_rows_are_those_of_a_plain_dict_at_each_commit_and_after_each_reopening(
        self, durable: DurableStateBench
    ) -> None:
        rows = st.lists(st.tuples(st.integers(0, 40), st.none() | st.binary(max_size=40)), max_size=12)

        @settings(max_examples=40, deadline=None, database=None)
        @given(st.lists(st.tuples(rows, st.booleans()), max_size=40))
        def holds(commits: list[tuple[list[tuple[int, bytes | None]], bool]]) -> None:
            stores[0].reset()
            model: dict[int, bytes] = {}
            for position, (changed, reopened) in enumerate(commits):
                stores[0].commit(step(position, rows=changed))
                model = {number: row for number, row in {**model, **dict(changed)}.items() if row is not None}
                stores[0] = durable.reopen(stores[0]) if reopened else stores[0]
                assert sorted(stores[0].rows()) == sorted(model.items())

        stores = [durable.new()]
        holds()

    def test_what_was_pruned_before_the_last_commit_is_gone_after_reopening(self, durable: DurableStateBench) -> None:
        store = durable.new()
        store.commit(step(2, outbox=[(1, b"a"), (2, b"b")]))
        store.prune_outbox(1)
        store.commit(step(3))
        again = durable.reopen(store)
        assert again.outbox(-1, 9) == [(2, b"b")]
        assert [body for _, body in again.outbox_after(0, 9)] == [b"b"]

    def test_a_reset_is_there_after_reopening(self, durable: DurableStateBench) -> None:
        store = durable.new()
        store.commit(full_step(5))
        store.reset()
        assert held(durable.reopen(store)) == EMPTY

    def test_a_snapshot_is_a_store_as_of_its_commit(self, durable: DurableStateBench, tmp_path: Path) -> None:
        store = durable.new()
        for position in range(20):
            store.commit(full_step(position))
        before, numbering = held(store), store.numbering()
        store.snapshot(tmp_path / "snapshot")
        for position in range(20, 40):
            store.commit(full_step(position))
        copy = durable.at(tmp_path / "snapshot")
        assert (held(copy), copy.numbering()) == (before, numbering)
        for position in range(20, 40):
            copy.commit(full_step(position))
        assert held(copy) == held(store)
        copy.close()
        store.close()

    def test_a_snapshot_that_cannot_be_written_says_so_and_harms_nothing(
        self, durable: DurableStateBench, tmp_path: Path
    ) -> None:
        store = durable.new()
        store.commit(full_step(5))
        with pytest.raises(StoreError, match="cannot be copied"):
            store.snapshot(tmp_path / "nowhere" / "snapshot")
        store.commit(full_step(6))
        assert len(held(store).transitions) == 2
        store.close()
