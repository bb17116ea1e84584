"""What the tables are made of, gathered from a house: its people, the newest mails and events.

In: engine, ledger, log, what opens seals. Out: a snapshot. Promised: as of one moment of the engine; no more than the
bounds say, and `whole` says whether one left something out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import msgspec

from livepost.ledger.base import MAX_LISTED, Delivery, Permit
from livepost.ledger.moves import State
from livepost.log.base import LogReader
from livepost.model.person import PersonView
from livepost.model.record import Record
from livepost.ops.sql.columns import Catalog
from livepost.ops.sql.rows import Open, Rows, Snapshot, members

PEOPLE_MAX = 50_000
EVENTS_MAX = 50_000
"""Records of the people looked at: the newest."""

LOG_AT_ONCE = 20_000


class Engine(Protocol):
    """The engine, as far as it tells of people."""

    def everybody(self, limit: int) -> list[PersonView]:
        """Return up to `limit` persons."""
        ...


class Ledger(Protocol):
    """The ledger, as far as it tells of mails and of who allows what."""

    def deliveries(
        self,
        *,
        person: bytes | None = None,
        campaign: str | None = None,
        state: State | None = None,
        limit: int = MAX_LISTED,
    ) -> list[Delivery]:
        """Return deliveries, newest first."""
        ...

    def refusals(self, asked: Sequence[Permit], now: int) -> list[str]:
        """Return the reason against each permit, "" for none."""
        ...


class Bounds(msgspec.Struct, frozen=True):
    """At most so many people, and records of theirs."""

    people: int = PEOPLE_MAX
    events: int = EVENTS_MAX


def gathered(
    catalog: Catalog,
    key: bytes,
    engine: Engine,
    ledger: Ledger,
    log: LogReader,
    opened: Open,
    now_ms: Callable[[], int],
    bounds: Bounds | None = None,
) -> Snapshot:
    """Return all tables of a catalog; `key` is that of pseudonyms, `now_ms` the workspace's time by which consents end.

    Raises StoreError if somebody does not answer.
    """
    bounds = bounds or Bounds()
    views = engine.everybody(bounds.people + 1)
    people = members(views[: bounds.people], catalog, _refused(catalog, ledger, views, now_ms()))
    subjects = {subject for one in people for subject in (one.person, *one.subjects)}
    records = list(_records(log, subjects, bounds.events + 1))
    mails = [ledger.deliveries(campaign=campaign, limit=MAX_LISTED) for campaign in catalog.campaigns]
    return Snapshot(
        position=max((one.position for one in views), default=-1),
        as_of=max((one.as_of for one in views), default=0),
        whole=len(views) <= bounds.people
        and len(records) <= bounds.events
        and max(map(len, mails), default=0) < MAX_LISTED,
        tables=Rows(catalog, key, opened).filled(
            people, [one for some in mails for one in some], records[: bounds.events]
        ),
    )


def _refused(catalog: Catalog, ledger: Ledger, views: Sequence[PersonView], now_ms: int) -> dict[bytes, str]:
    refused = ledger.refusals([Permit(person=one.person, purpose=catalog.purpose) for one in views], now_ms)
    return {one.person: why for one, why in zip(views, refused, strict=True)}


def _records(log: LogReader, subjects: set[bytes], most: int) -> Iterator[Record]:
    """Yield the newest records of some people, `most` at most."""
    before, count = log.last().seq + 1, 0
    while subjects and count < most:
        found = log.records_of(subjects, before, LOG_AT_ONCE)
        for one in found.records[: most - count]:
            count += 1
            yield one
        if found.first.seq >= before:
            return
        before = found.first.seq
