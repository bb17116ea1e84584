"""The readers: those the demo's mails went to, who open them, follow a link, buy something afterwards, or choose less.

In: the mailbox as it grows, the workspace's clock. Out: requests to the house as a browser makes them, orders as the
shop's server tells them, two letters of the shop asked for as its people do. Promised: links are those of the mails'
own bytes; a mail is read once, if it came since the start; whoever does what the tables do not know of is written into
`CHANGED_FILE`, so that a report leaves them out.

Only a demo that people look at has readers: a headless one is held against SQL over the tables, which read no mails.
"""

from __future__ import annotations

import heapq
import signal
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from threading import Event

import msgspec

from livepost.clock import Clock, workspace_clock
from livepost.deliver.keep import Keys
from livepost.deliver.mailbox import Found, Mailbox
from livepost.demo.line import Browser, FeedError, Line
from livepost.demo.reading import Habit, Letter, choice_without, habit_of, letter_of
from livepost.demo.shoppers import household_of, is_household, user_id
from livepost.demo.storefront.catalogue import Product, read_catalogue
from livepost.errors import LivepostError
from livepost.runtime.data.folder import DataFolder
from livepost.settings.load import load

CHANGED_FILE = "changed-households"
TURN_S = 0.25
READ_A_TURN = 25
"""Mails that are taken up in a turn; of more the newest are read."""
WAITING = 5_000
"""Acts that wait for their time at most; of what comes beyond them nobody does anything."""
LETTERS_EVERY = 8
"""Every so many turns is looked whether a letter is due."""

REMINDERS = "topic:reminders"
LETTER = "shop_letter"
LETTERS: tuple[tuple[str, int], ...] = (("first-letter", 25), ("second-letter", 130))
"""The shop's letters by their idempotency keys, and from how many customers on each is asked for: the second goes to
more people than go without an approval, and waits for somebody who looks at the demo.
"""


class SegmentSize(msgspec.Struct, frozen=True):
    """A segment as the API tells it."""

    segment: str
    people: int


class Segments(msgspec.Struct, frozen=True):
    """What `GET /api/segments` says."""

    segments: list[SegmentSize]


def run_readers(*, url: str, secret_key: str, project: Path, environment: dict[str, str]) -> None:
    """Let the mails of a demo's house at `url` be read until SIGTERM or SIGINT."""
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    folder = DataFolder(load(project, environment).settings)
    line = Line(url, secret_key)
    line.wait_for_answer()
    with closing(folder.vault(readonly=True)) as vault, closing(line), closing(Browser(url)) as browser:
        readers = Readers(
            Mailbox(folder.mailbox, folder.settings.workspace),
            vault,
            line=line,
            browser=browser,
            clock=workspace_clock(folder.path),
            changed=folder.path / CHANGED_FILE,
        )
        letters = Letters(line)
        turn = 0
        while not stop.wait(TURN_S):
            turn += 1
            readers.turn()
            if turn % LETTERS_EVERY == 0:
                letters.look()


def changed_households(path: Path) -> frozenset[int]:
    """Return the households that did what the tables do not know of."""
    return frozenset(map(int, path.read_text().split())) if path.exists() else frozenset()


