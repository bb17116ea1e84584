"""One destination: hear who may have changed, look at them, tell the vendor what differs.

In: the house, a vendor, the book. Out: requests. Promised: what the vendor may have is in the book before it is asked
to have it, what it has only after it answered; people wait in the book, at most QUEUE_MAX of those whom nobody hurries;
a withdrawn consent goes before everything else.
"""

from __future__ import annotations

import msgspec

from livepost.clock import Clock
from livepost.sync.book import Book, Standing
from livepost.sync.pace import Pace
from livepost.sync.plan import plan
from livepost.sync.pushing import Pusher
from livepost.sync.source import Shop

IDLE_S = 0.25
"""How soon it is looked again where there is nothing to do."""

PAGE = 500
"""Transitions, changes of consent, members or rows that are read at a time."""

QUEUE_MAX = 20_000
"""People who wait to be looked at, before a round, or a transition, waits for these."""

LOOKED_PER_S = 1_000
"""People of rounds who are looked at a second at most: each costs the engine what a page about them does."""

AWAY_MS = 60_000
"""How long whoever the engine does not know is left alone."""

ROUND, MOVED, ALLOWED = 0, 1, 2
"""How much it hurries: a round over everybody; a transition, or a first consent; consent or suppression of those who
are at the vendor already."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What the settings say should be at a vendor; `config` is its hash."""

    name: str
    segments: tuple[str, ...]
    refresh_ms: int
    config: str


