"""Audiences in the courier's process: a thread each destination, beside the mails and not before them.

In: the settings, engine, ledger, vault. Out: what each vendor is to have, told to it. Promised: mails wait for no
vendor, and no vendor for another; a person's values are opened when they are about to be sent, and forgotten then.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from threading import Event
from typing import Any, Protocol

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from livepost.clock import Clock, WallClock, steady
from livepost.errors import SealError, StoreError
from livepost.fetch.fetcher import Fetcher
from livepost.ids import digest
from livepost.intake.seal import open_value
from livepost.ledger.base import Ledger, Permit, PermitChanges
from livepost.model.compiled import ADDRESS_FEATURE
from livepost.model.person import PersonView
from livepost.model.record import SealedValue
from livepost.model.told import Member, TransitionPage
from livepost.project.gate import Gate
from livepost.project.money import minor_digits
from livepost.runtime.courier.audiences import accounts_of, wanted_of
from livepost.runtime.courier.targets import allowed_of
from livepost.runtime.courier.turning import Turning, turning
from livepost.runtime.data.folder import DataFolder
from livepost.runtime.engine.client import EngineClient
from livepost.settings.audience import Audience
from livepost.sync.book import Book
from livepost.sync.card import NOTHING, Card, Ident
from livepost.sync.destination import IDLE_S, Destination
from livepost.sync.pushing import OverError, Pusher
from livepost.sync.source import Looked, Seen
from livepost.sync.vendor.every import VENDORS
from livepost.vault.base import USER, Vault
from livepost.vault.nonce import new_nonce

ANSWER_S = 20.0
"""How long a vendor may take to answer: batches are large."""

LOOKED_AT_ONCE = 100
"""People that the engine is asked for in one call: it does nothing else meanwhile, and events wait for it."""

STOP_S = 25.0
"""How long what is under way may take when the house stops: longer than a request."""

IDENTS = "audiences"
"""What the vault's key for idents and hashes is for."""

USER_ID = "user_id"
"""The shop's own id of a person, as a policy names it."""

NONCE_BYTES = 12


class Engine(Protocol):
    """The engine, as far as it knows people."""

    def transitions_after(self, number: int, limit: int) -> TransitionPage:
        """Return transitions in the order of their commits."""
        ...

    def members(self, segment: str, after: int, limit: int) -> list[Member]:
        """Return people of a segment."""
        ...

    def people(self, ids: Sequence[bytes], at_least: int) -> dict[bytes, PersonView]:
        """Return persons by any of their subjects."""
        ...


