"""Transactional mails before all others: they overtake wherever a bulk is, in the outbox, in the ledger and on its way.

In: what the engine tells is urgent, and the courier's own ledger. Out: mails, over senders and under a worker's name
of their own, so that what a bulk has in flight holds none of them up. Promised: they pass the same checks and steps as
all mails; whoever calls `attend` waits for them, and for nothing else.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Protocol

import msgspec

from livepost.deliver.courier import Courier, Engine, Place, Sent, nothing, send_due
from livepost.deliver.mail import Maker
from livepost.deliver.sender import Sender
from livepost.errors import FencedError, StoreError
from livepost.model.message import Message, Receipt
from livepost.model.outbox import OutboxPage, Urgent, UrgentAsked
from livepost.model.person import PersonView

LANES = 1
"""The first lane alone overtakes: transactional."""

SUFFIX = "-express"
"""What the worker's name of the express ends with."""

LOOK_S = 0.01
"""How often the ledger is looked at: a mail that a program asks for, or tries again, is there without the engine."""

AWAY_S = 0.5
"""How long an engine that is not there is not asked again."""

ATTEND_S = 0.002
"""How long an urgent mail may wait while a bulk's mails are at their server."""


class UrgentSource(Protocol):
    """Tells what is urgent in the engine's outbox."""

    def look(self, asked: UrgentAsked) -> Urgent | None:
        """Return what is urgent, without waiting; raise StoreError if the engine is not there."""
        ...


class Express:
    """The fast way of one courier, on its thread."""

    def __init__(
        self,
        courier: Courier,
        senders: Mapping[str, Sender],
        source: UrgentSource,
        sent: Callable[[Sent], None],
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take the courier it goes beside, senders of its own (the preferred first), and who is told what was sent."""
        self._place = courier.place
        self._source = source
        self._sent = sent
        self._now_s = now_s
        self._views = _Views(courier.engine)
        self._worker = courier.worker
        self.courier = msgspec.structs.replace(
            courier,
            sender=next(iter(senders.values())),
            senders=senders,
            worker=courier.worker + SUFFIX,
            lanes=LANES,
            engine=self._views,
            place=Place(),
        )
        self._busy = False
        self._failed: Exception | None = None
        self._looked_s = self._away_s = now_s() - AWAY_S

    def follow(self, maker: Maker) -> None:
        """Make mails with another maker from now on."""
        self.courier = msgspec.structs.replace(self.courier, maker=maker)

    def attend(self) -> None:
        """Take over what is urgent by now, and send what is transactional; a mail that is being sent is not overtaken
        by another.
        """
        if self._failed is not None:
            raise self._failed
        if self._busy:
            return
        self._busy = True
        try:
            if self._overtake() or self._is_asked():
                self._send()
        finally:
            self._busy = False

    def attend_beside(self) -> None:
        """Attend while mails are out whose answers must be written down: what goes wrong here is raised by `attend`."""
        try:
            self.attend()
        except Exception as error:
            self._failed = error

    def _overtake(self) -> bool:
        """Take over what is urgent; say whether there was anything."""
        place = self._place
        if not (place.leads and place.epoch) or self._now_s() < self._away_s:
            return False
        try:
            told = self._source.look(UrgentAsked(place.epoch, place.urgent, place.after))
        except StoreError:
            self._away_s = self._now_s() + AWAY_S
            return False
        if told is None or told.page.epoch != place.epoch:
            return False
        try:
            self._take_over(told.page)
        except FencedError:  # another courier leads by now, and takes it over
            place.leads, place.epoch = False, ""
            return False
        self._views.told = told.people
        return True

    def _take_over(self, page: OutboxPage) -> None:
        """Copy what lies before the fence; what is behind it was taken over once, and is compared in its order."""
        ledger, place = self.courier.ledger, self._place
        fence = ledger.cursor()
        ahead = [item for item in page.items if item.position > fence]
        if ahead:
            taken = msgspec.structs.replace(page, items=ahead)
            ledger.take_over(taken, self.courier.clock.now_ms(), self._worker)
        place.urgent = page.last

    def _is_asked(self) -> bool:
        """Say whether a transactional mail waits in the ledger; it is not looked more often than needs be."""
        now_s = self._now_s()
        if now_s - self._looked_s < LOOK_S:
            return False
        self._looked_s = now_s
        return self.courier.ledger.waits(LANES)

    def _send(self) -> None:
        done = send_due(self.courier)
        self._views.told = {}
        if done.claimed:
            self._sent(done)


class _Views:
    """The engine, of which those people are not asked for who came with what is urgent."""

    def __init__(self, engine: Engine) -> None:
        self.told: Mapping[bytes, PersonView] = {}
        self._engine = engine

    def decisions(self, after: int, limit: int) -> OutboxPage:
        return self._engine.decisions(after, limit)

    def served(self, upto: int) -> None:
        self._engine.served(upto)

    def people(self, ids: Sequence[bytes], at_least: int) -> Mapping[bytes, PersonView]:
        fresh = {one: self.told[one] for one in ids if one in self.told and self.told[one].position >= at_least}
        others = [one for one in ids if one not in fresh]
        return {**fresh, **self._engine.people(others, at_least)} if others else fresh


class Beside:
    """What is done while mails are at their servers: the work left for then, and again and again what is urgent."""

    def __init__(self) -> None:
        """Begin with nothing to do."""
        self.attend: Callable[[], object] = nothing
        self._left: Callable[[], None] = nothing

    def ahead(self, work: Callable[[], None]) -> None:
        """Leave some work for when the next mails are at their server."""
        self._left = work

    def begin(self) -> None:
        """Do the work that was left."""
        work, self._left = self._left, nothing
        work()


class Attentive:
    """A sender that lets other work be done while it waits for its server; for one thread.

    The sender inside is used on a thread of its own, and on no other.
    """

    def __init__(self, sender: Sender, beside: Beside) -> None:
        """Take the sender, and what is done beside it: senders of one courier share that."""
        self._sender = sender
        self._beside = beside
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sender")

    def send(self, messages: Sequence[Message]) -> list[Receipt]:
        """Send the mails; see `Sender`."""
        sending = self._thread.submit(self._sender.send, messages)
        self._beside.begin()
        return self._attended(sending)

    def lookup(self, decisions: Sequence[bytes]) -> list[Receipt]:
        """Return what became of mails; see `Sender`."""
        return self._attended(self._thread.submit(self._sender.lookup, decisions))

    def close(self) -> None:
        """End the thread; the sender inside is closed by whoever made it."""
        self._thread.shutdown()

    def _attended(self, answer: Future[list[Receipt]]) -> list[Receipt]:
        while not wait([answer], ATTEND_S).done:
            self._beside.attend()
        return answer.result()
