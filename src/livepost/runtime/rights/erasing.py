"""Erasures: one person taken out of every store, step by step, and the receipt.

In: an id of a person. Out: a signed receipt. Promised: once it is asked for an erasure is gone on with, whatever dies
on the way; after the first three steps, which take a moment, nothing is sent to the person and nothing of theirs can be
opened; every step can be done twice.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

import msgspec

from livepost.announce.book import Book as Webhooks
from livepost.announce.notice import Notice
from livepost.audit.head import Signer
from livepost.clock import DAY_MS, Clock, WallClock
from livepost.control import erasures
from livepost.control.erasures import Done, Erasure
from livepost.control.sqlite import ControlStore
from livepost.errors import LivepostError, SealError, StoreError
from livepost.govern.rights.receipt import BACKUP_DAYS, Receipt, StoreReceipt, signed
from livepost.ids import new_subject_id
from livepost.intake.erased import erasure_hash
from livepost.intake.seal import open_value
from livepost.intake.writer import Intake
from livepost.ledger.base import Ledger
from livepost.log.base import LogReader
from livepost.model.compiled import ADDRESS_FEATURE
from livepost.model.person import PersonView
from livepost.model.told import Status
from livepost.runtime.data.folder import DataFolder
from livepost.runtime.rights.stores import STORES, Store
from livepost.settings.postgres import SCHEME
from livepost.settings.settings import Settings
from livepost.sync.book import Book as Audiences
from livepost.vault.base import ANONYMOUS, EMAIL, USER, ExternalId, Vault

ERASE = "erase"
"""What others ask the front for: the argument is a `Wish`, the answer a `Receipt`."""

NOTICE = "person.erased"
"""The kind of message that every webhook's target is told, whatever it asked for."""

ENGINE_S = 10.0
"""How long the engine may take to fold the record before whoever asked is told that it goes on by itself."""

ON_SERVER = (
    "rows as they were, in PostgreSQL's files until it vacuums, in its WAL and its backups: numbers, keyed hashes, and "
    "values sealed under the keys that are destroyed"
)
"""What an erasure cannot overwrite where the ledger is a server's."""

LOOK_S = 0.01
RETRY_S = 1.0
QUIET_TRIES = 20
"""How often it is looked who the person is, if events of theirs come in meanwhile."""

AT_ONCE = 500
"""Subjects that the engine is asked for in one call."""


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """Whom to erase, by any id of theirs, and how the audit names who asks."""

    person: str
    by: str


class Engine(Protocol):
    """The engine, as far as it knows people; everything raises StoreError while it is away."""

    def people(self, ids: Sequence[bytes], at_least: int) -> Mapping[bytes, PersonView]:
        """Return persons by any of their subjects."""
        ...

    def status(self) -> Status:
        """Return where it stands."""
        ...


class House(msgspec.Struct, frozen=True, kw_only=True):
    """What an erasure reaches. `vault` and `log` are asked for each time: they may have been opened anew.

    keys       the names of the declared keys
    listed     tells whoever lets events in that the erasure list, or who is forgotten, has changed
    host, clock   the host's clock and the workspace's
    """

    folder: DataFolder
    control: ControlStore
    ledger: Ledger
    intake: Intake
    engine: Engine
    signer: Signer
    clock: Clock
    vault: Callable[[], Vault]
    log: Callable[[], LogReader]
    keys: Callable[[], Sequence[str]]
    listed: Callable[[], None]
    host: Clock = WallClock()

    @property
    def settings(self) -> Settings:
        """The workspace's settings."""
        return self.folder.settings