class People:
    """See `livepost.sync.source.Shop`; for one destination and one thread."""

    def __init__(
        self,
        audience: Audience,
        workspace: str,
        *,
        engine: Engine,
        ledger: Ledger,
        vault: Vault,
        clock: Clock,
        gate: Callable[[], Gate | None] = lambda: None,
    ) -> None:
        """Take what the destination wants, the stores, the workspace's clock, and what gives the gate of now (None:
        nothing is promised).
        """
        self._clock = clock
        self._gate = gate
        self._audience = audience
        self._workspace = workspace
        self._engine = engine
        self._ledger = ledger
        self._vault = vault
        self._secret = vault.secret(IDENTS)
        self._aead = AESGCM(digest("idents", size=32, key=self._secret))

    def transitions(self, after: int, limit: int) -> TransitionPage:
        """Return transitions in the order of their commits."""
        return self._engine.transitions_after(after, limit)

    def permits(self, after: int, limit: int) -> PermitChanges:
        """Return changes of consents and suppressions."""
        return self._ledger.permit_changes(after, limit)

    def members(self, segment: str, after: int, limit: int) -> list[Member]:
        """Return people of a segment."""
        return self._engine.members(segment, after, limit)

    def look(self, persons: Sequence[bytes], at_least: int) -> Looked:
        """Return persons as they are; who allows nothing is seen with an empty card."""
        views: dict[bytes, PersonView] = {}
        for start in range(0, len(persons), LOOKED_AT_ONCE):
            views |= self._engine.people(persons[start : start + LOOKED_AT_ONCE], at_least)
        addresses = {id: self._address(view) for id, view in views.items()}
        gate = self._gate()
        allowed = self._allowed(views, addresses, gate)
        seen = {
            id: self._seen(views[id], addresses[id], allowed[id], gate) if id in views else self._unseen(id)
            for id in persons
        }
        return Looked(seen=seen, position=max((view.position for view in views.values()), default=at_least))

    def handle(self, ident: Ident) -> bytes:
        """Return the keyed hash of an ident; that of an address is the one it would be suppressed by."""
        if ident.kind == "email":
            return self._blind(ident.value)
        return self._vault.blind("audience", f"{ident.kind}:{ident.value}")

    def seal(self, ident: Ident) -> bytes:
        """Return an ident sealed, by a key that outlives the person's."""
        nonce = new_nonce()
        return nonce + self._aead.encrypt(nonce, msgspec.msgpack.encode(ident), self._audience.name.encode())

    def open(self, sealed: bytes) -> Ident:
        """Return a sealed ident; raise SealError if another vault, or another destination, sealed it."""
        nonce, text = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
        try:
            return msgspec.msgpack.decode(self._aead.decrypt(nonce, text, self._audience.name.encode()), type=Ident)
        except InvalidTag:
            raise SealError(
                f"whom the audience {self._audience.name} has cannot be opened: it was written with another vault; "
                "move audiences.db away to begin anew"
            ) from None

    def digest(self, value: Any) -> str:
        """Return the keyed hash of a value."""
        return digest(msgspec.json.encode(value), key=self._secret).hex()

    def _blind(self, address: str) -> bytes:
        return self._vault.blind("suppression", address.casefold())

    def _allowed(
        self, views: Mapping[bytes, PersonView], addresses: Mapping[bytes, str | None], gate: Gate | None
    ) -> dict[bytes, dict[str, bool]]:
        """Return what each person allows, by purpose: engine and ledger have to say so."""
        name, own = self._audience.name, self._audience.purpose
        purposes = tuple(dict.fromkeys((own, *(gate.consents(name) if gate else ()))))
        pairs = [(id, purpose) for id in views for purpose in purposes]
        blind = {id: self._blind(address) if address else None for id, address in addresses.items()}
        asked = [Permit(person=views[id].person, purpose=purpose, address=blind[id]) for id, purpose in pairs]
        allowed: dict[bytes, dict[str, bool]] = {id: {} for id in views}
        for (id, purpose), refused in zip(pairs, self._ledger.refusals(asked, self._clock.now_ms()), strict=True):
            allowed[id][purpose] = not refused and views[id].consents.get(purpose) is True
        return allowed

    def _seen(self, view: PersonView, address: str | None, allowed: Mapping[str, bool], gate: Gate | None) -> Seen:
        ident = self._ident(view, address)
        gone = ident is None and all(self._is_forgotten(one) for one in view.subjects)
        return Seen(
            person=view.person,
            state="forgotten" if gone else "known",
            ident=ident,
            card=self._card(view, allowed, gate) if allowed[self._audience.purpose] and ident else NOTHING,
        )

    def _unseen(self, id: bytes) -> Seen:
        """Say whether somebody whom the engine does not know is forgotten, or only not there yet."""
        return Seen(person=id, state="forgotten" if self._is_forgotten(id) else "away")

    def _is_forgotten(self, subject: bytes) -> bool:
        try:
            self._vault.keys(subject)
        except SealError:
            return True
        return False

    def _ident(self, view: PersonView, address: str | None) -> Ident | None:
        if self._audience.ident == "email":
            return None if address is None else Ident("email", address)
        named = sorted(view.subjects, key=lambda subject: subject != view.person)
        users = [one.value for one in self._vault.external_ids(named) if one.kind == USER]
        return Ident("user_id", users[0]) if users else None

    def _address(self, view: PersonView) -> str | None:
        sealed = view.sealed.get(ADDRESS_FEATURE)
        found = None if sealed is None else self._open(sealed)
        return found.strip() if isinstance(found, str) and found.strip() else None

    def _card(self, view: PersonView, allowed: Mapping[str, bool], gate: Gate | None) -> Card:
        """Return what the vendor is to have; a value that may not go there is told as none, which takes it back."""

        def may(name: str) -> bool:
            return gate is None or not gate.refusal(self._audience.name, name, allowed)

        def may_know(name: str) -> bool:
            return gate is None or may(gate.purposes.feature(name))

        if gate is not None and not may(gate.purposes.address if self._audience.ident == "email" else USER_ID):
            return NOTHING
        inside = {one.segment for one in view.memberships if one.inside}
        lists = frozenset(
            name for segment, name in self._audience.segments.items() if segment in inside and may_know(segment)
        )
        if not lists:
            return NOTHING
        fields = self._audience.fields.items()
        values = {theirs: self._value(view, ours) if may_know(ours) else None for ours, theirs in fields}
        return Card(lists=lists, values=values)

    def _value(self, view: PersonView, name: str) -> Any:
        sealed = view.sealed.get(name)
        return plain(self._open(sealed) if sealed is not None else view.features.get(name))

    def _open(self, sealed: SealedValue) -> Any:
        """Return a personal value; None once its person is forgotten."""
        try:
            return open_value(self._vault.keys(sealed.subject), self._workspace, sealed)
        except SealError:
            return None


