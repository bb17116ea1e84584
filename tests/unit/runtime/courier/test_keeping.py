"""What of a person may be seen by a destination: by consent, suppression, keys; and threads that tell it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from livepost.clock import SimulatedClock
from livepost.errors import SealError
from livepost.intake.seal import Sealer
from livepost.ledger.sqlite import SqliteLedger
from livepost.model.compiled import ADDRESS_FEATURE, Compiled, EventSpec, FeatureSpec, FieldSpec
from livepost.model.person import MembershipView, PersonView
from livepost.model.record import SealedValue
from livepost.model.told import Member, TransitionPage
from livepost.project.gate import Gate
from livepost.runtime.courier.audiences import wanted_of
from livepost.runtime.courier.keeping import People, keeping, plain
from livepost.runtime.data.folder import DataFolder
from livepost.runtime.engine.client import EngineClient
from livepost.settings.audience import Audience
from livepost.settings.policy import Policy
from livepost.settings.settings import Settings
from livepost.sync.book import Book
from livepost.sync.card import NOTHING, Card, Ident
from livepost.testing.contracts.ledger import START_MS, consent, page
from livepost.vault.base import ExternalId, SubjectKeys
from livepost.vault.memory import MemoryVault
from tests.unit.fetch.receiver import receiving
from tests.unit.project.test_gate import segment
from tests.unit.sync.bench import reply_of
from tests.unit.sync.vendors import KEY, MODELS

PATIENCE_S = 20.0


class Engine:
    """Knows one person, who is in one of two segments."""

    def __init__(self, views: dict[bytes, PersonView]) -> None:
        self.views = views

    def transitions_after(self, number: int, limit: int) -> TransitionPage:
        return TransitionPage(epoch="e", first=1, last=0, items=[])

    def members(self, segment: str, after: int, limit: int) -> list[Member]:
        inside = [one for one in self.views.values() if any(m.segment == segment and m.inside for m in one.memberships)]
        return [Member(n, one.person, 0) for n, one in enumerate(inside) if n > after]

    def people(self, ids: Sequence[bytes], at_least: int) -> dict[bytes, PersonView]:
        return {id: self.views[id] for id in ids if id in self.views}


def view_of(keys: SubjectKeys, *, allowed: bool = True, email: str = "Ada@example.com ") -> PersonView:
    """Return a person in a segment, with an address and a name under seal."""

    def sealed(field: str, value: Any) -> SealedValue:
        seals = Sealer("shop", "web").seal(keys, "m", {field: value})
        return SealedValue("web", keys.subject, "m", field, seals[field])

    return PersonView(
        person=keys.subject,
        subjects=(keys.subject,),
        position=7,
        as_of=1,
        features={"spend": [4990, "EUR"], "viewed": ["a", "b"], "never": None, "views": 3},
        sealed={ADDRESS_FEATURE: sealed("email", email), "first_name": sealed("first_name", "Ada")},
        memberships=(
            MembershipView(segment="browsing", inside=True, since=0, number=1),
            MembershipView(segment="vip", inside=False, since=0, number=0),
        ),
        journeys=(),
        consents={"marketing": allowed},
        next_due=None,
    )


class House:
    """One person, a vault, a ledger, and what a destination sees of them."""

    def __init__(self, **other: Any) -> None:
        self.vault = MemoryVault()
        [self.keys] = self.vault.admit([ExternalId("user", "ada")])
        self.ledger = SqliteLedger(":memory:", SimulatedClock(START_MS))
        self.engine = Engine({self.keys.subject: view_of(self.keys)})
        told: dict[str, Any] = {
            "name": "crm",
            "vendor": "klaviyo",
            "key": "env:CRM",
            "segments": {"browsing": "L1", "vip": "L2"},
            "features": {name: f"their {name}" for name in ("spend", "viewed", "never", "first_name")},
        }
        audience = Audience(**(told | other))
        self.gate: Gate | None = None
        stores: Any = {"engine": self.engine, "ledger": self.ledger, "vault": self.vault}
        self.people = People(audience, "shop", clock=SimulatedClock(0), gate=lambda: self.gate, **stores)

    def allow(self, allowed: bool = True, position: int = 1) -> None:
        self.ledger.take_over(
            page(consent(position, person=self.keys.subject, allowed=allowed, at=START_MS + position)), START_MS
        )

    def seen(self) -> Any:
        looked = self.people.look([self.keys.subject], 0)
        return looked.seen[self.keys.subject]


@pytest.fixture
def house() -> Iterator[House]:
    one = House()
    with closing(one.ledger):
        yield one


def test_who_allows_it_is_seen_with_what_the_settings_name(house: House) -> None:
    house.allow()
    seen = house.seen()
    assert (seen.state, seen.person, seen.ident) == ("known", house.keys.subject, Ident("email", "Ada@example.com"))
    assert seen.card == Card(
        lists=frozenset(["L1"]),
        values={
            "their spend": 49.9,
            "their viewed": ["a", "b"],
            "their never": None,
            "their first_name": "Ada",
        },
    )
    assert house.people.look([house.keys.subject], 3).position == 7


def test_no_consent_unknown_and_withdrawn_consent_leave_nothing(house: House) -> None:
    assert house.seen().card == NOTHING, "the ledger does not know it yet"
    house.allow()
    house.engine.views[house.keys.subject] = view_of(house.keys, allowed=False)
    assert house.seen().card == NOTHING, "the engine says no"
    house.engine.views[house.keys.subject] = view_of(house.keys)
    assert house.seen().card != NOTHING
    house.ledger.withdraw(house.keys.subject, "marketing", START_MS + 5, "link")
    assert house.seen().card == NOTHING
    assert house.seen().ident is not None, "their row is found"


def test_another_purpose_is_asked_for_by_its_name() -> None:
    one = House(purpose="partners")
    with closing(one.ledger):
        one.allow()
        assert one.seen().card == NOTHING


def test_a_suppressed_address_leaves_nothing_and_its_row_is_found_by_it(house: House) -> None:
    house.allow()
    blind = house.vault.blind("suppression", "ada@example.com")
    assert house.people.handle(Ident("email", "Ada@example.com")) == blind
    house.ledger.suppress(blind, "bounced", START_MS)
    assert house.seen().card == NOTHING


def test_people_are_known_by_their_user_id_where_it_is_asked_for() -> None:
    one = House(id="user_id")
    with closing(one.ledger):
        one.allow()
        assert one.seen().ident == Ident("user_id", "ada")


def test_the_forgotten_are_told_from_those_who_are_away(house: House) -> None:
    house.allow()
    view = house.engine.views.pop(house.keys.subject)
    assert house.seen().state == "away", "the engine computes people anew, say"
    house.vault.forget([house.keys.subject])
    assert house.seen().state == "forgotten"
    house.engine.views[house.keys.subject] = view
    assert house.seen().state == "forgotten", "the engine still has the row, but nobody can open it"


def test_an_ident_is_sealed_beyond_its_persons_keys(house: House) -> None:
    ident = Ident("email", "ada@example.com")
    sealed = house.people.seal(ident)
    assert b"ada" not in sealed and sealed != house.people.seal(ident)
    house.vault.forget([house.keys.subject])
    assert house.people.open(sealed) == ident
    other = House(name="other")
    with closing(other.ledger), pytest.raises(SealError, match="another vault"):
        other.people.open(sealed)


def test_a_digest_is_keyed(house: House) -> None:
    other = House()
    with closing(other.ledger):
        assert house.people.digest("Ada") == house.people.digest("Ada") != other.people.digest("Ada")


@pytest.mark.parametrize(
    ("value", "told"),
    [
        *(([100, "JPY"], 100.0), ([-5, "USD"], -0.05), ((1, 2), [1, 2]), ([True, "EUR"], [True, "EUR"])),
        *((None, None), (3, 3), ("a", "a"), ([], [])),
    ],
)
def test_values_are_told_as_vendors_take_them(value: Any, told: Any) -> None:
    assert plain(value) == told


# Threads


def until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not done():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.005)


def test_a_house_without_audiences_has_no_book(tmp_path: Path) -> None:
    with keeping(DataFolder(Settings(data=str(tmp_path)))) as wake:
        wake()
    assert not (tmp_path / "audiences.db").exists()


def test_destinations_are_told_over_real_connections_and_a_broken_one_holds_up_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRM", KEY)
    models = {name: MODELS[name]() for name in ("braze", "iterable")}
    models["iterable"].faults = ["500"] * 1_000
    receivers = {
        name: receiving(lambda request, model=model: reply_of(model, request)) for name, model in models.items()
    }  # type: ignore[misc]
    with receivers["braze"] as braze, receivers["iterable"] as iterable:
        ports = {"braze": braze.port, "iterable": iterable.port}
        audiences = [
            Audience(
                name=name,
                vendor=name,  # type: ignore[arg-type]
                key="env:CRM",
                url=f"http://127.0.0.1:{port}",
                id="email",
                segments={"browsing": "list-browsing"},
                features=["views"],
            )
            for name, port in ports.items()
        ]
        allowed = [f"127.0.0.1:{port}" for port in ports.values()]
        kek = f"file:{tmp_path}/keys/kek"
        folder = DataFolder(Settings(data=str(tmp_path), kek=kek, audiences=audiences, allow_outgoing=allowed))
        folder.prepare()
        with closing(folder.vault(readonly=False)) as vault, closing(folder.ledger()) as ledger:
            [keys] = vault.admit([ExternalId("user", "ada")])
            vault.commit()
            ledger.take_over(page(consent(0, person=keys.subject)), START_MS)
            engine = Engine({keys.subject: view_of(keys, email="ada@example.com")})
            for name in ("transitions_after", "members", "people"):
                monkeypatch.setattr(EngineClient, name, lambda self, *asked, name=name: getattr(engine, name)(*asked))
            with keeping(folder) as wake:
                wake()
                until(lambda: bool(models["braze"].in_lists()))
                until(lambda: bool(iterable.requests))
                ledger.withdraw(keys.subject, "marketing", START_MS + 9, "link")
                until(lambda: not models["braze"].in_lists())
        with closing(Book(folder.audiences_file)) as book:
            failing = book.standing("iterable")
            assert failing is not None and (failing.tries, failing.error) == (1, "iterable answered 500")
    assert models["braze"].profiles["ada@example.com"].values == {"views": 3}


def gate_over(*fields: str, purposes: tuple[str, ...] = ("marketing",), **events: tuple[str, ...]) -> Gate:
    """Return a gate that lets these fields go to the destination, of events for these purposes."""
    said = {"Viewed": ("marketing", "profiling"), "Bought": ("marketing", "profiling"), **events}
    told = {
        "controller": {"name": "A shop", "contact": "a@shop.example"},
        "purposes": {
            name: {"text": name, "basis": basis, "retention": "90d"}
            for name, basis in (("marketing", "consent"), ("profiling", "consent"), ("orders", "contract"))
        },
        "defaults": {"purposes": ["marketing", "profiling"]},
        "events": {name: {"purposes": given} for name, given in said.items()},
        "destinations": {"crm": {"purposes": purposes, "fields": fields}},
    }
    personal = (FieldSpec(name=name, keys=(name,), type="str", personal=True) for name in ("email", "first_name"))
    plan = (EventSpec(name="$identify", cls="Identified", fields=tuple(personal)),)
    open_ = tuple(EventSpec(name=name, cls=name, fields=()) for name in ("Viewed", "Bought"))
    features = (
        FeatureSpec(name="first_name", kind="latest", event="$identify", field="first_name", personal=True),
        FeatureSpec(name="spend", kind="count", event="Bought"),
        FeatureSpec(name="viewed", kind="count", event="Viewed"),
        FeatureSpec(name="never", kind="count", event="Viewed"),
    )
    segments = (segment("browsing", ("feature", "viewed")), segment("vip", ("feature", "spend")))
    compiled = Compiled(profile="P", events=(*plan, *open_), features=features, segments=segments)
    return Gate(msgspec.convert(told, Policy), compiled)


ALL = ("Identified.email", "P.browsing", "P.vip", "P.spend", "P.viewed", "P.never", "P.first_name")


def test_what_the_policy_does_not_name_or_its_purpose_does_not_reach_is_told_as_none(house: House) -> None:
    house.allow()
    house.gate = gate_over(*ALL, Bought=("orders",))
    assert house.seen().card == Card(
        lists=frozenset(["L1"]),
        values={
            "their spend": None,
            "their viewed": ["a", "b"],
            "their never": None,
            "their first_name": "Ada",
        },
    )
    house.gate = gate_over(*(name for name in ALL if name != "P.first_name"))
    assert house.seen().card.values["their first_name"] is None
    assert house.seen().card.values["their spend"] == 49.9
    house.gate = gate_over(*(name for name in ALL if name != "P.browsing"))
    assert house.seen().card == NOTHING, "a segment is something told, too"


@pytest.mark.parametrize("fields", [(), ("P.browsing", "P.viewed"), ("Identified.email",)])
def test_without_the_name_of_the_ident_or_of_a_segment_nobody_is_there(house: House, fields: tuple[str, ...]) -> None:
    house.allow()
    house.gate = gate_over(*fields)
    assert house.seen().card == NOTHING
    assert house.seen().ident is not None, "they are found where they have to go"


def test_each_purpose_of_a_destination_has_to_be_allowed_now(house: House) -> None:
    house.allow()
    house.gate = gate_over(*ALL, purposes=("marketing", "profiling"))
    assert house.seen().card == NOTHING, "nobody ever said anything about profiling"
    view = house.engine.views[house.keys.subject]
    both = msgspec.structs.replace(view, consents={"marketing": True, "profiling": True})
    house.engine.views[house.keys.subject] = both
    assert house.seen().card == NOTHING, "the ledger does not know it"
    house.ledger.take_over(
        page(
            consent(1, person=house.keys.subject, allowed=True, at=START_MS + 1),
            msgspec.structs.replace(consent(2, person=house.keys.subject, at=START_MS + 2), purpose="profiling"),
        ),
        START_MS,
    )
    assert house.seen().card.lists == {"L1"}
    house.ledger.withdraw(house.keys.subject, "profiling", START_MS + 5, "link")
    assert house.seen().card == NOTHING, "taken back, whatever the engine says still"


def test_another_policy_lets_everybody_be_looked_at_once_more() -> None:
    audience = Audience(name="crm", vendor="klaviyo", key="env:CRM", segments={"browsing": "L1"})
    told = [wanted_of(audience, gate).config for gate in (None, gate_over(*ALL), gate_over("Identified.email"))]
    assert len({*told}) == 3
    assert wanted_of(audience, gate_over(*ALL)).config == told[1]