class Erasing:
    """Erasures of one workspace; for the event loop of the writer of its log and vault."""

    def __init__(self, house: House, passed: Callable[[str], None] = lambda step: None) -> None:
        """`passed` hears of each step that is written down."""
        self._house = house
        self._passed = passed
        self._alone = asyncio.Lock()

    async def handle(self, raw: msgspec.Raw) -> Receipt:
        """Erase a person for another process of this machine."""
        wish = msgspec.msgpack.decode(raw, type=Wish)
        return await self.erase(wish.person, wish.by)

    async def erase(self, person: str, by: str) -> Receipt:
        """Erase the person whom an id names; return once every step is done.

        Raises StoreError if nobody is known by it, or if a store is away: what was begun goes on by itself then.
        """
        async with self._alone:
            erasure = await self._begun(person, by)
            return await self._go_on(erasure)

    async def run(self) -> None:
        """Go on with what a crash left, and forget again whom a restored store brought back; then with what failed."""
        restored, said = False, ""
        while True:
            try:
                async with self._alone:
                    for erasure in erasures.under_way(self._house.control):
                        await self._go_on(erasure)
                    if not restored:
                        await self._forget_restored()
                        restored = True
                said = ""
            except LivepostError as error:
                if erasures.under_way(self._house.control) and str(error) != said:
                    said = str(error)
                    print(f"livepost: an erasure waits: {error}", file=sys.stderr)  # noqa: T201
            await asyncio.sleep(RETRY_S)

    async def _begun(self, person: str, by: str) -> Erasure:
        """Write down whom it is about, while their keys are there to say how else they are named."""
        house = self._house
        subject = _subject(house.vault(), person, house.keys())
        subjects, view = await self._quiet(subject)
        ids = [*house.vault().external_ids(subjects), *self._addresses(view)]
        hashes = dict.fromkeys(erasure_hash(house.vault().blind, id) for id in ids)
        erasure = Erasure(
            id=new_subject_id(),
            by=by,
            asked_at=house.host.now_ms(),
            erased_at=max(house.clock.now_ms(), house.log().last().stamp),
            subjects=tuple(subjects),
            hashes=tuple(hashes),
        )
        erasures.begin(house.control, erasure)
        return erasure

    async def _quiet(self, subject: bytes) -> tuple[Sequence[bytes], PersonView | None]:
        """Return all subjects of a person, and them, as of a moment behind which the log has nothing of theirs."""
        house, subjects, view = self._house, [subject], None
        for _ in range(QUIET_TRIES):
            position = (await asyncio.to_thread(house.engine.status)).position
            view = (await asyncio.to_thread(house.engine.people, [subject], position)).get(subject)
            subjects = [subject] if view is None else list(view.subjects)
            last = house.log().last().seq
            behind = last - (position if view is None else view.position)
            if behind <= 0 or not house.log().records_of(subjects, last + 1, behind).records:
                break
            await asyncio.sleep(LOOK_S)
        return subjects, view

    def _addresses(self, view: PersonView | None) -> list[ExternalId]:
        sealed = view.sealed.get(ADDRESS_FEATURE) if view else None
        if sealed is None:
            return []
        with contextlib.suppress(SealError):
            told = open_value(self._house.vault().keys(sealed.subject), self._house.settings.workspace, sealed)
            if isinstance(told, str) and told.strip():
                return [ExternalId(EMAIL, told)]
        return []

    async def _go_on(self, erasure: Erasure) -> Receipt:
        for name, step in STEPS:
            if name not in erasure.done:
                erasure, done = await step(self._house, erasure)
                erasure = msgspec.structs.replace(erasure, done={**erasure.done, name: done})
                erasures.go_on(self._house.control, erasure)
                self._passed(name)
        receipt = signed(_receipt(erasure, self._house), self._house.signer)
        erasures.end(self._house.control, erasure.id, msgspec.json.encode(receipt), erasure.subjects)
        self._passed("control")
        return receipt

    async def _forget_restored(self) -> None:
        """Forget again whom an older vault or state, put in the place of the one that was, has brought back."""
        house = self._house
        gone = await asyncio.to_thread(house.ledger.forgotten)
        back = [subject for subject in gone if _has_keys(house.vault(), subject)]
        if back:
            house.vault().forget(back)
        found: dict[bytes, None] = {}
        for start in range(0, len(gone), AT_ONCE):
            views = await asyncio.to_thread(house.engine.people, gone[start : start + AT_ONCE], -1)
            found.update(dict.fromkeys(one for view in views.values() for one in view.subjects if one in {*gone}))
        if found:
            house.intake.forget(list(found))


Step = Callable[[House, Erasure], Awaitable[tuple[Erasure, Done]]]


async def from_ledger(house: House, erasure: Erasure) -> tuple[Erasure, Done]:
    """Let nothing be sent any more, and nothing of before come in again; whoever has a copy hears of it."""
    rows = await asyncio.to_thread(_erase_in_ledger, house, erasure)
    house.listed()
    return erasure, Done(at=house.host.now_ms(), rows=rows)


async def from_log(house: House, erasure: Erasure) -> tuple[Erasure, Done]:
    """Write down that everybody forgets the person."""
    position = house.intake.forget(erasure.subjects).last
    return msgspec.structs.replace(erasure, position=position), Done(at=house.host.now_ms())


async def from_vault(house: House, erasure: Erasure) -> tuple[Erasure, Done]:
    """Destroy the keys, and the rows that say who it was."""
    gone = house.vault().forget(erasure.subjects)
    at = house.host.now_ms()
    remains = "in backups of the vault, under the key-encryption key of then"
    return erasure, Done(at=at, rows={"keys": gone}, remains=remains, until=at + BACKUP_DAYS * DAY_MS)


async def from_state(house: House, erasure: Erasure) -> tuple[Erasure, Done]:
    """Wait until the engine has forgotten them; raise StoreError if that takes too long."""
    waited = 0.0
    while (await asyncio.to_thread(house.engine.status)).position < erasure.position:
        if waited >= ENGINE_S:
            raise StoreError(
                f"expected the engine to come to record {erasure.position} within {ENGINE_S:g} s, it did not; nothing "
                "is sent to the person any more, and the erasure goes on by itself"
            )
        waited += LOOK_S
        await asyncio.sleep(LOOK_S)
    left = await asyncio.to_thread(house.engine.people, list(erasure.subjects), -1)
    if left:
        raise StoreError("expected the engine to have forgotten the person, it knows them; see `livepost doctor`")
    return erasure, Done(at=house.host.now_ms(), rows={"people": 1})


