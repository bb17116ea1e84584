"""Replays over stores in memory: appended once, counted once, quiet; each proof beside the fault that it is for."""

from __future__ import annotations

import asyncio
import itertools
import json
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livepost import Email, Event, Money, Profile, campaign, count, days, hours, segment, since, total
from livepost.clock import DAY_MS, SimulatedClock
from livepost.errors import OverloadedError, RejectedError, StoreError
from livepost.intake import letter as letter_module
from livepost.intake.call import read_call
from livepost.intake.letter import FORGOTTEN, Letters
from livepost.intake.plan import TrackingPlan, Undeclared
from livepost.intake.record import Arrival
from livepost.intake.writer import Intake, Stores
from livepost.log.memory import MemoryLog
from livepost.model.decision import Decision
from livepost.model.letter import EDITED_BYTES_MAX, Letter, Replay, Replayed
from livepost.model.person import PersonView
from livepost.model.record import KeyKind, Origin, Record
from livepost.process.dedupe import CONFLICT
from livepost.project.compiled import compile_project
from livepost.project.declarations import collect
from livepost.runtime.engine.worker import Worker
from livepost.runtime.front.letters import kept
from livepost.runtime.front.replaying import WISHES_MAX, Replaying
from livepost.state.memory import MemoryState
from livepost.vault.base import USER, ExternalId
from livepost.vault.memory import MemoryVault

START_MS = 1_795_000_000_000


class ProductViewed(Event):
    product_id: str


class OrderCompleted(Event):
    order_id: str
    total: Money


class Shopper(Profile):
    views = count(ProductViewed, over=days(7))
    spend = total(OrderCompleted.total, over=days(90))
    keen = segment(views >= 2)
    away = segment(since(ProductViewed) >= hours(1))


@campaign(audience=Shopper.keen, purpose="receipts", class_="transactional")
def keen_note(shopper: Shopper) -> Email:
    return Email("note", subject="Still looking?")


@campaign(on=OrderCompleted, purpose="receipts", class_="transactional")
def receipt(shopper: Shopper) -> Email:
    return Email("note", subject="Thank you")


PAGE = compile_project(collect({"Shopper": Shopper, "keen_note": keen_note, "receipt": receipt}), currency="EUR")


class Desk:
    """A log, its engine and its front's part in replaying; it keeps letters as a running house does."""

    def __init__(self, undeclared: Undeclared = "allow") -> None:
        self.clock = SimulatedClock(START_MS)
        self.log = MemoryLog(self.clock, host=self.clock)
        numbers, ids = itertools.count(1), itertools.count()
        self.vault = MemoryVault(root=b"r" * 32, new_id=lambda: next(numbers).to_bytes(16, "big"))
        plan = TrackingPlan(PAGE, undeclared)
        self.intake = Intake(
            Stores(self.log, self.vault), plan, workspace="shop", new_id=lambda: f"made-{next(ids):04d}"
        )
        self.worker = Worker(PAGE, MemoryState(), self.log, self.clock, "shop")
        self.engine_works = True
        self.front_starts()

    def front_starts(self) -> None:
        """Let the front begin anew, knowing nothing of what one before it did."""
        letters = Letters(self.vault, "shop", PAGE)
        self.replaying = Replaying(self, self.intake, log=lambda: self.log, letters=lambda: letters)

    def kept(self, position: int, at_least: int) -> tuple[Letter, Record]:
        self.work()
        return kept(self.worker, self.log, position, at_least)

    def put_aside(self, position: int) -> Letter | None:
        self.work()
        return self.worker.letter(position, position)

    def work(self) -> None:
        while self.engine_works and self.worker.turn():
            pass

    def take(self, *calls: dict[str, Any], origin: Origin = Origin.LIVE, key: KeyKind = KeyKind.SECRET) -> int:
        arrival = Arrival(source="server", key=key, received_at=self.clock.now_ms(), origin=origin)
        return self.intake.take([read_call(json.dumps(call).encode()) for call in calls], arrival).last

    def replay(self, position: int, edited: Any = None, **rest: Any) -> Replayed:
        told = None if edited is None else json.dumps(edited).encode()
        return asyncio.run(self.replaying.replay(Replay(position=position, call=told, **rest)))

    def letters(self) -> list[Letter]:
        self.work()
        return self.worker.dead(-1, 100)

    def person(self, name: str) -> PersonView:
        self.work()
        keys = self.vault.find(ExternalId(USER, name))
        assert keys is not None
        return self.worker.people([keys.subject])[keys.subject]

    def decisions(self) -> list[Decision]:
        self.work()
        return [item for item in self.worker.decisions(-1, 1_000).items if isinstance(item, Decision)]

    def require_conserved(self) -> None:
        """Assert that nothing vanished."""
        self.work()
        counts = self.worker.status().counts
        assert self.log.events() == sum(counts.values()), counts


