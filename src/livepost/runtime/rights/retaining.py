"""Retention: what is older than is promised goes out of every store, by a job of steps once a day.

In: a policy, the hour, the stores. Out: runs with what went of which store. Promised: one run at a time, in parts after
each of which others go first; a run that was begun is gone on with, whatever dies on the way; every step can be done
twice; no report says a value, or names anybody.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator
from itertools import groupby

import msgspec

from livepost.announce.book import Book as Webhooks
from livepost.audit.deed import Deed, Notary, by_command
from livepost.clock import DAY_MS, HOUR_MS, Clock, WallClock
from livepost.control import retention
from livepost.control.retention import FoundPersonal, Run, Went
from livepost.control.sqlite import ControlStore
from livepost.deliver.keep import aged_files
from livepost.errors import LivepostError
from livepost.govern.rights.retention import Term, Terms, term_of, terms_of
from livepost.ids import digest, new_subject_id
from livepost.ledger.base import Ledger
from livepost.log.thinning import Goes, thin
from livepost.model.compiled import Compiled
from livepost.project.purposes import Purposes
from livepost.runtime.data.folder import DataFolder
from livepost.runtime.rights.finding import find_personal
from livepost.settings.policy import Policy

RETAIN = "retain"
"""What others ask the front for: the argument is who asks, the answer the run that does it."""

BY_CLOCK = "house"
"""Who asks for the run of each day."""

LOOK_S = 30.0
PAUSE_S = 0.02
"""How long others have the log, the ledger and the core after each part."""

LATE_MS = 2 * DAY_MS
"""After so long without a run it is not waited for the hour: the house may never be up at it."""

EMAIL = "Identified.email"


class House(msgspec.Struct, frozen=True, kw_only=True):
    """What retention reaches. `policy` and `compiled` are asked for each time: another project may serve by then.

    tick          appends a record without anything, so that a log to which nothing came begins its new day
    clock, host   the workspace's clock and the host's
    """

    folder: DataFolder
    control: ControlStore
    ledger: Ledger
    notary: Notary
    policy: Callable[[], Policy | None]
    compiled: Callable[[], Compiled]
    tick: Callable[[], object]
    clock: Clock
    host: Clock = WallClock()

    @property
    def terms(self) -> Terms | None:
        """What is promised of the log's values; None without a policy."""
        policy = self.policy()
        return None if policy is None else terms_of(policy, Purposes(self.compiled(), policy))

    @property
    def mail_days(self) -> int:
        """How long it is kept where a mail went, and what was said of it."""
        return mail_days(self.folder, self.policy())


class Retaining:
    """Retention of one workspace; for one event loop."""

    def __init__(self, house: House, passed: Callable[[str], None] = lambda step: None) -> None:
        """`passed` hears of each step that is written down."""
        self._house = house
        self._passed = passed
        self._alone = asyncio.Lock()
        self._asked = asyncio.Event()

    async def handle(self, raw: msgspec.Raw) -> Run:
        """Let a run begin for another process of this machine; one that is under way is that run."""
        return await self.begin(by_command(msgspec.msgpack.decode(raw, type=str)))

    async def begin(self, by: str) -> Run:
        """Write a run down and let it go its way; raise StoreError if it cannot be noted."""
        house = self._house
        run = retention.under_way(house.control)
        if run is None:
            run = Run(id=new_subject_id().hex(), by=by, begun_at=house.host.now_ms(), as_of=house.clock.now_ms())
            await house.notary.note(by, Deed("retention.run", about=run.id))
            retention.begin(house.control, run)
        self._asked.set()
        return run

    async def run(self) -> None:
        """Go on with what is under way, and begin the run of each day at its hour."""
        said = ""
        while True:
            try:
                await self.go_on()
                if self._is_due():
                    await self.begin(BY_CLOCK)
                said = ""
            except LivepostError as error:
                if str(error) != said:
                    said = str(error)
                    print(f"livepost: retention waits: {error}", file=sys.stderr)  # noqa: T201
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self._asked.wait()
            self._asked.clear()

    async def go_on(self) -> Run | None:
        """Do the run that is under way, if there is one, to its end; return it."""
        async with self._alone:
            run = retention.under_way(self._house.control)
            if run is None:
                return None
            for name, step in STEPS:
                if name not in run.done:
                    run = await step(self._house, run)
                    run = msgspec.structs.replace(run, done=(*run.done, name))
                    retention.go_on(self._house.control, run)
                    self._passed(name)
            run = msgspec.structs.replace(run, ended_at=self._house.host.now_ms())
            retention.go_on(self._house.control, run)
            self._passed("end")
            return run

    def _is_due(self) -> bool:
        house, last = self._house, retention.runs(self._house.control, 1)
        now = house.host.now_ms()
        if not last:
            return _hour(now) == house.folder.settings.off_peak_hour
        return now >= next_run(last[0].begun_at, house.folder.settings.off_peak_hour) and (
            _hour(now) == house.folder.settings.off_peak_hour or now - last[0].begun_at >= LATE_MS
        )