def plain(value: Any) -> Any:
    """Return a value as vendors take it: money as a number of major units.

    >>> plain([4990, "EUR"]), plain(["a", "b"]), plain(None)
    (49.9, ['a', 'b'], None)
    """
    if isinstance(value, list | tuple):
        if len(value) == 2 and type(value[0]) is int and isinstance(value[1], str):
            return float(Decimal(value[0]).scaleb(-minor_digits(value[1])))
        return [plain(one) for one in value]
    return value


@contextlib.contextmanager
def keeping(folder: DataFolder, gate: Callable[[], Gate | None] = lambda: None) -> Iterator[Callable[[], None]]:
    """Keep all destinations of the settings in step with what the gate of now lets pass, within; yield what wakes them
    when something is new.

    Raises SettingsError for a destination of no use, StoreError if a store cannot be opened.
    """
    accounts = accounts_of(folder.settings)
    with contextlib.ExitStack() as open_:
        keepers: list[Turning] = []
        if accounts:
            book = open_.enter_context(contextlib.closing(Book(folder.audiences_file)))
            ledger = open_.enter_context(contextlib.closing(folder.ledger()))
            keepers += [_keeper(folder, one, ledger, book, open_, gate) for one in folder.settings.audiences]
        yield open_.enter_context(turning(keepers, STOP_S))


def _keeper(
    folder: DataFolder,
    audience: Audience,
    ledger: Ledger,
    book: Book,
    open_: contextlib.ExitStack,
    gate: Callable[[], Gate | None],
) -> Turning:
    vault = open_.enter_context(contextlib.closing(folder.vault(readonly=True)))
    engine = open_.enter_context(contextlib.closing(EngineClient(folder)))
    fetch = open_.enter_context(contextlib.closing(Fetcher(allowed_of(folder.settings), total_s=ANSWER_S)))
    people = People(
        audience,
        folder.settings.workspace,
        engine=engine,
        ledger=ledger,
        vault=vault,
        clock=folder.clock,
        gate=gate,
    )
    clock = steady(WallClock())
    over = Event()
    pusher = Pusher(
        VENDORS[audience.vendor],
        accounts_of(folder.settings)[audience.name],
        book=book,
        shop=people,
        fetch=fetch,
        clock=clock,
        rest=lambda wait_s: not over.wait(wait_s),
        chance=random.SystemRandom().random,
    )
    destination = Destination(wanted_of(audience, gate()), shop=people, book=book, pusher=pusher, clock=clock)
    # Where engine, ledger or disk are away, or the house stops, it is told later.
    away = (StoreError, OverError)
    return Turning(f"audience {audience.name}", destination.turn, idle_s=IDLE_S, away=away, over=over)
