"""Webhooks in the courier's process: a thread each target, beside the mails and not before them.

In: the settings, engine and ledger. Out: what happens, told to each target in the words of the stream. Promised: mails
wait for no target, and no target for another; while a store is away, all wait for it.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterator

from livepost.announce.announcer import IDLE_S, Announcer, Target
from livepost.announce.book import Book
from livepost.announce.notice import GAP, Batch, Notice
from livepost.api.happening import (
    GapTold,
    Happening,
    Happenings,
    Message,
    Place,
    ReceiptTold,
    TransitionTold,
    kind_of,
    place_of,
    told,
)
from livepost.clock import Clock, WallClock, steady
from livepost.fetch.fetcher import Fetcher
from livepost.project.gate import Gate
from livepost.project.purposes import CAMPAIGN
from livepost.runtime.courier.passing import Passing
from livepost.runtime.courier.refusing import allowing, refusing
from livepost.runtime.courier.targets import allowed_of, targets_of
from livepost.runtime.courier.turning import Turning, turning
from livepost.runtime.data.folder import DataFolder
from livepost.runtime.engine.client import EngineClient
from livepost.runtime.engine.happened import Happened

STOP_S = 5.0
"""How long what is under way may take when the house stops: longer than a request."""


class Stream:
    """What the stream tells, as notices; see `livepost.announce.notice.Source`."""

    def __init__(self, happenings: Happenings, clock: Clock) -> None:
        """Take what is read; `clock` is for a gap, which has no time of its own."""
        self._happenings = happenings
        self._clock = clock

    def end(self) -> str:
        """Return the place where nothing more has happened yet."""
        return self._happenings.end().cursor

    def after(self, cursor: str) -> Batch:
        """Return what happened after a place, a gap first if there is one."""
        page = self._happenings.after(place_of(cursor))
        notices = [self._gap(page.gap, page.start)] if page.gap else []
        place = page.start
        for happening in page.items:
            place = place.after(happening)
            notices.append(notice_of(happening, place))
        return Batch(notices=notices, end=place.cursor, more=page.more)

    def _gap(self, reason: str, start: Place) -> Notice:
        id = f"{GAP}_{start.cursor.replace('.', '_')}"
        data = told(GapTold(reason=reason), start).encode()
        return Notice(id=id, kind=GAP, at=self._clock.now_ms(), data=data, cursor=start.cursor)


def notice_of(happening: Happening, place: Place) -> Notice:
    """Return what happened as a notice: the same one under the same id, whenever it is read."""
    message = happening.message
    data = told(message, place).encode()
    return Notice(
        id=_id(message, happening.number),
        kind=kind_of(message),
        at=message.at,
        data=data,
        cursor=place.cursor,
        person=bytes.fromhex(message.person),
        about=message.segment if isinstance(message, TransitionTold) else CAMPAIGN + message.campaign,
    )


@contextlib.contextmanager
def announcing(folder: DataFolder, gate: Callable[[], Gate | None] = lambda: None) -> Iterator[Callable[[], None]]:
    """Tell all targets of the settings what the gate of now lets pass, within; yield what wakes them when something is
    new.

    Raises SettingsError for a target of no use, StoreError if a store cannot be opened.
    """
    targets = targets_of(folder.settings, folder.pseudonym_secret)
    with contextlib.ExitStack() as open_:
        tellers = _tellers(folder, targets, open_, gate) if targets else []
        yield open_.enter_context(turning(tellers, STOP_S))


def _tellers(
    folder: DataFolder, targets: list[Target], open_: contextlib.ExitStack, gate: Callable[[], Gate | None]
) -> list[Turning]:
    book = open_.enter_context(contextlib.closing(Book(folder.webhooks_file)))
    ledger = open_.enter_context(contextlib.closing(folder.ledger()))
    clock = steady(WallClock())
    tellers = []
    for target in targets:
        engine = open_.enter_context(contextlib.closing(EngineClient(folder)))
        fetch = open_.enter_context(contextlib.closing(Fetcher(allowed_of(folder.settings))))
        source = Stream(Happened(engine, ledger), clock)
        announcer = Announcer(
            target,
            source=source,
            book=book,
            fetch=fetch,
            clock=clock,
            chance=random.SystemRandom().random,
            may=Passing(target.name, gate, engine, refusing(ledger, folder.clock), ledger.restricted),
            allows=allowing(ledger, folder.clock),
        )
        tellers.append(Turning(f"webhook {target.name}", announcer.turn, idle_s=IDLE_S))
    return tellers


def _id(message: Message, number: int) -> str:
    """Return a message's id: that of the transition or decision; a receipt's has the number of its move behind it."""
    if isinstance(message, ReceiptTold):
        return f"receipt_{message.id}_{number}"
    return f"{kind_of(message)}_{message.id}"