def next_run(last: int, hour: int) -> int:
    """Return when (UTC ms) the run behind one that was begun at `last` is due: the next such hour of another day.

    >>> next_run(0, 3) // HOUR_MS, next_run(4 * HOUR_MS, 3) // HOUR_MS
    (3, 27)
    """
    today = last // DAY_MS * DAY_MS + hour * HOUR_MS
    return today if last < today else today + DAY_MS


def mail_days(folder: DataFolder, policy: Policy | None) -> int:
    """Return how many days it is kept where a mail went, and what was said of it."""
    term = term_of(policy, EMAIL) if policy else None
    return min(folder.settings.mail_days, term.days if term else folder.settings.mail_days)


def planned(
    folder: DataFolder, control: ControlStore, ledger: Ledger, terms: Terms | None, days: int, now: tuple[int, int]
) -> Iterator[Went]:
    """Yield what a run would take out as of `now` (the workspace's and the host's, ms); changes nothing."""
    as_of, host = now
    for length, group in _groups(terms):
        yield from _log_planned(folder, control, terms, length, group, as_of)
    before, host_before = as_of - _mail_ms(folder, days), host - days * DAY_MS
    for what, (count, oldest) in ledger.aged(before).items():
        yield Went(store="ledger.db", field=what, count=count, before=before, oldest=oldest)
    mails = aged_files(folder.mailbox, host_before)
    oldest = min((first for _, _, first in mails), default=0)
    yield Went(store="mailbox", field="mails", count=sum(n for _, n, _ in mails), before=host_before, oldest=oldest)
    if folder.webhooks_file.exists():
        with contextlib.closing(Webhooks(folder.webhooks_file)) as book:
            count, oldest = book.aged_letters(host_before)
        yield Went(store="webhooks.db", field="dead letters", count=count, before=host_before, oldest=oldest)


async def from_log(house: House, run: Run) -> Run:
    """Take sealed values out of the log's older days; an empty seal stays."""
    terms = house.terms
    house.tick()
    for days, group in _groups(terms):
        before, name = run.as_of - days * DAY_MS, _place_of(days, group)
        more = True
        while more:
            first = retention.place(house.control, name)
            part = await asyncio.to_thread(thin, house.folder.path / "log", first, before, _goes(terms, group))
            run = _with(run, (_went(one, part.gone, part.oldest, before) for one in group))
            retention.go_on(house.control, run, (name, part.go_on))
            more = part.more
            await asyncio.sleep(PAUSE_S)
    return run


async def from_ledger(house: House, run: Run) -> Run:
    """Take out of the ledger where mails went, and what was said of them."""
    before = run.as_of - _mail_ms(house.folder, house.mail_days)
    done: set[str] = set()
    while any((gone := await asyncio.to_thread(house.ledger.drop_aged, before, done)).values()):
        done.update(what for what, count in gone.items() if not count)
        went = (Went(store="ledger.db", field=what, count=count, before=before) for what, count in gone.items())
        run = _with(run, went)
        retention.go_on(house.control, run)
        await asyncio.sleep(PAUSE_S)
    return run


async def from_mailbox(house: House, run: Run) -> Run:
    """Drop files of kept mails in which all are too old."""
    before = run.begun_at - house.mail_days * DAY_MS
    files = await asyncio.to_thread(aged_files, house.folder.mailbox, before)
    for path, count, oldest in files:
        path.unlink(missing_ok=True)
        run = _with(run, [Went(store="mailbox", field="mails", count=count, before=before, oldest=oldest)])
    return run