async def from_webhooks(house: House, erasure: Erasure) -> tuple[Erasure, Done]:
    """Drop what a target did not take, and have each told."""
    targets = [one.name for one in house.settings.webhooks]
    if not targets and not house.folder.webhooks_file.exists():
        return erasure, Done(at=house.host.now_ms())
    at = house.host.now_ms()
    with contextlib.closing(Webhooks(house.folder.webhooks_file)) as book:
        gone = book.forget(erasure.subjects)
        for target in targets:
            id = f"erased_{erasure.id.hex()}"
            book.tell(target, id, NOTICE, _notice(id, erasure))
    return erasure, Done(at=at, rows={"messages": gone, "targets to be told": len(targets)})


async def from_audiences(house: House, erasure: Erasure) -> tuple[Erasure, Done]:
    """Have each vendor asked to forget the person."""
    at = house.host.now_ms()
    if not house.folder.audiences_file.exists():
        return erasure, Done(at=at)
    with contextlib.closing(Audiences(house.folder.audiences_file)) as book:
        rows = book.forget(erasure.subjects, [one.name for one in house.settings.audiences])
    asked = ", ".join(f"{name} is asked to forget {count}" for name, count in sorted(rows.items()))
    remains = f"{asked}; by what they know the person stays, under a key of the workspace, until they answered"
    return erasure, Done(at=at, rows=rows, remains=remains if rows else "")


async def from_ledger_again(house: House, erasure: Erasure) -> tuple[Erasure, Done]:
    """Take out of the ledger what was under way at the first time."""
    rows = await asyncio.to_thread(_erase_in_ledger, house, erasure)
    return erasure, Done(at=house.host.now_ms(), rows=rows)


STEPS: tuple[tuple[str, Step], ...] = (
    ("ledger", from_ledger),
    ("log", from_log),
    ("vault", from_vault),
    ("state", from_state),
    ("webhooks", from_webhooks),
    ("audiences", from_audiences),
    ("ledger again", from_ledger_again),
)
"""The steps, in order; the end of the erasure in the control store is the last, `control`."""


def _erase_in_ledger(house: House, erasure: Erasure) -> dict[str, int]:
    return house.ledger.erase(erasure.subjects, erasure.hashes, erasure.erased_at, house.clock.now_ms())


def _subject(vault: Vault, name: str, keys: Sequence[str]) -> bytes:
    """Return the subject that an id, or its own in hex, names; raise StoreError if nobody is known by it."""
    found = (vault.find(ExternalId(kind, name)) for kind in (USER, *keys, EMAIL, ANONYMOUS))
    known = next((one.subject for one in found if one is not None), None)
    if known is None:
        with contextlib.suppress(ValueError, SealError):
            known = vault.keys(bytes.fromhex(name)).subject
    if known is None:
        raise StoreError("expected an id of somebody who is known, got another; look for them with `livepost why`")
    return known


def _has_keys(vault: Vault, subject: bytes) -> bool:
    with contextlib.suppress(SealError):
        vault.keys(subject)
        return True
    return False


def _notice(id: str, erasure: Erasure) -> bytes:
    """Return what a target is told: the numbers by which it may know the person."""
    people = [subject.hex() for subject in erasure.subjects]
    data = msgspec.json.encode({"type": NOTICE, "subjects": people, "at": erasure.erased_at})
    return Notice(id=id, kind=NOTICE, at=erasure.asked_at, data=data, cursor="").body()


def _receipt(erasure: Erasure, house: House) -> Receipt:
    now_ms = house.host.now_ms()
    done = {**erasure.done, "control": Done(at=now_ms)}
    there = [store for store in STORES if (house.folder.path / store.name).exists() or _is_server(store, house)]
    return Receipt(
        id=erasure.id.hex(),
        workspace=house.settings.workspace,
        by=erasure.by,
        asked_at=erasure.asked_at,
        live_at=max(done["vault"].at, done["state"].at),
        done_at=now_ms,
        position=erasure.position,
        subjects=len(erasure.subjects),
        stores=tuple(_of_store(store, done, _is_server(store, house)) for store in there if store.erased_by),
    )


def _is_server(store: Store, house: House) -> bool:
    """Say whether a store is no file here, but tables of a server."""
    return store.erased_by == "ledger" and house.settings.ledger.startswith(SCHEME)


def _of_store(store: Store, done: Mapping[str, Done], server: bool) -> StoreReceipt:
    step = done[store.erased_by]
    own = store.name.partition(".")[0] == store.erased_by
    again = done["ledger again"].rows if store.erased_by == "ledger" else {}
    rows = {what: count + again.get(what, 0) for what, count in step.rows.items()} if own else {}
    return StoreReceipt(
        store=store.name,
        done=store.erased,
        at=step.at,
        rows={what: count for what, count in rows.items() if count},
        remains=ON_SERVER if server else step.remains if own else "",
        until=step.until if own else None,
    )
