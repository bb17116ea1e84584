"""Whatever happens to people, vendors and processes: in the end the vendor has what the house says, and nobody more."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livepost.clock import SECOND_MS
from livepost.errors import StoreError
from livepost.sync import destination as room
from livepost.sync import plan as planning
from livepost.sync import pushing
from livepost.sync.book import Book
from livepost.sync.card import Ident, differ
from livepost.sync.pushing import Pusher
from livepost.sync.vendor.every import VENDORS
from tests.unit.sync.bench import NAME, START_MS, Bench, KilledError, QuickBook
from tests.unit.sync.town import Person, Town
from tests.unit.sync.vendors import KlaviyoModel

FAULTS = ("429", "500", "reset", "lost", "401")
STEPS = 80
LIVES = 12


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
        (1, town.forget),
        (1, lambda one: town.merge(one, random.choice([new for new in free if new is not one] or [town.add()]))),
    ]
    kind = random.random()
    if kind < 0.15 or not free:
        one = town.add()
        town.enter(one, "browsing", random.random() < 0.8)
        town.allow(one, random.random() < 0.8)
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


class MortalBook(QuickBook):
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
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_in_the_end_the_vendor_has_what_the_house_says(
    vendor: str, seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("book") / "audiences.db"
    bench = lived(seed, vendor, path)
    with closing(bench.book):
        assert bench.is_in_step(), (bench.model.in_lists(), bench.town.expected())
        known = {one.handle for one in bench.book.rows_after(NAME, b"", 1_000)}
        left = {
            ident
            for ident in bench.model.profiles
            if bench.town.handle(Ident(bench.town.ident_kind, ident)) not in known
        }
        assert left == set(), "who was forgotten is forgotten there too"
        never = {
            address
            for n, one in enumerate(bench.town.people)
            for address in (one.email, f"person-{n}@example.com")
            if not one.ever_allowed
        }
        assert not never & bench.model.ever, "nothing leaves without consent, not for a moment"
        gone = {f"person-{n}@example.com" for n, one in enumerate(bench.town.people) if one.forgotten}
        assert not gone & {*bench.model.profiles}


def fails_somewhere(path: Path, vendor: str = "iterable") -> bool:
    """Say whether one of some lives ends out of step."""
    for seed in range(LIVES):
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


# What is sent, and when


@pytest.mark.parametrize("vendor", sorted(VENDORS))
def test_only_what_changed_is_sent(vendor: str, tmp_path: Path) -> None:
    bench = grown(tmp_path, vendor)
    with closing(bench.book):
        bench.run()
        assert bench.is_in_step()
        before = len(bench.model.requests)
        bench.next_round()
        assert [one for one in bench.model.requests[before:] if one[0] != "GET"] == [], "nothing did"
        bench.town.people[1].values["spent"] = 7
        bench.next_round()
        changed = json.dumps([told for method, _, told in bench.model.requests[before:] if method != "GET"])
        assert "person-1@example.com" in changed and "person-2@" not in changed and "list-" not in changed
        assert bench.is_in_step()


def test_nobody_ever_leaves_without_consent(tmp_path: Path) -> None:
    bench = grown(tmp_path)
    for _ in range(3):
        bench.town.enter(bench.town.add(), "vip")
    with closing(bench.book):
        bench.run()
        assert bench.model.ever == {f"person-{n}@example.com" for n in range(3)}


def test_a_withdrawn_consent_goes_before_all_that_wait(tmp_path: Path) -> None:
    bench = grown(tmp_path, "braze", people=1)
    with closing(bench.book):
        bench.run()
        for _ in range(400):
            one = bench.town.add()
            bench.town.allow(one)
            bench.town.enter(one, "browsing")
        ada = bench.town.people[0]
        bench.destination._hear(bench.standing())  # they wait already
        bench.town.permit_changes.clear()
        bench.book.stand(replaced(bench.standing(), permit=0))
        bench.town.allow(ada, False)
        before = len(bench.model.requests)
        bench.turn()
        [(_, _, told)] = bench.model.requests[before : before + 1]
        assert told["attributes"][0]["email"] == ada.email
        assert told["attributes"][0]["list-browsing"] is False
        assert bench.clock.now_ms() - START_MS < 2 * SECOND_MS


def replaced(standing: Any, **other: Any) -> Any:
    """Return where a destination stands, but for something."""
    return msgspec.structs.replace(standing, **other)


def test_retry_after_and_the_back_off_are_kept(tmp_path: Path) -> None:
    bench = grown(tmp_path, "braze")
    bench.model.faults = ["429", "500", "500"]
    asked: list[int] = []
    bench.model.before = lambda: asked.append(bench.clock.now_ms())
    with closing(bench.book):
        while not bench.standing() or not bench.standing().changes:
            bench.turn()
        waits = [later - earlier for earlier, later in pairwise(asked)][:3]
        assert 7 <= waits[0] / SECOND_MS < 9 and waits[2] / SECOND_MS >= 120
        assert 30 <= waits[1] / SECOND_MS < 33
        bench.run()
        assert bench.is_in_step()


def test_a_wait_is_kept_across_a_kill(tmp_path: Path) -> None:
    bench = grown(tmp_path, "braze")
    bench.model.faults = ["429"]
    while not (bench.standing() and bench.standing().tries):
        bench.turn()
    asked = bench.clock.now_ms()
    bench.end()
    bench.start()
    with closing(bench.book):
        while not bench.model.requests:
            bench.turn()
        assert bench.clock.now_ms() - asked >= 6.5 * SECOND_MS
        bench.run()
        assert bench.is_in_step()


@pytest.mark.parametrize("vendor", sorted(VENDORS))
def test_a_vendors_pace_is_kept(vendor: str, tmp_path: Path) -> None:
    """In any second: no more requests than at once, and what is added in a second; and so in any ten."""
    bench = grown(tmp_path, vendor, people=300)
    asked: list[int] = []
    bench.model.before = lambda: asked.append(bench.clock.now_ms())
    bench.pusher.size = 5  # for many requests
    limits = VENDORS[vendor].limits
    with closing(bench.book):
        bench.run()
        for person in bench.town.people:
            bench.town.enter(person, "browsing", False)
        bench.run()
        assert bench.is_in_step()
    for seconds in (1, 10):
        most = max(sum(at <= other < at + seconds * SECOND_MS for other in asked) for at in asked)
        assert most <= limits.burst + seconds * limits.per_s + 1


def test_a_bad_body_is_cut_until_it_is_one_persons(tmp_path: Path) -> None:
    bench = grown(tmp_path, "sendgrid", people=40)
    bench.model.poison = {"person-17@example.com", "person-33@example.com"}
    with closing(bench.book):
        bench.run()
        letters = bench.book.letters()
        assert sorted(one.person for one in letters) == [bench.town.people[n].id for n in (17, 33)]
        assert {one.why for one in letters} == {"sendgrid answered 400"}
        assert {*bench.model.in_lists()} == {*bench.town.expected()} - bench.model.poison
        before = len(bench.model.requests)
        bench.next_round()
        assert [told for method, _, told in bench.model.requests[before:] if method == "PUT"] == [], (
            "not again as it was"
        )
        bench.model.poison.clear()
        assert bench.book.retry(NAME) == 2
        bench.run()
        assert bench.is_in_step() and bench.book.letters() == []


def test_who_was_refused_is_tried_again_with_something_else(tmp_path: Path) -> None:
    bench = grown(tmp_path, "braze")
    bench.model.poison = {"person-1@example.com"}
    with closing(bench.book):
        bench.run()
        assert [one.person for one in bench.book.letters()] == [bench.town.people[1].id]
        bench.model.poison.clear()
        bench.town.enter(bench.town.people[1], "vip")
        bench.run()
        assert bench.is_in_step() and bench.book.letters() == []


def test_a_destination_that_refuses_everybody_is_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pushing, "DEAD_MAX", 20)
    bench = grown(tmp_path, "braze", people=200)
    bench.model.poison = {f"person-{n}@example.com" for n in range(200)}
    with closing(bench.book):
        bench.run()
        assert bench.standing().held.startswith("20 dead letters wait")
        assert len(bench.model.requests) < 4
        before = len(bench.model.requests)
        bench.next_round()
        assert len(bench.model.requests) == before
        bench.model.poison.clear()
        bench.book.retry(NAME)
        bench.run()
        assert bench.is_in_step()


def test_a_job_is_waited_for_and_whom_it_refuses_is_a_dead_letter(tmp_path: Path) -> None:
    bench = grown(tmp_path, "klaviyo")
    model = bench.model
    assert isinstance(model, KlaviyoModel)
    model.working, model.poison = 3, {"person-1@example.com"}
    with closing(bench.book):
        while bench.book.standing(NAME) is None or not bench.book.tally(NAME).jobs:
            bench.turn()
        bench.town.enter(bench.town.people[0], "browsing", False)
        for _ in range(8):
            bench.turn()
        assert "DELETE" not in {method for method, _, _ in model.requests}, "the job might do it after it"
        bench.run()
        assert [(one.person, one.why) for one in bench.book.letters()] == [(bench.town.people[1].id, "invalid")]
        assert {*model.in_lists()} == {"person-2@example.com"}
        looks = [url for method, url, _ in model.requests if method == "GET" and url.endswith("/job-0")]
        assert len(looks) == 4


def test_all_pages_of_a_jobs_errors_are_read(tmp_path: Path) -> None:
    bench = grown(tmp_path, "klaviyo", people=9)
    bench.model.poison = {f"person-{n}@example.com" for n in range(7)}
    with closing(bench.book):
        bench.run()
        assert bench.book.tally(NAME).dead == 7
        assert {*bench.model.in_lists()} == {"person-7@example.com", "person-8@example.com"}


def test_a_job_that_never_ends_is_given_up(tmp_path: Path) -> None:
    bench = grown(tmp_path, "klaviyo", people=1)
    assert isinstance(bench.model, KlaviyoModel)
    bench.model.working = 10_000
    with closing(bench.book):
        for _ in range(400):
            bench.rest(300)
            bench.turn()
        assert [one.why for one in bench.book.letters()] == ["the job did not end in a day"]
        assert sum(url.endswith("/job-0") for _, url, _ in bench.model.requests) < 200


def test_two_people_with_one_address_do_not_take_turns(tmp_path: Path) -> None:
    bench = grown(tmp_path, "braze", people=2)
    for one in bench.town.people:
        one.email = "both@example.com"
        one.values["spent"] = int(one is bench.town.people[0])
    bench.town.enter(bench.town.people[1], "vip")
    with closing(bench.book):
        bench.run()
        before = len(bench.model.requests)
        bench.next_round()
        bench.next_round()
        assert len(bench.model.requests) == before
        assert bench.model.in_lists() == {"both@example.com": ({"list-browsing"}, {"spent": 1})}
        bench.town.enter(bench.town.people[0], "browsing", False)
        bench.run()
        bench.next_round()
        assert bench.model.in_lists() == {"both@example.com": ({"list-browsing", "list-vip"}, {"spent": 0})}


def test_a_house_that_is_away_changes_nothing(tmp_path: Path) -> None:
    bench = grown(tmp_path)
    with closing(bench.book):
        bench.run()
        bench.town.away = True
        bench.town.enter(bench.town.people[0], "vip")
        for _ in range(5):
            with pytest.raises(StoreError):
                bench.turn()
        bench.town.away = False
        bench.run()
        assert bench.is_in_step()


def test_other_lists_in_the_settings_let_everybody_be_looked_at(tmp_path: Path) -> None:
    bench = grown(tmp_path)
    bench.run()
    bench.end()
    bench.town.lists, bench.config = {"browsing": "list-other"}, "2"
    bench.start()
    with closing(bench.book):
        bench.run()
        assert bench.is_in_step()
        assert {name for lists, _ in bench.model.in_lists().values() for name in lists} == {"list-other"}


def test_a_round_looks_at_everybody_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "PAGE", 10)
    bench = grown(tmp_path, people=95)
    for _ in range(5):
        bench.town.enter(bench.town.add(), "browsing")
    with closing(bench.book):
        bench.run()
        before = bench.town.looked
        bench.next_round()
        assert bench.town.looked - before == 100


def test_only_so_many_wait_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "QUEUE_MAX", 30)
    monkeypatch.setattr(room, "PAGE", 10)
    bench = grown(tmp_path, "braze", people=150)
    bench.town.permit_changes.clear()  # these are heard whatever waits
    bench.model.faults = ["500"] * 2
    most = 0
    with closing(bench.book):
        while not bench.standing() or bench.standing().tries < 2:
            bench.turn()
            for person in bench.town.people[:: len(bench.model.requests) + 2]:
                bench.town.enter(person, "vip", "vip" not in person.segments)
            most = max(most, bench.book.waiting(NAME))
        for _ in range(100):
            bench.turn()
            most = max(most, bench.book.waiting(NAME))
        assert 30 <= most <= 2 * 30 + 10
        bench.run()
        assert bench.is_in_step()


def test_a_large_first_fill_goes_on_where_it_was_killed(tmp_path: Path) -> None:
    bench = grown(tmp_path, "sendgrid", people=6_000)
    kills = [2, 3, 5]
    for kill in kills:
        requests = len(bench.model.requests)

        def die(limit: int = requests + kill) -> None:
            if len(bench.model.requests) >= limit:
                raise KilledError

        bench.model.before = die
        with pytest.raises(KilledError):
            bench.run()
        bench.end()
        bench.start()
    bench.model.before = lambda: None
    with closing(bench.book):
        bench.run()
        assert bench.is_in_step()
        told = sum(len(body["contacts"]) for method, _, body in bench.model.requests if method == "PUT")
        assert told <= 6_000 + len(kills) * VENDORS["sendgrid"].limits.people, "a kill repeats a batch at most"