async def from_webhooks(house: House, run: Run) -> Run:
    """Drop messages that a target did not take and nobody replayed."""
    if not house.folder.webhooks_file.exists():
        return run
    before = run.begun_at - house.mail_days * DAY_MS
    with contextlib.closing(Webhooks(house.folder.webhooks_file)) as book:
        gone = book.drop_letters(before)
    return _with(run, [Went(store="webhooks.db", field="dead letters", count=gone, before=before)])


async def from_control(house: House, run: Run) -> Run:
    """Drop sessions and invitations that are over."""
    now = run.begun_at
    with house.control.transaction():
        gone = sum(
            house.control.write(f"DELETE FROM {table} WHERE ends_ms <= ?", (now,))
            for table in ("sessions", "invitations")
        )
    return _with(run, [Went(store="control.db", field="sessions and invitations", count=gone, before=now)])


async def look_for_personal(house: House, run: Run) -> Run:
    """Look whether the newest events have personal values where none were declared."""
    found = await asyncio.to_thread(_found, house)
    return msgspec.structs.replace(run, found=tuple(found))


Step = Callable[[House, Run], Awaitable[Run]]

STEPS: tuple[tuple[str, Step], ...] = (
    ("log", from_log),
    ("ledger", from_ledger),
    ("mailbox", from_mailbox),
    ("webhooks", from_webhooks),
    ("control", from_control),
    ("found", look_for_personal),
)
"""The steps, in order."""


def _found(house: House) -> list[FoundPersonal]:
    folder = house.folder
    with contextlib.closing(folder.log_reader()) as log, contextlib.closing(folder.vault(readonly=True)) as vault:
        return find_personal(log, vault, folder.settings.workspace, house.compiled())


def _groups(terms: Terms | None) -> Iterator[tuple[int, list[Term]]]:
    """Yield fields that are kept equally long."""
    told = sorted(terms.all if terms else [], key=lambda one: one.days)
    for days, group in groupby(told, key=lambda one: one.days):
        yield days, list(group)


def _goes(terms: Terms | None, group: list[Term]) -> Goes:
    """Return what says whether a seal is one of a group's."""
    found: dict[tuple[str, str], str] = {}

    def goes(event: str, seal: str) -> str:
        key = (event, seal)
        if key not in found:
            term = terms.of(event, seal) if terms else None
            found[key] = term.field if term in group and term else ""
        return found[key]

    return goes


def _place_of(days: int, group: list[Term]) -> str:
    """Return the name of a group's place: another promise begins anew."""
    return f"{days}d {digest(msgspec.msgpack.encode([one.field for one in group])).hex()}"


def _log_planned(
    folder: DataFolder, control: ControlStore, terms: Terms | None, days: int, group: list[Term], as_of: int
) -> Iterator[Went]:
    first, before, more = retention.place(control, _place_of(days, group)), as_of - days * DAY_MS, True
    run = Run(id="", by="", begun_at=0, as_of=as_of)
    while more:
        part = thin(folder.path / "log", first, before, _goes(terms, group), change=False)
        run = _with(run, (_went(one, part.gone, part.oldest, before) for one in group))
        first, more = part.go_on, part.more
    yield from run.went


def _went(term: Term, gone: dict[str, int], oldest: dict[str, int], before: int) -> Went:
    count, first = gone.get(term.field, 0), oldest.get(term.field, 0)
    return Went(store="log", field=term.field, purposes=term.purposes, count=count, before=before, oldest=first)


def _with(run: Run, more: Iterable[Went]) -> Run:
    """Return the run with more that went, added to what went of the same field before."""
    went = {(one.store, one.field): one for one in run.went}
    for one in more:
        had = went.get((one.store, one.field), one)
        oldest = min(filter(None, (had.oldest, one.oldest)), default=0)
        count = one.count if had is one else had.count + one.count
        went[one.store, one.field] = msgspec.structs.replace(one, count=count, oldest=oldest)
    return msgspec.structs.replace(run, went=tuple(went.values()))


def _mail_ms(folder: DataFolder, days: int) -> int:
    """Return how long (ms) addresses are kept: while a cap across campaigns may count them, too."""
    return max(days * DAY_MS, *(per for _, per in folder.settings.caps_ms), 0)


def _hour(now: int) -> int:
    return now % DAY_MS // HOUR_MS
