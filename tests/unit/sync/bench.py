"""A destination, a house and a vendor of the tests' own on one bench, with a clock that only tests move."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from livepost.clock import HOUR_MS, SECOND_MS, SimulatedClock
from livepost.fetch.address import OutgoingError
from livepost.sync.book import Book
from livepost.sync.destination import Destination, Wanted
from livepost.sync.pushing import Pusher
from livepost.sync.vendor.base import Account
from livepost.sync.vendor.every import VENDORS
from tests.unit.fetch.receiver import Reply, Request
from tests.unit.sync.town import SEGMENTS, Town
from tests.unit.sync.vendors import KEY, MODELS, Model

START_MS = 1_700_000_000_000
NAME = "them"
TURNS_MAX = 5_000


class KilledError(Exception):
    """The process ends here."""


class QuickBook(Book):
    """A book that waits for no disk: here a process only dies when a test says so."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._connection.execute("PRAGMA synchronous = OFF").fetchall()


class Bench:
    """One vendor's account that is kept in step."""

    def __init__(self, path: Path, vendor: str = "klaviyo", town: Town | None = None) -> None:
        self.vendor = vendor
        self.path = path
        self.town = town or Town()
        self.model: Model = MODELS[vendor]()
        self.clock = SimulatedClock(START_MS)
        self.config = "1"
        self.make_book: Callable[[Path], Book] = QuickBook
        self.start()

    def start(self) -> None:
        """Start as a process does: with what the book has."""
        self.book = self.make_book(self.path)
        self.pusher = Pusher(
            VENDORS[self.vendor],
            Account(url="https://vendor.example", key=KEY, account="main"),
            book=self.book,
            shop=self.town,
            fetch=self.model,
            clock=self.clock,
            rest=self.rest,
            chance=lambda: 0.0,
        )
        wanted = Wanted(name=NAME, segments=SEGMENTS, refresh_ms=HOUR_MS, config=self.config)
        self.destination = Destination(wanted, shop=self.town, book=self.book, pusher=self.pusher, clock=self.clock)

    def end(self) -> None:
        """End without a word."""
        self.book.close()

    def rest(self, wait_s: float) -> bool:
        """Let time go by."""
        self.clock.advance(int(wait_s * SECOND_MS) + 1)
        return True

    def turn(self) -> float:
        """Do one turn, and wait as long as it says."""
        wait_s = self.destination.turn()
        self.rest(wait_s)
        return wait_s

    def run(self) -> None:
        """Do turns until nobody waits and no job is open."""
        for _ in range(TURNS_MAX):
            if self.turn():
                if self.idle():
                    return
                self.clock.advance(max(0, self.standing().next_at - self.clock.now_ms()))
        raise AssertionError("it does not come to an end")

    def idle(self) -> bool:
        """Say whether nothing is to be done but to wait for the next round."""
        tally, standing = self.book.tally(NAME), self.book.standing(NAME)
        assert standing is not None
        return standing.held != "" or not (tally.due or tally.jobs or standing.stage >= 0)

    def next_round(self) -> None:
        """Let it be time for a round, and do it."""
        self.rest(HOUR_MS / SECOND_MS)
        self.run()

    def standing(self) -> Any:
        """Return where it stands."""
        return self.book.standing(NAME)

    def is_in_step(self) -> bool:
        """Say whether the vendor has what it is to have, and nobody else in a list."""
        return comparable(self.model.in_lists()) == comparable(self.town.expected())


def comparable(people: dict[str, tuple[set[str], dict[str, Any]]]) -> dict[str, Any]:
    """Return people with values as text: some vendors know nothing else."""
    return {
        ident: (sorted(lists), {name: str(value) for name, value in values.items()})
        for ident, (lists, values) in people.items()
    }


def reply_of(model: Model, request: Request) -> Reply:
    """Answer a request of a real connection as a model does; a fault of the line is no answer at all."""
    try:
        answer = model.ask(request.method, request.path, request.body, request.headers)
    except OutgoingError:
        request.hang_up()
        return Reply(500)
    return Reply(answer.status, dict(answer.headers), (answer.body,))