class Readers:
    """Reads what comes into the mailbox after it was made."""

    def __init__(
        self, mailbox: Mailbox, keys: Keys, *, line: Line, browser: Browser, clock: Clock, changed: Path
    ) -> None:
        """Take who speaks to the house: `line` the shop's server, `browser` everybody who reads."""
        self._mailbox = mailbox
        self._keys = keys
        self._line = line
        self._browser = browser
        self._clock = clock
        self._changed = changed
        self._products = read_catalogue()
        self._seen = next((found.place for found in mailbox.newest_first()), "")
        self._waiting: list[tuple[int, int, Callable[[], None]]] = []
        self._number = 0

    def turn(self) -> None:
        """Take up what came, and do what is due."""
        now_ms = self._clock.now_ms()
        for found in self._new():
            kept = self._mailbox.open(found, self._keys)
            if kept is not None:
                self._take_up(letter_of(kept.raw), kept.decision, now_ms)
        while self._waiting and self._waiting[0][0] <= self._clock.now_ms():
            heapq.heappop(self._waiting)[2]()

    def _new(self) -> list[Found]:
        found: list[Found] = []
        for one in self._mailbox.newest_first():
            if one.place == self._seen or len(found) == READ_A_TURN:
                break
            found.append(one)
        if found:
            self._seen = found[0].place
        return found

    def _take_up(self, letter: Letter, decision: bytes, now_ms: int) -> None:
        """Plan what is done with a mail; a visitor of the storefront reads their own."""
        if not is_household(letter.to):
            return
        habit, browser = habit_of(decision), self._browser
        acts: tuple[tuple[int | None, Callable[[], object]], ...] = (
            (habit.opens, lambda: browser.get(letter.picture, habit.agent)),
            (habit.clicks if letter.click else None, lambda: browser.get(letter.click, habit.agent)),
            (habit.buys if letter.click else None, lambda: self._buy(letter, decision, habit)),
            (habit.chooses if letter.choose else None, lambda: self._choose(letter, habit)),
            (habit.stops if letter.stop else None, lambda: self._stop(letter, habit)),
        )
        for after_ms, act in acts:
            if after_ms is not None and len(self._waiting) < WAITING:
                self._number += 1
                heapq.heappush(self._waiting, (now_ms + after_ms, self._number, _done(act)))

    def _buy(self, letter: Letter, decision: bytes, habit: Habit) -> None:
        self._note(letter)
        product = self._products[habit.drawn % len(self._products)]
        call = order(letter.to, decision, product, quantity=1 + habit.drawn % 4)
        self._line.deliver(b'{"batch":[' + msgspec.json.encode(call) + b"]}")

    def _choose(self, letter: Letter, habit: Habit) -> None:
        page = self._browser.get(letter.choose, habit.agent)
        if page and (form := choice_without(page.decode(), REMINDERS)):
            self._browser.post(letter.choose, habit.agent, form)

    def _stop(self, letter: Letter, habit: Habit) -> None:
        self._note(letter)
        self._browser.post(letter.stop, habit.agent, [("List-Unsubscribe", "One-Click")])

    def _note(self, letter: Letter) -> None:
        with self._changed.open("a") as changed:
            changed.write(f"{household_of(letter.to)}\n")


class Letters:
    """Asks for the shop's letters as soon as there are enough customers; the keys let each be asked for once."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._asked = 0

    def look(self) -> None:
        """Ask for the next letter if it is due; a house that is busy is asked again."""
        if self._asked == len(LETTERS):
            return
        key, least = LETTERS[self._asked]
        try:
            status, body = self._line.ask("GET", "/api/segments")
            if status != 200 or _customers(body) < least:
                return
            status, _ = self._line.ask("POST", "/api/broadcasts", b'{"campaign":"%b"}' % LETTER.encode(), key)
        except FeedError:
            return
        if status < 300:
            self._asked += 1


def order(address: str, decision: bytes, product: Product, quantity: int) -> dict[str, object]:
    """Return the order of somebody who came by a mail, as the shop's server tells it: one an order a mail."""
    price = product.cents / 100
    return {
        "userId": user_id(household_of(address)),
        "type": "track",
        "event": "Order Completed",
        "messageId": f"synthetic-by-mail-{decision.hex()}",
        "properties": {
            "order_id": f"by-mail-{decision.hex()}",
            "total": round(price * quantity, 2),
            "currency": "USD",
            "category": product.category,
            "products": [
                {"product_id": product.product_id, "category": product.category, "price": price, "quantity": quantity}
            ],
        },
    }


def _customers(body: bytes) -> int:
    told = msgspec.json.decode(body, type=Segments).segments
    return next((one.people for one in told if one.segment == "customers"), 0)


def _done(act: Callable[[], object]) -> Callable[[], None]:
    """Return an act that a house which is just being started again does not end: it is left out then."""

    def run() -> None:
        try:
            act()
        except LivepostError:
            return

    return run
