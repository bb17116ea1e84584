"""Transactional mails before all others: they overtake wherever a bulk is, in the outbox, in the ledger and on its way.

In: what the engine tells is urgent, and the courier's own ledger. Out: mails, over senders and under a worker's name
of their own, so that what a bulk has in flight holds none of them up. Promised: they pass the same checks and steps as
all mails; whoever calls `attend` waits for them, and for nothing else.
"""

from __future__ import annotations

import os
import select
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
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

ROUNDS = 2
"""How often it is sent at a time: what comes next is asked for behind the first time, and a flood lets others go on."""

HURRY_S = 1.0
"""How long after a transactional mail the next one is expected."""

SMALLER = 10
"""By how much the pieces of a bulk are smaller then."""

ANSWER_S = 1.0
"""How long a sender's answer is waited for before it is looked whether it is there all the same."""

LOOK_S = 0.01
"""How often the ledger is looked at: a mail that a program asks for, or tries again, is there without the engine."""

AWAY_S = 0.5
"""How long an engine that is not there is not asked again."""


class UrgentSource(Protocol):
    """Tells what is urgent in the engine's outbox."""

    def look(self, asked: UrgentAsked) -> Urgent | None:
        """Return what is urgent, without waiting; raise StoreError if the engine is not there."""
        ...

    @property
    def heard_on(self) -> int | None:
        """The descriptor that can be read once there is something urgent; None where nothing is asked."""
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
        self._hurried_s = now_s() - HURRY_S

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
            for _ in range(ROUNDS):
                if not (self._overtake() or self._is_asked()):
                    break
                self._send()
        finally:
            self._busy = False

    def attend_beside(self) -> None:
        """Attend while mails are out whose answers must be written down: what goes wrong here is raised by `attend`."""
        try:
            self.attend()
        except Exception as error:
            self._failed = error

    @property
    def heard_on(self) -> int | None:
        """The descriptor that can be read once `attend` has something to do; None where it would not look."""
        return self._source.heard_on if not self._busy and self._failed is None and self._asks() else None

    def piece(self, usual: int) -> int:
        """Return how much of a bulk is done at a time: less while transactional mails come, which wait for a piece."""
        return usual if self._now_s() - self._hurried_s >= HURRY_S else max(usual // SMALLER, 1)

    def _asks(self) -> bool:
        """Say whether the engine is asked: by who reads the outbox, while it is there."""
        return self._place.leads and bool(self._place.epoch) and self._now_s() >= self._away_s

    def _overtake(self) -> bool:
        """Take over what is urgent; say whether there was anything.

        The question for what comes next leaves when that was sent: a wave of the engine stands still until it comes.
        """
        place = self._place
        if not self._asks():
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
        self._hurried_s = self._now_s()
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
    """What is done while answers are waited for: the work left for then, and what is urgent as soon as it is told."""

    def __init__(self) -> None:
        """Begin with nothing to do."""
        self.attend: Callable[[], object] = nothing
        self.heard_on: Callable[[], int | None] = nothing
        self._left: Callable[[], None] = nothing

    def ahead(self, work: Callable[[], None]) -> None:
        """Leave some work for when the next mails are at their server."""
        self._left = work

    def begin(self) -> None:
        """Do the work that was left."""
        work, self._left = self._left, nothing
        work()

    def wait(self, descriptor: int, timeout_s: float) -> None:
        """Return when a descriptor can be read, after so many seconds at the latest; attend meanwhile."""
        end_s = time.monotonic() + timeout_s
        while (left_s := end_s - time.monotonic()) > 0:
            urgent = self.heard_on()
            watched = [descriptor] if urgent is None else [descriptor, urgent]
            if descriptor in select.select(watched, [], [], min(left_s, LOOK_S))[0]:
                return
            self.attend()


class Attentive:
    """A sender that lets other work be done while it waits for its server; for one thread.

    The sender inside is used on a thread of its own, and on no other.
    """

    def __init__(self, sender: Sender, beside: Beside) -> None:
        """Take the sender, and what is done beside it: senders of one courier share that."""
        self._sender = sender
        self._beside = beside
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sender")
        self._answered, self._answers = os.pipe()

    def send(self, messages: Sequence[Message]) -> list[Receipt]:
        """Send the mails; see `Sender`."""
        sending = self._asked(self._thread.submit(self._sender.send, messages))
        self._beside.begin()
        return self._attended(sending)

    def lookup(self, decisions: Sequence[bytes]) -> list[Receipt]:
        """Return what became of mails; see `Sender`."""
        return self._attended(self._asked(self._thread.submit(self._sender.lookup, decisions)))

    def close(self) -> None:
        """End the thread; the sender inside is closed by whoever made it."""
        self._thread.shutdown()
        os.close(self._answered)
        os.close(self._answers)

    def _asked(self, answer: Future[list[Receipt]]) -> Future[list[Receipt]]:
        """Have a byte tell that the answer is there: a descriptor can be waited for beside others."""
        answer.add_done_callback(lambda _: os.write(self._answers, b"!"))
        return answer

    def _attended(self, answer: Future[list[Receipt]]) -> list[Receipt]:
        while not answer.done():
            self._beside.wait(self._answered, ANSWER_S)
        os.read(self._answered, 1)
        return answer.result()
