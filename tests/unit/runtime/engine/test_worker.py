"""The worker over memory stores: a line of events that takes a page of its own, cut and stopped at will."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from livepost import Email, Event, Profile, campaign, count, days, hours, seconds, segment, since
from livepost.clock import DAY_MS, HOUR_MS, SimulatedClock
from livepost.errors import StoreError
from livepost.intake.call import read_call
from livepost.intake.plan import TrackingPlan
from livepost.intake.record import Arrival
from livepost.intake.writer import Intake, Stores
from livepost.log.memory import MemoryLog
from livepost.model.change import Definitions
from livepost.model.compiled import Compiled
from livepost.model.decision import Decision
from livepost.model.outbox import UrgentAsked
from livepost.model.record import KeyKind, Kind, Record
from livepost.model.told import SegmentHistory, SegmentPoint
from livepost.process.people import People
from livepost.process.stage import WAVE
from livepost.project.compiled import compile_project
from livepost.project.declarations import collect
from livepost.runtime.engine.waves import URGENT_ALONE
from livepost.runtime.engine.worker import TRANSITIONS_MAX, Worker
from livepost.state.memory import MemoryState
from livepost.vault.base import USER, ExternalId
from livepost.vault.memory import MemoryVault

START_MS = 1_795_000_000_000
FIRST_HOUR = START_MS // HOUR_MS * HOUR_MS
PEOPLE = ("ada", "bob", "cleo")


class ProductViewed(Event):
    product_id: str


class OrderCompleted(Event):
    order_id: str


class Shopper(Profile):
    views = count(ProductViewed, over=days(7))
    browsing = segment(views >= 2)
    gone = segment((since(ProductViewed) >= hours(1)) & (since(OrderCompleted) > since(ProductViewed)))


@campaign(audience=Shopper.browsing, wait=seconds(30), until=OrderCompleted, purpose="marketing")
def reminder(shopper: Shopper) -> Email:
    return Email("note", subject="Still looking?")


class Keener(Profile):
    views = count(ProductViewed, over=days(7))
    browsing = segment(views >= 3)


@campaign(audience=Keener.browsing, purpose="marketing")
def keen_reminder(shopper: Keener) -> Email:
    return Email("note", subject="Still looking?")


PAGE = compile_project(collect({"Shopper": Shopper, "reminder": reminder}))
CHANGED = compile_project(collect({"Keener": Keener, "keen_reminder": keen_reminder}))


def iso(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat()


class Line:
    """A log that is written by calls, on a clock that moves when told."""

    def __init__(self, page: Compiled = PAGE) -> None:
        self.clock = SimulatedClock(START_MS)
        self.log = MemoryLog(self.clock, host=self.clock)
        numbers = itertools.count()
        self.vault = MemoryVault(root=b"r" * 32, new_id=lambda: next(numbers).to_bytes(16, "big"))
        self._intake = Intake(Stores(self.log, self.vault), TrackingPlan(page), workspace="shop")

    def take(self, *calls: dict[str, Any]) -> int:
        arrival = Arrival(source="server", key=KeyKind.SECRET, received_at=self.clock.now_ms())
        return self._intake.take([read_call(json.dumps(call).encode()) for call in calls], arrival).last

    def look(self, person: str, product: str) -> int:
        told = {"event": "Product Viewed", "properties": {"productId": product}}
        return self.take({"type": "track", "userId": person, "messageId": f"{person}-{product}", **told})

    def pass_time(self, by_ms: int) -> int:
        self.clock.advance(by_ms)
        return self._intake.tick().last

    def name(self, page: Compiled) -> int:
        control = {"hash": page.hash(), "project": msgspec.to_builtins(page)}
        return self.change(Kind.PROJECT, control)

    def change(self, kind: Kind, control: Any) -> int:
        told = msgspec.to_builtins(control, builtin_types=(bytes,))
        return self._intake.append([Record(kind=kind, control=told)]).last

    def subject(self, person: str) -> bytes:
        keys = self.vault.find(ExternalId(USER, person))
        assert keys is not None
        return keys.subject

    def worker(self, store: MemoryState, page: Compiled = PAGE, wave: int = WAVE) -> Worker:
        return Worker(page, store, self.log, self.clock, "shop", wave)


def a_busy_day(line: Line) -> None:
    """Three people, looks, a duplicate, a dead letter, waits and due times."""
    for product, person in itertools.product("abc", PEOPLE):
        line.look(person, product)
        line.pass_time(11_000)
    line.look("ada", "a")
    late = {"event": "Product Viewed", "timestamp": iso(START_MS - 2 * DAY_MS), "properties": {"productId": "a"}}
    line.take({"type": "track", "userId": "dora", "messageId": "late", **late})
    line.take({"type": "track", "userId": "bob", "messageId": "broken", "event": "Product Viewed"})
    line.pass_time(2 * 3_600_000)
    line.look("ada", "d")
    line.pass_time(DAY_MS)


def run(worker: Worker, at_most: int = 1_000_000) -> Worker:
    for _ in range(at_most):
        if not worker.turn():
            break
    return worker


def answers(worker: Worker) -> dict[str, Any]:
    """Everything that others can ask, but for what is measured."""
    status = worker.status()
    return {
        "people": sorted(worker.everybody(100), key=lambda view: view.person),
        "transitions": worker.transitions(None, None, 1000),
        "outbox": sorted(worker.decisions(-1, 1000).items, key=lambda item: item.position),
        "dead": worker.dead(-1, 100),
        "counts": status.counts,
        "lateness": status.lateness,
        "total": status.transitions,
        "at": (status.position, status.as_of, status.complete_to, status.next_due),
    }


def test_an_empty_log_is_nothing_to_do() -> None:
    line = Line()
    worker = line.worker(MemoryState())
    assert not worker.turn()
    assert worker.status().position == -1
    assert worker.next_due() is None


def test_people_transitions_and_decisions_come_of_events_and_time() -> None:
    line = Line()
    line.look("ada", "a")
    line.look("ada", "b")
    worker = run(line.worker(MemoryState()))
    assert worker.next_due() == START_MS + 30_000
    line.pass_time(30_000)
    run(worker)
    (decision,) = worker.decisions(-1, 10).items
    assert isinstance(decision, Decision) and decision.campaign == "reminder"
    assert [one.segment for one in worker.transitions(None, None, 10)] == ["browsing"]
    assert worker.people([line.subject("ada")])[line.subject("ada")].features["views"] == 2


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_worker_opened_anew_goes_on_as_if_it_had_never_stopped(turns: int) -> None:
    line, store = Line(), MemoryState()
    for product, person in itertools.product("abc", PEOPLE):
        line.look(person, product)
        line.pass_time(11_000)
        run(line.worker(store), turns)
    a_busy_day(line)
    resumed = run(line.worker(store))
    assert answers(resumed) == answers(run(line.worker(MemoryState())))
    assert answers(run(line.worker(store))) == answers(resumed)


def test_a_commit_that_fails_leaves_the_worker_where_it_was() -> None:
    class Full(MemoryState):
        full = False

        def commit(self, commit: Any) -> None:
            if self.full:
                raise StoreError("the disk is full")
            super().commit(commit)

    line, store = Line(), Full()
    line.look("ada", "a")
    worker = run(line.worker(store))
    line.look("ada", "b")
    store.full = True
    with pytest.raises(StoreError):
        worker.turn()
    assert worker.status().position == 0
    store.full = False
    a_busy_day(line)
    assert answers(run(worker)) == answers(run(line.worker(MemoryState())))


def test_a_folder_that_was_changed_changes_nothing_until_the_log_says_so() -> None:
    line, store = Line(), MemoryState()
    a_busy_day(line)
    before = answers(run(line.worker(store)))
    assert answers(run(line.worker(store, CHANGED))) == before
    assert line.worker(store, CHANGED).definitions == Definitions(serving=PAGE)
    assert answers(run(line.worker(MemoryState(), CHANGED))) != before  # neither state nor log names a project


@pytest.mark.parametrize("opened_before", [False, True])
def test_the_first_project_that_the_log_names_serves_from_its_beginning(opened_before: bool) -> None:
    line, store = Line(), MemoryState()
    early = line.worker(store, CHANGED) if opened_before else None
    line.name(PAGE)
    a_busy_day(line)
    line.name(CHANGED)  # a later one changes nothing
    worker = run(early or line.worker(store, CHANGED))
    assert worker.definitions == Definitions(serving=PAGE)
    assert answers(worker) == answers(run(line.worker(MemoryState(), PAGE)))
    assert [item.campaign for item in worker.decisions(-1, 10).items if isinstance(item, Decision)] == [
        "reminder"
    ] * len(PEOPLE)


def test_a_replay_begins_where_retention_left_the_log() -> None:
    line = Line()
    line.look("ada", "a")
    line.pass_time(DAY_MS)
    line.clock.advance(1000)
    line.look("bob", "a")
    line.look("bob", "b")
    assert line.log.prune(2, line.clock.now_ms() + 1) == 2
    worker = run(line.worker(MemoryState()))
    assert worker.status().complete_to == line.log.last().seq
    assert [view.features["views"] for view in worker.everybody(10)] == [2]


def test_a_state_that_has_seen_more_than_the_log_is_refused() -> None:
    line, store = Line(), MemoryState()
    a_busy_day(line)
    run(line.worker(store))
    with pytest.raises(StoreError, match=r"has seen position \d+, the log ends at -1; restore both from one backup"):
        Line().worker(store)


def test_the_outbox_comes_in_pages_that_together_are_the_whole() -> None:
    line = Line()
    a_busy_day(line)
    worker = run(line.worker(MemoryState()))
    whole = worker.decisions(-1, 1000)
    assert len(whole.items) == 3 and not whole.more and whole.complete_to == worker.status().complete_to
    for limit in (1, 2, 3):
        after, found, more = 0, [], True
        while more:
            page = worker.decisions(after, limit)
            found += page.items
            after, more = page.last, page.more
        assert found == whole.items
        assert page.complete_to == whole.complete_to


def test_a_page_that_is_cut_says_nothing_of_what_is_complete() -> None:
    line = Line()
    a_busy_day(line)
    page = run(line.worker(MemoryState())).decisions(-1, 1)
    assert page.more
    assert page.complete_to == -1


def test_what_a_wave_brings_late_is_told_once_and_an_older_position_behind_a_newer_one() -> None:
    line = Line()
    worker = line.worker(MemoryState(), wave=1)
    for person in ("ada", "bob"):
        line.look(person, "a")
        line.look(person, "b")
    run(worker)
    line.pass_time(31_000)
    assert worker.turn()  # one of the two, while the other waits
    first = worker.decisions(0, 10)
    assert len([item for item in first.items if isinstance(item, Decision)]) == 1
    assert first.complete_to < worker.shard.position
    run(worker)
    second = worker.decisions(first.last, 10)
    assert len([item for item in second.items if isinstance(item, Decision)]) == 1
    assert (second.complete_to, second.epoch) == (worker.shard.position, first.epoch)
    assert worker.decisions(second.last, 10).items == []


def test_another_engine_numbers_otherwise_and_says_so() -> None:
    line, store = Line(), MemoryState()
    a_busy_day(line)
    before = run(line.worker(store)).decisions(0, 10)
    after = line.worker(store).decisions(0, 10)
    assert before.items == after.items
    assert before.epoch != after.epoch


def test_what_the_courier_has_is_forgotten_and_the_rest_kept() -> None:
    line = Line()
    a_busy_day(line)
    worker = run(line.worker(MemoryState()))
    first, *rest = worker.decisions(-1, 1000).items
    worker.served(first.position)
    assert worker.decisions(-1, 1000).items == [item for item in rest if item.position > first.position]


def test_people_are_refused_before_the_engine_is_as_far_as_asked() -> None:
    line = Line()
    line.look("ada", "a")
    worker = run(line.worker(MemoryState()))
    last = line.look("ada", "b")
    with pytest.raises(StoreError, match=f"the engine is at position 0, asked for {last}; ask again"):
        worker.people([line.subject("ada")], last)
    run(worker)
    assert worker.people([line.subject("ada"), b"nobody" + bytes(10)], last).keys() == {line.subject("ada")}


def test_everybody_is_as_many_as_asked_for_in_the_order_first_seen() -> None:
    line = Line()
    for person in PEOPLE:
        line.look(person, "a")
    worker = run(line.worker(MemoryState()))
    assert [view.person for view in worker.everybody(2)] == [line.subject("ada"), line.subject("bob")]
    assert len(worker.everybody(100)) == 3
    assert worker.everybody(0) == []


def test_transitions_are_asked_for_within_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    line = Line()
    a_busy_day(line)
    worker = run(line.worker(MemoryState()))
    monkeypatch.setattr("livepost.runtime.engine.worker.TRANSITIONS_MAX", 2)
    assert TRANSITIONS_MAX == 10_000
    assert len(worker.transitions(None, None, 1000)) == 2
    assert all(one.person == line.subject("bob") for one in worker.transitions(line.subject("bob"), None, 10))


def test_how_late_events_came_is_told_each_once_whatever_was_stopped() -> None:
    line, store = Line(), MemoryState()
    a_busy_day(line)
    for _ in range(100):
        worker = run(line.worker(store), 1)
    lateness, counts = worker.status().lateness, worker.status().counts
    assert {band.up_to_ms: band.live for band in lateness.bands if band.live} == {1_000: 10, 7 * DAY_MS: 1}
    assert sum(band.live + band.imported for band in lateness.bands) == counts["processed"]
    assert set(counts) == {"processed", "duplicate", "filtered", "quarantined", "dead_lettered"}


def test_freshness_is_the_time_from_the_logs_commit_to_the_states() -> None:
    line = Line()
    line.look("ada", "a")
    line.clock.advance(250)
    worker = run(line.worker(MemoryState()))
    assert len(worker.freshness) == 1
    assert 250 <= worker.freshness.quantile(0.5) <= 250 * 1.05


def test_what_is_past_its_time_is_forgotten_once_a_day_and_counts_stay() -> None:
    line, store = Line(), MemoryState()
    line.look("ada", "a")
    line.look("ada", "b")
    worker = run(line.worker(store))
    line.pass_time(89 * DAY_MS)
    run(worker)
    assert {one.segment for one in worker.transitions(None, None, 10)} >= {"browsing"}
    total = worker.status().transitions
    line.pass_time(3 * DAY_MS)
    run(worker)
    assert [one.segment for one in worker.transitions(None, None, 10) if one.at < START_MS + 2 * DAY_MS] == []
    assert worker.status().transitions >= total
    assert list(store.seen()) == []


def test_a_long_silence_in_the_log_is_worked_off_in_steps_of_a_day() -> None:
    line = Line()
    for _ in range(5):
        line.look("ada", "a")
        line.pass_time(2 * DAY_MS)
    worker = line.worker(MemoryState())
    turns = sum(1 for _ in iter(worker.turn, False))
    assert turns >= 5
    assert worker.status().counts["duplicate"] == 4


def test_letters_that_the_log_has_dropped_are_not_told_of_any_more() -> None:
    line = Line()
    gone, kept = (line.take({"type": "track", "userId": "bob", "event": "Product Viewed"}) for _ in range(2))
    worker = run(line.worker(MemoryState()))
    assert [letter.position for letter in worker.dead(-1, 10)] == [gone, kept]
    line.log.prune(kept, START_MS + 1)
    assert [letter.position for letter in worker.dead(-1, 10)] == [kept]
    assert (worker.letter(gone), worker.letter(kept) is not None) == (None, True)


def test_a_letter_is_told_of_as_of_a_position_or_not_at_all() -> None:
    line = Line()
    position = line.take({"type": "track", "userId": "bob", "event": "Product Viewed"})
    worker = run(line.worker(MemoryState()))
    assert worker.letter(position, position) == worker.dead(-1, 1)[0]
    with pytest.raises(StoreError, match=f"the engine is at position {position}, asked for {position + 1}"):
        worker.letter(position, position + 1)


def strangers_and_merges(line: Line) -> None:
    """Strangers who look around; three of them turn out to be people known already, or become known."""
    for number, product in itertools.product(range(6), "ab"):
        told = {"event": "Product Viewed", "properties": {"productId": product}}
        line.take({"type": "track", "anonymousId": f"s{number}", "messageId": f"s{number}-{product}", **told})
        line.pass_time(2_000)
    line.look("ada", "a")
    line.look("ada", "b")
    line.take({"type": "identify", "userId": "ada", "anonymousId": "s0"})
    line.take({"type": "identify", "userId": "ada", "anonymousId": "s1"})
    line.take({"type": "identify", "userId": "cleo", "anonymousId": "s2"})
    line.take({"type": "track", "anonymousId": "s3", "event": "Order Completed", "properties": {"orderId": "o"}})


def counted(worker: Worker) -> tuple[int, dict[str, int], dict[str, int]]:
    """Return people, people by segment and people under way by campaign, as the worker keeps count of them."""
    inside = {one.segment: one.people for one in worker.segments()}
    return worker.status().people, inside, worker.under_way()


def recounted(worker: Worker) -> tuple[int, dict[str, int], dict[str, int]]:
    """Return the same, counted from each person."""
    everybody = worker.everybody(1000)
    inside = Counter(one.segment for view in everybody for one in view.memberships if one.inside)
    under_way = Counter(one.campaign for view in everybody for one in view.journeys)
    segments = [one.segment for one in worker.segments()]
    return len(everybody), {name: inside[name] for name in segments}, dict(under_way)


def test_the_counts_kept_are_those_of_everybody_after_each_step_merges_and_a_new_start() -> None:
    line, store = Line(), MemoryState()
    worker, seen = line.worker(store), []
    for happens in (strangers_and_merges, a_busy_day, strangers_and_merges, lambda line: line.pass_time(HOUR_MS)):
        happens(line)
        while worker.turn():
            seen.append(counted(worker))
            assert seen[-1] == recounted(worker)
        worker = line.worker(store)
        assert counted(worker) == recounted(worker) == seen[-1]
    assert any(under_way for _, _, under_way in seen) and any(sum(inside.values()) for _, inside, _ in seen)


def test_counts_that_are_not_kept_up_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(People, "_recount", lambda *_: None)
    line = Line()
    strangers_and_merges(line)
    worker = run(line.worker(MemoryState()))
    assert counted(worker)[1:] != recounted(worker)[1:]


def history(worker: Worker, since_ms: int = 0) -> dict[str, list[tuple[int, int]]]:
    """Return the points by segment: (hours since the first hour of the line, people)."""
    told = worker.segment_history(since_ms)
    return {one.segment: [((point.at - FIRST_HOUR) // HOUR_MS, point.people) for point in one.points] for one in told}


def test_the_hour_that_a_step_leaves_gets_the_counts_before_the_step() -> None:
    line, store = Line(), MemoryState()
    worker = line.worker(store)
    line.look("ada", "a")
    line.look("ada", "b")
    run(worker)
    assert history(worker) == {"browsing": [], "gone": []}
    line.clock.advance(FIRST_HOUR + HOUR_MS - START_MS)
    line.look("bob", "a")
    line.look("bob", "b")
    run(worker)
    assert history(worker) == {"browsing": [(1, 1)], "gone": [(1, 0)]}
    line.pass_time(3 * HOUR_MS)
    run(worker)
    assert history(worker)["browsing"] == [(1, 1), (2, 2)]
    assert history(line.worker(store))["browsing"] == [(1, 1), (2, 2)]
    assert worker.segment_history(FIRST_HOUR + 3 * HOUR_MS) == [
        SegmentHistory("browsing", [SegmentPoint(FIRST_HOUR + 2 * HOUR_MS, 2)]),
        SegmentHistory("gone", [SegmentPoint(FIRST_HOUR + 2 * HOUR_MS, 0)]),
    ]


def test_the_history_counts_two_who_became_one_once() -> None:
    line = Line()
    strangers_and_merges(line)
    worker = run(line.worker(MemoryState()))
    inside = recounted(worker)[1]["browsing"]
    line.pass_time(HOUR_MS)
    assert history(run(worker))["browsing"][-1][1] == inside == 5


def test_a_step_that_failed_leaves_no_hour_and_the_next_try_one() -> None:
    class Full(MemoryState):
        full = False

        def commit(self, commit: Any) -> None:
            if self.full:
                raise StoreError("the disk is full")
            super().commit(commit)

    line, store = Line(), Full()
    line.look("ada", "a")
    worker = run(line.worker(store))
    line.pass_time(HOUR_MS)
    store.full = True
    with pytest.raises(StoreError):
        worker.turn()
    assert history(worker)["browsing"] == []
    store.full = False
    assert len(history(run(worker))["browsing"]) == 1


def test_hours_are_kept_as_long_as_transitions() -> None:
    line, store = Line(), MemoryState()
    worker = line.worker(store)
    for _ in range(4):
        line.look("ada", "a")
        run(worker)
        line.pass_time(30 * DAY_MS)
        run(worker)
    assert [hour for hour, _ in history(worker)["browsing"]] == [30 * 24 + 1, 60 * 24 + 1, 90 * 24 + 1]


@campaign(on=OrderCompleted, purpose="orders", class_="transactional")
def receipt(shopper: Shopper) -> Email:
    return Email("note", subject="Your order")


RECEIPTS = compile_project(collect({"Shopper": Shopper, "reminder": reminder, "receipt": receipt}))


def test_what_is_urgent_is_told_with_its_people_and_after_a_restart_too() -> None:
    line, store = Line(RECEIPTS), MemoryState()
    worker = run(line.worker(store, RECEIPTS))
    epoch = worker.decisions(0, 1).epoch
    assert worker.urgent(UrgentAsked(epoch, 0, 0)) is None
    order = {"type": "track", "userId": "ada", "messageId": "o1", "event": "Order Completed"}
    line.look("ada", "a")
    position = line.take({**order, "properties": {"orderId": "1"}})
    for again in (run(worker), line.worker(store, RECEIPTS)):
        epoch = again.decisions(0, 1).epoch
        told = again.urgent(UrgentAsked(epoch, 0, 0))
        assert told is not None
        [one] = told.page.items
        assert isinstance(one, Decision)
        assert (one.campaign, one.position, told.page.complete_to) == ("receipt", position, -1)
        assert told.people[one.person].subjects == (line.subject("ada"),)
        assert again.urgent(UrgentAsked(epoch, told.page.last, 0)) is None
        assert again.urgent(UrgentAsked("another", 0, 0)) is None
    worker.served(position)
    assert worker.urgent(UrgentAsked(worker.decisions(0, 1).epoch, 0, 0)) is None


def test_a_wave_is_served_in_small_parts_while_a_courier_is_told_of_transactional_mails() -> None:
    """And in large ones without them, which is the negative control."""
    most = 2 * URGENT_ALONE
    assert {order: served_beside(order, most) for order in (False, True)} == {False: most, True: URGENT_ALONE}


def served_beside(order: bool, most: int) -> int:
    """Return how many of 3 * `most` people who are due a step serves, behind one with an order in it or without."""
    line = Line(RECEIPTS)
    for number in range(3 * most):
        line.look(f"p{number}", "a")
    worker = run(line.worker(MemoryState(), RECEIPTS, most))
    line.pass_time(8 * DAY_MS)  # all looks have left the window by now
    if order:
        told = {"type": "track", "userId": "ada", "messageId": "o1", "event": "Order Completed"}
        line.take({**told, "properties": {"orderId": "1"}})
    worker.turn()
    told_of = worker.urgent(UrgentAsked(worker.decisions(0, 1).epoch, 0, 0))
    assert (told_of is not None) == order
    before = len(worker.shard.due(line.clock.now_ms(), 1_000))
    worker.turn()
    return before - len(worker.shard.due(line.clock.now_ms(), 1_000))
