"""One target is told at least once, in order, under one id; what becomes of each answer."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livepost.announce import announcer as announcing
from livepost.announce.announcer import IDLE_S, Announcer, Target
from livepost.announce.book import Book
from livepost.announce.notice import Batch, Notice
from livepost.announce.signature import read_keys
from livepost.clock import SimulatedClock
from livepost.errors import StoreError
from livepost.fetch.address import OutgoingError
from livepost.fetch.fetcher import Answer
from tests.unit.announce.test_signature import OLD

START_MS = 1_700_000_000_000


class Stream:
    """A source of numbered notices, read three at a time."""

    def __init__(self, kinds: list[str]) -> None:
        self.kinds = kinds
        self.away = False

    def end(self) -> str:
        return str(len(self.kinds))

    def after(self, cursor: str) -> Batch:
        if self.away:
            raise StoreError("the engine is away")
        at = int(cursor)
        found = [notice(n, kind) for n, kind in enumerate(self.kinds[at : at + 3], at + 1)]
        return Batch(notices=found, end=str(at + len(found)), more=at + 3 < len(self.kinds))


class Receiver:
    """Takes what comes; `script` are its next answers, 204 behind them. `dies` raises instead of keeping an answer."""

    def __init__(self, *script: Answer | int | str) -> None:
        self.script = list(script)
        self.told: list[str] = []
        self.at: list[int] = []

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        found = self.script.pop(0) if self.script else 204
        self.told.append(headers["webhook-id"])
        assert json.loads(body)["id"] == headers["webhook-id"]
        if isinstance(found, str):
            raise OutgoingError(found) if found != "kill" else KeyboardInterrupt
        return Answer(status=found) if isinstance(found, int) else found


def notice(number: int, kind: str = "receipt") -> Notice:
    return Notice(id=f"n{number}", kind=kind, at=START_MS, data=b'{"type":"x"}', cursor=str(number))


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    with closing(Book(tmp_path / "webhooks.db")) as one:
        yield one


def teller(
    book: Book, stream: Stream, receiver: Receiver, clock: SimulatedClock | None = None, **other: Any
) -> Announcer:
    target = {"name": "crm", "url": "https://a.example.com", "kinds": frozenset(("receipt",)), "tries": 10, **other}
    return Announcer(
        Target(keys=read_keys("crm", OLD), **target),  # type: ignore[arg-type]
        source=stream,
        book=book,
        fetch=receiver,
        clock=clock or SimulatedClock(START_MS),
        chance=lambda: 0.0,
    )


def rest(one: Announcer, turns: int = 100) -> float:
    """Turn until there is nothing to do at once; return for how long."""
    for _ in range(turns):
        if wait_s := one.turn():
            return wait_s
    raise AssertionError("it does not come to rest")


def test_a_new_target_is_told_what_happens_from_now_on(book: Book) -> None:
    stream, receiver = Stream(["receipt"] * 5), Receiver()
    one = teller(book, stream, receiver)
    assert (rest(one), receiver.told) == (IDLE_S, [])
    stream.kinds += ["receipt"] * 8
    assert rest(one) == IDLE_S
    assert receiver.told == [f"n{n}" for n in range(6, 14)]
    standing = book.standing("crm")
    assert standing is not None and (standing.cursor, standing.delivered) == ("13", 8)


def test_only_what_was_asked_for_is_told_and_gaps_always(book: Book) -> None:
    stream, receiver = Stream(["transition"] * 10 + ["receipt", "gap", "decision"] + ["transition"] * 7), Receiver()
    book.begin("crm", "0")
    rest(teller(book, stream, receiver))
    assert receiver.told == ["n11", "n12"]
    standing = book.standing("crm")
    assert standing is not None and standing.cursor == "20", "what is skipped is not read again"


def test_a_failure_is_waited_for_and_those_behind_it_wait_too(book: Book) -> None:
    clock, stream, receiver = SimulatedClock(START_MS), Stream(["receipt"] * 2), Receiver(500, "no answer", 204)
    book.begin("crm", "0")
    one = teller(book, stream, receiver, clock)
    rest(one)
    standing = book.standing("crm")
    assert standing is not None
    assert (standing.sent, standing.next_at, standing.error) == (1, START_MS + 5_000, "it answered 500")
    assert receiver.told == ["n1"]
    clock.advance(4_999)
    assert rest(one) == pytest.approx(0.001)
    clock.advance(1)
    rest(one)
    again = book.standing("crm")
    assert again is not None and (again.sent, again.error) == (2, "no answer")
    clock.advance(300_000)
    rest(teller(book, stream, receiver, clock))  # as if started anew: the wait is in the book
    assert receiver.told == ["n1", "n1", "n1", "n2"]


def test_the_last_try_makes_a_dead_letter_and_goes_on(book: Book) -> None:
    clock, stream, receiver = SimulatedClock(START_MS), Stream(["receipt"] * 2), Receiver(*[503] * 3)
    book.begin("crm", "0")
    one = teller(book, stream, receiver, clock, tries=3)
    for _ in range(3):
        rest(one)
        clock.advance(300_000)
    assert receiver.told == ["n1"] * 3 + ["n2"]
    [letter] = book.letters()
    assert (letter.id, letter.sent, letter.error) == ("n1", 3, "it answered 503")
    assert json.loads(letter.body)["data"] == {"type": "x"}


def test_410_disables_and_what_was_under_way_comes_first_when_it_is_resumed(book: Book) -> None:
    stream, receiver = Stream(["receipt"] * 3), Receiver(204, 410)
    book.begin("crm", "0")
    one = teller(book, stream, receiver)
    assert rest(one) == IDLE_S
    assert rest(one) == IDLE_S
    assert receiver.told == ["n1", "n2"]
    book.resume("crm")
    rest(one)
    assert receiver.told == ["n1", "n2", "n2", "n3"]


def test_retry_after_is_kept(book: Book) -> None:
    clock, receiver = SimulatedClock(START_MS), Receiver(Answer(status=429, headers={"retry-after": "120"}))
    book.begin("crm", "0")
    one = teller(book, Stream(["receipt"]), receiver, clock)
    rest(one)
    clock.advance(119_999)
    rest(one)
    assert receiver.told == ["n1"]
    clock.advance(1)
    rest(one)
    assert receiver.told == ["n1", "n1"]


def test_too_many_dead_letters_disable_a_target(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(announcing, "LETTERS_MAX", 2)
    stream, receiver = Stream(["receipt"] * 5), Receiver(*[500] * 5)
    book.begin("crm", "0")
    rest(teller(book, stream, receiver, tries=1))
    standing = book.standing("crm")
    assert standing is not None and standing.disabled.startswith("2 dead letters wait")
    assert (len(book.letters()), standing.cursor) == (2, "2")


def test_a_store_that_is_away_loses_nothing(book: Book) -> None:
    stream, receiver = Stream(["receipt"] * 4), Receiver()
    book.begin("crm", "0")
    one = teller(book, stream, receiver)
    stream.away = True
    with pytest.raises(StoreError):
        one.turn()
    stream.away = False
    rest(one)
    assert receiver.told == ["n1", "n2", "n3", "n4"]


@pytest.mark.parametrize("answer", [204, 500, 410])
def test_a_book_that_cannot_be_written_brings_no_message_again(
    book: Book, monkeypatch: pytest.MonkeyPatch, answer: int
) -> None:
    stream, receiver, faults = Stream(["receipt"] * 2), Receiver(answer, 204), [1] * 3
    book.begin("crm", "0")
    one, change = teller(book, stream, receiver, tries=1), Book._run

    def full(self: Book, sql: str, values: tuple[Any, ...]) -> Any:
        if faults and sql.startswith("UPDATE"):
            faults.pop()
            raise StoreError("the disk is full")
        return change(self, sql, values)

    monkeypatch.setattr(Book, "_run", full)
    for _ in range(3):
        with pytest.raises(StoreError):
            one.turn()
    rest(one)
    assert receiver.told == (["n1"] if answer == 410 else ["n1", "n2"])
    assert [letter.id for letter in book.letters()] == (["n1"] if answer == 500 else [])


class Hasty(Book):
    """The negative control: goes on behind a message before it is sent, as if its answer were known."""

    def standing(self, name: str) -> Any:
        found = super().standing(name)
        if found is not None:
            self.move(name, str(int(found.cursor) + 1))
        return found


def killed_again_and_again(book: Book, kills: list[bool], count: int) -> list[str]:
    """Return what came when the courier is killed after some requests, before their answers are kept."""
    stream, receiver = Stream(["receipt"] * count), Receiver(*("kill" if kill else 204 for kill in kills))
    book.begin("crm", "0")
    while True:
        try:
            rest(teller(book, stream, receiver), 1_000)
            return receiver.told
        except KeyboardInterrupt:
            continue


@settings(max_examples=30, deadline=None)
@given(st.lists(st.booleans(), max_size=30))
def test_kills_lose_nothing_and_repeat_what_was_under_way_only(
    tmp_path_factory: pytest.TempPathFactory, kills: list[bool]
) -> None:
    with closing(Book(tmp_path_factory.mktemp("book") / "webhooks.db")) as book:
        told = killed_again_and_again(book, kills, 10)
    assert list(dict.fromkeys(told)) == [f"n{n}" for n in range(1, 11)], "each, in order"
    assert len(told) <= 10 + sum(kills)


def test_a_book_that_goes_on_before_the_answer_would_be_found(tmp_path: Path) -> None:
    with closing(Hasty(tmp_path / "webhooks.db")) as book:
        told = killed_again_and_again(book, [False, True, False, True], 10)
    assert set(told) < {f"n{n}" for n in range(1, 11)}


def test_what_may_not_be_told_is_passed_over_and_what_follows_is(book: Book) -> None:
    receiver, asked = Receiver(), []

    def may(notice: Notice) -> bool:
        asked.append(notice.id)
        return notice.id not in ("n2", "n5")

    one = teller(book, Stream(["receipt"] * 5), receiver)
    one._may = may
    book.begin("crm", "0")
    rest(one)
    assert receiver.told == ["n1", "n3", "n4"]
    assert asked == ["n1", "n2", "n3", "n4", "n5"]
    standing = book.standing("crm")
    assert standing is not None
    assert standing.cursor == "5"


def test_it_is_asked_again_before_each_try_and_the_next_one_begins_at_its_first(book: Book) -> None:
    clock, receiver, may = SimulatedClock(START_MS), Receiver(503, 204), [True]
    one = teller(book, Stream(["receipt"] * 2), receiver, clock)
    one._may = lambda notice: may[0] or notice.id != "n1"
    book.begin("crm", "0")
    rest(one)
    assert receiver.told == ["n1"]
    may[0] = False  # withdrawn while it waits to be sent again
    clock.advance(3_600_000)
    rest(one)
    assert receiver.told == ["n1", "n2"]
    standing = book.standing("crm")
    assert standing is not None
    assert (standing.cursor, standing.sent, standing.delivered) == ("2", 0, 1)


def test_what_the_house_itself_has_to_tell_goes_first_whatever_the_target_asked_for(book: Book) -> None:
    receiver = Receiver()
    one = teller(book, Stream(["receipt"]), receiver)
    book.begin("crm", "0")
    for _ in range(2):  # told once for an id
        book.tell("crm", "erased_1", "person.erased", b'{"id":"erased_1"}')
    rest(one)
    assert receiver.told == ["erased_1", "n1"]
    assert book.notice("crm") is None


def test_what_the_house_itself_tells_is_tried_again_and_put_aside_in_the_end(book: Book) -> None:
    receiver, clock = Receiver(500, 500), SimulatedClock(START_MS)
    one = teller(book, Stream([]), receiver, clock, tries=2)
    book.tell("crm", "erased_1", "person.erased", b'{"id":"erased_1"}')
    rest(one)
    clock.advance(3_600_000)
    rest(one)
    assert receiver.told == ["erased_1", "erased_1"]
    assert ([letter.id for letter in book.letters()], book.notice("crm")) == (["erased_1"], None)


ADS = "ads"


def told_for(book: Book, allowed: set[bytes], *persons: bytes | None, purpose: str = ADS) -> list[str]:
    """Tell one target, which is told things for a purpose, of people; return what it was told."""

    class About(Stream):
        def after(self, cursor: str) -> Batch:
            found = super().after(cursor)
            at = int(cursor)
            about = [msgspec.structs.replace(one, person=persons[at + n]) for n, one in enumerate(found.notices)]
            return Batch(notices=about, end=found.end, more=found.more)

    receiver, clock = Receiver(), SimulatedClock(START_MS)
    source = About(["receipt"] * len(persons))
    target = Target(
        name="crm",
        url="https://a.example/",
        kinds=frozenset(("receipt",)),
        keys=read_keys("crm", OLD),
        tries=3,
        purpose=purpose,
    )
    book.begin("crm", "0")
    one = Announcer(
        target,
        source=source,
        book=book,
        fetch=receiver,
        clock=clock,
        chance=lambda: 0.5,
        allows=lambda person, asked: asked == ADS and person in allowed,
    )
    for _ in range(2 * len(persons) + 2):
        one.turn()
    assert book.standing("crm").cursor == str(len(persons))  # type: ignore[union-attr]
    return receiver.told


def test_a_target_with_a_purpose_is_told_of_who_allows_it_alone(book: Book) -> None:
    assert told_for(book, {b"a"}, b"a", b"b", None, b"a") == ["n1", "n4"]


def test_a_target_without_a_purpose_is_told_of_everybody(book: Book) -> None:
    assert told_for(book, set(), b"a", b"b", purpose="") == ["n1", "n2"]