class Destination:
    """Keeps one vendor's account in step; for one thread."""

    def __init__(self, wanted: Wanted, *, shop: Shop, book: Book, pusher: Pusher, clock: Clock) -> None:
        """Take what it reads and writes; `clock` is the host's."""
        self._wanted = wanted
        self._shop = shop
        self._book = book
        self._pusher = pusher
        self._clock = clock
        self._looks = Pace(LOOKED_PER_S, LOOKED_PER_S, clock)

    def turn(self) -> float:
        """Do the next thing; return how long to wait for the next turn (s).

        Raises StoreError where a store is away.
        """
        standing = self._begun()
        standing, heard = self._hear(standing)
        standing, paged = self._go_round(standing)
        asked = self._may_send(standing) and self._pusher.ask_jobs(standing)
        standing = self._begun()
        done = self._may_send(standing) and self._send(standing)
        return 0.0 if heard or paged or asked or done else IDLE_S

    def _may_send(self, standing: Standing) -> bool:
        return not standing.held and standing.next_at <= self._clock.now_ms()

    def _begun(self) -> Standing:
        """Return where it stands: from now on, and everybody once, if it was not begun or other things are wanted."""
        name, config = self._wanted.name, self._wanted.config
        standing = self._book.standing(name)
        if standing is None:
            last = self._shop.transitions(0, 1)
            permit = self._shop.permits(0, 1).last
            standing = Standing(name=name, config=config, epoch=last.epoch, transition=last.last, permit=permit)
            self._book.stand(self._round_begun(standing))
        elif standing.config != config:
            self._book.stand(msgspec.structs.replace(self._round_begun(standing), config=config))
        found = self._book.standing(name)
        assert found is not None
        return found

    def _round_begun(self, standing: Standing) -> Standing:
        return msgspec.structs.replace(standing, stage=0, after=None, round_at=self._clock.now_ms())

    def _hear(self, standing: Standing) -> tuple[Standing, bool]:
        """Take note of whoever changed; a place that no store knows any more begins a round."""
        standing, allowed = self._hear_permits(standing)
        if self._book.waiting(self._wanted.name) >= 2 * QUEUE_MAX:
            return standing, allowed
        page = self._shop.transitions(standing.transition, PAGE)
        gap = page.epoch != standing.epoch or not page.first - 1 <= standing.transition <= page.last
        if gap:
            place = msgspec.structs.replace(standing, epoch=page.epoch, transition=page.last)
            standing = self._round_begun(place)
            self._book.stand(standing)
            return standing, True
        if not page.items:
            return standing, allowed
        persons = [one.person for _, one in page.items if one.segment in self._wanted.segments]
        standing = msgspec.structs.replace(standing, transition=page.items[-1][0])
        self._book.stand(standing, dict.fromkeys(persons, MOVED))
        return standing, True

    def _hear_permits(self, standing: Standing) -> tuple[Standing, bool]:
        page = self._shop.permits(standing.permit, PAGE)
        if not page.first - 1 <= standing.permit <= page.last:
            standing = self._round_begun(msgspec.structs.replace(standing, permit=page.last))
            self._book.stand(standing)
            return standing, True
        if not page.items:
            return standing, False
        handles = [one.address for one in page.items if one.address is not None]
        persons = [one.person for one in page.items if one.person is not None]
        rows = self._book.rows_of(self._wanted.name, persons, handles)
        due = {**dict.fromkeys(persons, MOVED), **dict.fromkeys((row.person for row in rows.values()), ALLOWED)}
        standing = msgspec.structs.replace(standing, permit=page.items[-1].number)
        self._book.stand(standing, due)
        return standing, True

    def _go_round(self, standing: Standing) -> tuple[Standing, bool]:
        """Go on with a round: the members of each segment, then all that is in the book; begin one when it is time."""
        if standing.stage < 0:
            if self._clock.now_ms() - standing.round_at < self._wanted.refresh_ms:
                return standing, False
            standing = self._round_begun(standing)
        if self._book.waiting(self._wanted.name) >= QUEUE_MAX:
            return standing, False
        persons, after, more = self._page(standing)
        if more:
            standing = msgspec.structs.replace(standing, after=after)
        elif standing.stage < len(self._wanted.segments):
            standing = msgspec.structs.replace(standing, stage=standing.stage + 1, after=None)
        else:
            standing = msgspec.structs.replace(standing, stage=-1, after=None, rounds=standing.rounds + 1)
        self._book.stand(standing, dict.fromkeys(persons, ROUND))
        return standing, True

    def _page(self, standing: Standing) -> tuple[list[bytes], bytes | None, bool]:
        """Return the next people of a round, the place behind them, and whether there are more of their stage.

        Members with a row are left to the last stage, which has all rows: nobody is looked at twice.
        """
        if standing.stage < len(self._wanted.segments):
            after = -1 if standing.after is None else int.from_bytes(standing.after, "big")
            members = self._shop.members(self._wanted.segments[standing.stage], after, PAGE)
            persons = [one.person for one in members]
            known = {row.person for row in self._book.rows_of(self._wanted.name, persons).values()}
            place = members[-1].number.to_bytes(8, "big") if members else None
            return [one for one in persons if one not in known], place, len(members) == PAGE
        rows = self._book.rows_after(self._wanted.name, standing.after or b"", PAGE)
        return [row.person for row in rows], rows[-1].handle if rows else None, len(rows) == PAGE

    def _send(self, standing: Standing) -> bool:
        """Look at those who wait, and tell the vendor; return whether somebody could be looked at."""
        due = self._book.due(self._wanted.name, self._clock.now_ms(), self._pusher.size)
        hurried = [person for person, urgency in due if urgency > ROUND]
        persons = hurried or [person for person, _ in due]
        if not persons or (not hurried and self._looks.wait_s(len(persons)) > 0):
            return False
        if not hurried:
            self._looks.take(len(persons))
        found = plan(self._book, self._shop, self._wanted.name, persons, standing.position)
        standing = msgspec.structs.replace(standing, position=found.position)
        if found.adopted:
            self._book.write(self._wanted.name, found.adopted)
        self._book.defer(self._wanted.name, found.away, self._clock.now_ms() + AWAY_MS)
        self._pusher.push(standing, found, [one for one in persons if one not in {*found.away}])
        return True