def look(product: str, person: str = "ada", **rest: Any) -> dict[str, Any]:
    told = {"event": "Product Viewed", "properties": {"productId": product}}
    return {"type": "track", "userId": person, "messageId": f"{person}-{product}", **told, **rest}


def order(number: int, **properties: Any) -> dict[str, Any]:
    told = {"orderId": f"o{number}", "total": 10 * number, **properties}
    parts = {"event": "Order Completed", "properties": told}
    return {"type": "track", "userId": "ada", "messageId": f"order-{number}", **parts}


def broken(product: str, **rest: Any) -> dict[str, Any]:
    return look(product, properties={"productId": 5}, **rest)


def test_a_letter_that_is_still_wrong_is_said_and_nothing_is_appended() -> None:
    desk = Desk()
    position = desk.take(broken("tea"))
    (letter,) = desk.letters()
    assert desk.replay(position) == Replayed(position=position, reason=letter.reason)
    assert desk.log.last().seq == position
    desk.require_conserved()


def test_a_corrected_letter_counts_as_if_it_had_been_right_and_is_marked() -> None:
    desk = Desk()
    position = desk.take(broken("tea"))
    answer = desk.replay(position, look("tea"))
    assert answer == Replayed(position=position, at=position + 1)
    assert desk.person("ada").features["views"] == 1
    assert [(letter.position, letter.replayed_at) for letter in desk.letters()] == [(position, position + 1)]
    assert desk.worker.status().counts["dead_lettered"] == desk.worker.status().counts["processed"] == 1
    desk.require_conserved()


def test_what_was_replayed_once_is_not_appended_again() -> None:
    desk = Desk()
    position = desk.take(broken("tea"))
    desk.replay(position, look("tea"))
    again = Replayed(position=position, at=position + 1, before=True)
    assert [desk.replay(position, edited) for edited in (look("tea"), look("pot"), None)] == [again] * 3
    assert desk.log.last().seq == position + 1


def test_a_rehearsed_replay_appends_nothing_and_makes_nobody() -> None:
    desk = Desk()
    position = desk.take({**look("tea"), "userId": ""})
    assert desk.replay(position, look("tea", "newcomer"), dry_run=True) == Replayed(position=position)
    assert desk.replay(position, dry_run=True).reason.startswith("expected a `userId` or an `anonymousId`")
    assert desk.log.last().seq == position
    assert desk.vault.find(ExternalId(USER, "newcomer")) is None


def lost_answer(desk: Desk) -> int:
    """Replay a letter with a front that dies when the record is in the log; return the letter's position."""
    position = desk.take(broken("tea"))
    desk.work()
    desk.engine_works = False
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(desk, "put_aside", died)
        with pytest.raises(KeyboardInterrupt):
            desk.replay(position, look("tea"))
    desk.front_starts()
    return position


def died(position: int) -> None:
    raise KeyboardInterrupt


def test_a_front_that_died_between_append_and_answer_finds_the_letter_replayed() -> None:
    desk = Desk()
    position = lost_answer(desk)
    with pytest.raises(StoreError, match="the engine is at position"):
        desk.replay(position, look("tea"))  # until the engine has seen what there is, nobody can know
    desk.engine_works = True
    assert desk.replay(position, look("tea")) == Replayed(position=position, at=position + 1, before=True)
    assert desk.person("ada").features["views"] == 1
    desk.require_conserved()


