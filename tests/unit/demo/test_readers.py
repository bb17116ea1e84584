"""The readers, before a house that only notes what it is asked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from livepost.clock import HOUR_MS, SimulatedClock
from livepost.deliver.keep import Keep
from livepost.deliver.mailbox import Mailbox
from livepost.demo.line import FeedError
from livepost.demo.readers import CHANGED_FILE, READ_A_TURN, Letters, Readers, changed_households, order
from livepost.demo.reading import habit_of
from livepost.demo.storefront.catalogue import read_catalogue
from livepost.ids import digest
from livepost.vault.memory import MemoryVault
from tests.unit.deliver.test_keep import START_MS, message, someone

PAGE = (
    b'<input type="hidden" name="whole" value="yes"><input type="checkbox" name="yes" value="topic:reminders" checked>'
)


class House:
    """Notes what browsers and the shop's server ask of it."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.forms: list[tuple[str, Any]] = []
        self.orders: list[Any] = []
        self.people, self.broadcasts = 0, list[str]()
        self.down = False

    def get(self, address: str, agent: str) -> bytes | None:
        self.asked.append((address, agent))
        return PAGE

    def post(self, address: str, agent: str, form: Any) -> bytes | None:
        self.forms.append((address, form))
        return b""

    def deliver(self, batch: bytes) -> None:
        if self.down:
            raise FeedError("no answer")
        self.orders += msgspec.json.decode(batch)["batch"]

    def ask(self, method: str, path: str, body: bytes | None = None, key: str = "") -> tuple[int, bytes]:
        if self.down:
            raise FeedError("no answer")
        if path == "/api/segments":
            told = [{"segment": "new", "people": 9_000}, {"segment": "customers", "people": self.people}]
            return 200, msgspec.json.encode({"segments": told})
        self.broadcasts.append(key)
        return 202, b"{}"


class Desk:
    """A mailbox that fills, and who reads it."""

    def __init__(self, folder: Path) -> None:
        self.vault, self.clock, self.house = MemoryVault(), SimulatedClock(START_MS), House()
        self.person = someone(self.vault)
        self.folder = folder
        self.keep = Keep(folder / "mailbox", self.vault, "demo", self.clock)
        self.readers = self.read()

    def read(self) -> Readers:
        house: Any = self.house
        changed = self.folder / CHANGED_FILE
        mailbox = Mailbox(self.folder / "mailbox", "demo")
        return Readers(mailbox, self.vault, line=house, browser=house, clock=self.clock, changed=changed)

    def comes(self, *numbers: int, to: str = "h0007@example.com") -> None:
        body = "\r\n".join(
            f'<a href="https://m.example/{place}/{{0}}">x</a>' for place in ("o", "c", "preferences", "c/other")
        )
        for number in numbers:
            head = f"To: {to}\r\nList-Unsubscribe: <https://m.example/u/{number}>\r\nContent-Type: text/html\r\n\r\n"
            self.keep.send([message(number, self.person, (head + body.format(number)).encode())])

    def passes(self, hours: int = 3) -> None:
        self.readers.turn()
        self.clock.advance(hours * HOUR_MS)
        self.readers.turn()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.keep.close()


def numbers(what: str, count: int = 1) -> list[int]:
    """Return the first mails with which that is done."""
    found = [number for number in range(3_000) if getattr(habit_of(digest("mail", number)), what) is not None]
    return found[:count]


def test_who_buys_has_opened_and_clicked_before_with_their_own_browser(desk: Desk) -> None:
    [number] = numbers("buys")
    desk.comes(number)
    desk.readers.turn()
    assert desk.house.asked == []  # nobody reads at once
    desk.passes()
    agent = habit_of(digest("mail", number)).agent
    assert desk.house.asked == [(f"https://m.example/{place}/{number}", agent) for place in ("o", "c")]
    [told] = desk.house.orders
    assert (told["event"], told["userId"]) == ("Order Completed", "h0007")
    assert changed_households(desk.folder / CHANGED_FILE) == {7}
    desk.passes()
    assert len(desk.house.orders) == 1


def test_who_chooses_less_unticks_reminders_and_who_stops_does_it_by_one_click(desk: Desk) -> None:
    [chooses], [stops] = numbers("chooses"), numbers("stops")
    desk.comes(chooses, stops)
    desk.passes()
    assert (f"https://m.example/preferences/{chooses}", [("whole", "yes")]) in desk.house.forms
    assert (f"https://m.example/u/{stops}", [("List-Unsubscribe", "One-Click")]) in desk.house.forms
    assert changed_households(desk.folder / CHANGED_FILE) == {7}


def test_mails_of_before_and_those_to_visitors_are_left_alone(desk: Desk) -> None:
    first, second = numbers("buys", 2)
    desk.comes(first)
    desk.readers = desk.read()
    desk.comes(second, to="visitor-0a1b@visitors.example")
    desk.passes()
    assert desk.house.asked == [] and desk.house.orders == []


def test_of_very_many_mails_the_newest_are_read(desk: Desk) -> None:
    told = numbers("opens", READ_A_TURN + 5)
    desk.comes(*told)
    desk.passes(24)
    opened = {address for address, _ in desk.house.asked if "/o/" in address}
    assert opened == {f"https://m.example/o/{number}" for number in told[5:]}


def test_a_house_that_is_just_being_started_again_ends_nobodys_reading(desk: Desk) -> None:
    desk.house.down = True
    desk.comes(*numbers("buys", 2))
    desk.passes()
    assert len(desk.house.asked) == 4 and desk.house.orders == []


def test_one_mail_brings_one_order_however_often_it_is_told() -> None:
    product = read_catalogue()[0]
    one = order("h0007@example.com", digest("mail", 1), product, 3)
    properties: Any = one["properties"]
    assert one == order("h0007@example.com", digest("mail", 1), product, 3)
    assert properties["total"] == pytest.approx(3 * product.cents / 100)


def test_letters_are_asked_for_once_each_when_there_are_enough_customers() -> None:
    house: Any = House()
    letters = Letters(house)
    for people in (24, 25, 25, 129, 130, 500):
        house.people = people
        letters.look()
    assert house.broadcasts == ["first-letter", "second-letter"]
    house.down = True
    Letters(house).look()  # asked again at the next look


def test_where_nobody_read_anything_no_household_is_changed(tmp_path: Path) -> None:
    assert changed_households(tmp_path / CHANGED_FILE) == frozenset()