def twice(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> float:
    """Append a letter's replay twice, as where the first was not known of; return what was counted."""
    position = desk.take(broken("tea"))
    desk.replay(position, look("tea"))
    monkeypatch.setattr(desk, "kept", lambda at, _: unmarked(desk, at))
    assert desk.replay(position, look("tea")).at == position + 2
    desk.require_conserved()
    return float(desk.person("ada").features["views"])


def unmarked(desk: Desk, position: int) -> tuple[Letter, Record]:
    letter, record = kept(desk.worker, desk.log, position)
    return msgspec.structs.replace(letter, replayed_at=None), record


def test_a_replay_that_was_appended_twice_counts_once(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk()
    assert twice(desk, monkeypatch) == 1
    assert desk.worker.status().counts["duplicate"] == 1
    assert desk.letters()[0].replayed_at == 1


def test_with_a_fresh_id_for_each_replay_it_would_count_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control of the test above."""
    fresh = itertools.count()
    made = letter_module.replayed

    def with_a_fresh_id(recorder: Any, letter: Any, *rest: Any, **named: Any) -> Record:
        return made(recorder, msgspec.structs.replace(letter, message_id=f"fresh-{next(fresh)}"), *rest, **named)

    monkeypatch.setattr("livepost.runtime.front.replaying.replayed", with_a_fresh_id)
    assert twice(Desk(), monkeypatch) == 2


def copies(desk: Desk) -> list[int]:
    """Let a client send a broken call three times; return the letters."""
    return [desk.take(broken("tea")) for _ in range(3)]


def test_copies_of_a_letter_count_once_and_all_are_marked() -> None:
    desk = Desk()
    for position in copies(desk):
        assert desk.replay(position, look("tea")).reason == ""
    assert desk.person("ada").features["views"] == 1
    assert [letter.replayed_at for letter in desk.letters()] == [3, 4, 5]
    desk.require_conserved()


def test_what_the_client_sent_again_itself_is_put_aside_with_the_reason_and_can_still_be_replayed() -> None:
    desk = Desk()
    position = desk.take(broken("tea"))
    desk.take(look("tea", timestamp="2026-11-01T00:00:00Z"))
    answer = desk.replay(position, look("tea"))
    assert (answer.at, answer.reason) == (2, CONFLICT)
    assert desk.person("ada").features["views"] == 0  # that one look is over seven days ago
    assert desk.replay(2) == Replayed(position=2, at=3)
    assert desk.person("ada").features["views"] == 1
    assert [(letter.position, letter.replayed_at) for letter in desk.letters()] == [(0, 2), (2, 3)]
    desk.require_conserved()


def test_an_event_in_conflict_is_replayed_under_an_id_of_its_own() -> None:
    desk = Desk()
    desk.take(look("tea"))
    position = desk.take(look("tea", properties={"productId": "pot"}))
    assert desk.replay(position) == Replayed(position=position, at=2)
    assert desk.person("ada").features["views"] == 2
    desk.require_conserved()


def test_a_late_event_is_replayed_as_history_and_may_be_of_any_age() -> None:
    desk = Desk()
    position = desk.take(order(2) | {"timestamp": "2026-09-15T00:00:00Z"})
    assert desk.letters()[0].reason.startswith("late")
    assert desk.replay(position).at == 1
    assert desk.person("ada").features["spend"] == [2_000, "EUR"]


def test_a_quarantined_event_is_listed_and_replayed_once_it_is_allowed() -> None:
    desk = Desk("quarantine")
    position = desk.take(look("tea") | {"event": "Tea Tasted"})
    (letter,) = desk.letters()
    assert (letter.fate, letter.name, letter.source, letter.at) == ("quarantined", "Tea Tasted", "server", START_MS)
    assert desk.replay(position).reason == letter.reason
    desk.intake.use_plan(TrackingPlan(PAGE, "allow"))
    assert desk.replay(position).at == 1
    assert desk.worker.status().counts["quarantined"] == 1
    desk.require_conserved()


def mailed_by_replays(desk: Desk) -> list[str]:
    """Replay, freshly, an order and the second of two looks; return the campaigns that decided something for it."""
    desk.take(look("tea"))
    letters = [desk.take(broken("pot")), desk.take(order(1, total="much"))]
    assert desk.decisions() == []
    for position, edited in zip(letters, (look("pot"), order(1)), strict=True):
        assert desk.replay(position, edited).reason == ""
    assert desk.person("ada").features["views"] == 2
    return sorted(decision.campaign for decision in desk.decisions())


def test_a_replay_starts_no_campaign_by_event_or_by_segment() -> None:
    desk = Desk()
    assert mailed_by_replays(desk) == []
    assert [one.inside for one in desk.person("ada").memberships if one.segment == "keen"] == [True]


def test_as_a_live_event_it_would_start_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control of the test above."""
    monkeypatch.setattr(letter_module, "ORIGIN", Origin.LIVE)
    assert mailed_by_replays(Desk()) == ["keen_note", "receipt"]


def what_people_are(desk: Desk) -> list[Any]:
    """Return people as they are, but for where the log ends."""
    desk.work()
    return [
        (view.subjects, view.features, [(one.segment, one.inside) for one in view.memberships], view.consents)
        for view in sorted(desk.worker.everybody(100), key=lambda view: view.person)
    ]


GOOD = [look("tea"), look("pot", "bob"), order(1), look("cup"), order(2), look("jug", "bob")]
TIMED = [call | {"timestamp": f"2026-11-1{number}T08:00:00Z"} for number, call in enumerate(GOOD, start=2)]
FAULTS: list[dict[str, Any]] = [{"properties": {"productId": [], "orderId": []}}, {"timestamp": "tomorrow"}]


@settings(max_examples=30, deadline=None, database=None)
@given(
    st.dictionaries(st.integers(0, len(GOOD) - 1), st.sampled_from(FAULTS), min_size=1),
    st.randoms(use_true_random=False),
)
def test_after_all_is_corrected_and_replayed_people_are_those_of_a_log_without_the_faults(
    faults: dict[int, dict[str, Any]], order_: Random
) -> None:
    sound, repaired = Desk(), Desk()
    for number, call in enumerate(TIMED):
        sound.take(call)
        repaired.take(call | faults.get(number, {}))
    assert what_people_are(sound) != what_people_are(repaired)  # the control: the faults take something away
    letters = repaired.letters()
    order_.shuffle(letters)
    for letter in letters:
        assert repaired.replay(letter.position, TIMED[letter.position]).reason == ""
    assert what_people_are(sound) == what_people_are(repaired)
    for desk in (sound, repaired):
        desk.clock.advance(2 * DAY_MS)
        desk.intake.tick()
        desk.require_conserved()
    assert what_people_are(sound) == what_people_are(repaired)


def test_marks_are_there_again_after_the_state_was_made_anew_from_the_log() -> None:
    desk = Desk()
    for number in range(3):
        position = desk.take(broken(f"tea-{number}"))
        if number != 1:
            desk.replay(position, look(f"tea-{number}"))
    before = desk.letters()
    desk.worker = Worker(PAGE, MemoryState(), desk.log, desk.clock, "shop")
    assert desk.letters() == before
    assert [letter.replayed_at for letter in before] == [1, None, 4]


def test_of_a_person_who_was_forgotten_nothing_is_replayed() -> None:
    desk = Desk()
    position = desk.take(broken("tea"))
    keys = desk.vault.find(ExternalId(USER, "ada"))
    assert keys is not None
    desk.vault.forget([keys.subject])
    assert desk.replay(position) == Replayed(position=position, reason=FORGOTTEN)
    assert desk.replay(position, look("tea")) == Replayed(position=position, reason=FORGOTTEN)
    assert desk.log.last().seq == position


def test_what_is_no_letter_or_no_call_is_refused() -> None:
    desk = Desk()
    position = desk.take(look("tea"))
    with pytest.raises(StoreError, match=f"there is no dead letter at position {position}; `livepost dead list`"):
        desk.replay(position)
    letter = desk.take(broken("tea"))
    with pytest.raises(RejectedError, match="expected a JSON object, got something unreadable"):
        asyncio.run(desk.replaying.replay(Replay(position=letter, call=b"{")))


def test_a_corrected_call_may_be_as_long_as_its_bound_and_no_longer() -> None:
    desk = Desk()
    position = desk.take(broken("tea"))
    told = json.dumps(look("tea")).encode()
    with pytest.raises(RejectedError, match=f"at most {EDITED_BYTES_MAX} bytes, got {EDITED_BYTES_MAX + 1}"):
        asyncio.run(desk.replaying.replay(Replay(position=position, call=told.ljust(EDITED_BYTES_MAX + 1))))
    assert asyncio.run(desk.replaying.replay(Replay(position=position, call=told.ljust(EDITED_BYTES_MAX)))).at == 1


def test_so_many_wishes_are_answered_one_after_the_other_and_one_more_is_refused() -> None:
    desk = Desk()
    position = desk.take(broken("tea"))
    told = json.dumps(look("tea")).encode()

    async def all_at_once() -> list[Replayed | BaseException]:
        wishes = [desk.replaying.replay(Replay(position=position, call=told)) for _ in range(WISHES_MAX + 1)]
        return await asyncio.gather(*wishes, return_exceptions=True)

    *answers, refused = asyncio.run(all_at_once())
    assert isinstance(refused, OverloadedError)
    assert sorted(one.before for one in answers if isinstance(one, Replayed)) == [False, *[True] * (WISHES_MAX - 1)]
    assert desk.log.last().seq == position + 1
