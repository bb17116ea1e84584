"""Completeness of an export: a person with a token in each path, each found where it belongs, nobody else's."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from livepost.audit.deed import Deed, by_command
from livepost.audit.entry import Entry
from livepost.clock import WallClock
from livepost.control.requests import Requests, RightsRequest
from livepost.govern.rights.store import Held
from livepost.ledger.base import EVERY_PURPOSE, Limit
from livepost.model.person import PersonView
from livepost.runtime.engine.asking import engine_of
from livepost.runtime.front.reasons import person_of
from livepost.runtime.rights import giving
from livepost.runtime.rights.exporting import GIVES, held_of
from livepost.vault.base import USER, ExternalId
from tests.unit.runtime.still import MARKETING, StillHouse, look, make_project

DATED = {"timestamp": "2020-01-01T00:00:00Z", "sentAt": "2020-01-01T00:00:00Z"}


def identify(who: str, token: str) -> dict[str, object]:
    return {
        "type": "identify",
        "userId": f"{who}-{token}-userid",
        "anonymousId": f"{who}-{token}-anon",
        "messageId": f"{who}-1",
        "traits": {
            "email": f"{who}-{token}-email@example.com",
            "firstName": f"{who}-{token}-firstname",
            "undeclared_trait": f"{who}-{token}-undeclared",
        },
        "context": {**MARKETING, "ip": "203.0.113.9", "userAgent": f"{who}-{token}-agent"},
    }


def told_by(who: str, token: str) -> list[dict[str, object]]:
    user = f"{who}-{token}-userid"
    return [
        identify(who, token),
        *({**look(f"{who}-{token}-product{n}", user), "messageId": f"{who}-look-{n}"} for n in range(3)),
        {
            "type": "track",
            "userId": user,
            "messageId": f"{who}-bad",
            "event": "Product Viewed",
            "properties": {"product_id": {"no": f"{who}-{token}-deadletter"}},
        },
        {
            "type": "track",
            "userId": user,
            "messageId": f"{who}-open",
            "event": f"{who}-{token}-event",
            "properties": {"page": f"https://shop.example/?q={who}-{token}-url"},
        },
    ]


class World:
    """A house with two people who went all ways through it, and who is held of each."""

    def __init__(self, folder: Path) -> None:
        self.house = StillHouse(make_project(folder))
        self.house.take(*told_by("ada", "k7q"), *told_by("bob", "z9w"))
        self.house.work()
        self.ada, self.bob = self.person("ada-k7q-userid"), self.person("bob-z9w-userid")
        for view, name in ((self.ada, "ada-k7q"), (self.bob, "bob-z9w")):
            self._touch(view, name)

    def person(self, user: str) -> PersonView:
        with (
            closing(self.house.folder.vault(readonly=True)) as vault,
            engine_of(self.house.folder, self.house.project) as engine,
        ):
            return person_of(vault, engine, user, self.house.project.compiled.keys())

    def held(self, view: PersonView, **without: object) -> list[Held]:
        gives = {name: give for name, give in GIVES.items() if name not in without}
        return [*held_of(self.house.folder, self.house.project, tuple(view.subjects), gives=gives)]

    def _touch(self, view: PersonView, name: str) -> None:
        folder = self.house.folder
        with closing(folder.vault(readonly=True)) as vault, closing(folder.ledger()) as ledger:
            ledger.choose(
                view.person, {"topic:tea": False}, WallClock().now_ms(), "page", f"{name}-choice", "the words"
            )
            ledger.limit(
                Limit(person=view.person, kind="objected", purpose=EVERY_PURPOSE, at=1, request=f"{name}-limit")
            )
            address = vault.blind("suppression", f"{name}-email@example.com")
            ledger.suppress(address, f"{name}-suppressed", 5)
            with closing(folder.audits(vault)) as audits:
                deed = Deed("person.read", tuple(view.subjects))
                audits.append([Entry(at=1, by=by_command(f"{name}-reader"), did=deed.did, subjects=deed.people)])
        with closing(folder.control()) as store:
            Requests(store).enter(
                RightsRequest(
                    id=f"{name}-request", kind="access", regulation="gdpr", way="cli", subjects=tuple(view.subjects),
                    submitted_at=1, received_at=1, due_at=2, verified="seen", entered_by="command:x",
                )
            )  # fmt: skip


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("rights") / "shop")


EXPECTED: tuple[tuple[str, str, str], ...] = (
    ("userid", "vault.db", "id"),
    ("anon", "vault.db", "id"),
    ("email", "log", "event"),
    ("firstname", "log", "event"),
    ("undeclared", "log", "event"),
    ("agent", "log", "event"),
    ("url", "log", "event"),
    ("event", "log", "event"),
    ("product0", "log", "event"),
    ("product2", "log", "event"),
    ("deadletter", "state.db", "dead letter"),
    ("firstname", "state.db", "feature"),
    ("firstname", "mailbox", "mail"),
    ("email", "mailbox", "mail"),
    ("choice", "ledger.db", "proofs"),
    ("limit", "ledger.db", "limits"),
    ("suppressed", "ledger.db", "suppressions"),
    ("request", "control.db", "request"),
    ("reader", "audit.db", "access"),
)


def missing(held: list[Held], prefix: str) -> list[tuple[str, str, str]]:
    text = [(one.store, one.what, msgspec.json.encode(one.values).decode()) for one in held]
    return [
        expected
        for expected in EXPECTED
        if not any((store, what) == expected[1:] and f"{prefix}-{expected[0]}" in told for store, what, told in text)
    ]


def test_every_token_of_a_person_is_given_by_the_store_it_went_to(world: World) -> None:
    assert missing(world.held(world.ada), "ada-k7q") == []
    assert missing(world.held(world.bob), "bob-z9w") == []


def test_nothing_of_another_person_is_given(world: World) -> None:
    told = msgspec.json.encode(world.held(world.ada)).decode()
    assert "ada-k7q" in told
    assert "bob" not in told and "z9w" not in told
    assert not any(subject.hex() in told for subject in world.bob.subjects)


@pytest.mark.parametrize("left_out", sorted({store for _, store, _ in EXPECTED}))
def test_a_store_that_is_left_out_is_found(world: World, left_out: str) -> None:
    found = missing(world.held(world.ada, **{left_out: True}), "ada-k7q")
    assert found == [expected for expected in EXPECTED if expected[1] == left_out]


def test_mails_are_given_with_their_decisions_and_moves(world: World) -> None:
    held = world.held(world.ada)
    [delivery] = [one for one in held if one.what == "deliveries"]
    assert delivery.values["state"] == "sent"
    assert delivery.values["decision"]["campaign"] == "browse_reminder"
    assert [one.values["after"] for one in held if one.what == "moves"] == ["pending", "claimed", "in_flight", "sent"]
    assert [one.values["allowed"] for one in held if one.what == "consents"] == [1]


def test_features_and_segments_say_what_they_are_made_of(world: World) -> None:
    held = world.held(world.ada)
    features = {one.values["feature"]: one.values for one in held if one.what == "feature"}
    assert features["views_7d"]["value"] == 3
    assert features["views_7d"]["made_of"]["event"] == "Product Viewed"
    [browsing] = [one.values for one in held if one.what == "segment" and one.values["segment"].endswith("browsing")]
    assert browsing["inside"] and "views_7d" in browsing["condition"] and browsing["made_of"]


def test_old_records_are_given_however_long_the_log_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(giving, "LOG_AT_ONCE", 1)
    house = StillHouse(make_project(tmp_path / "shop"))
    for number in range(30):
        house.take({**look(f"p{number}", "ada" if number % 10 == 0 else "bob"), "messageId": f"m{number}"})
    house.engine_works()
    with closing(house.folder.log_reader()) as log, closing(house.folder.vault(readonly=True)) as vault:
        found = vault.find(ExternalId(USER, "ada"))
        assert found is not None
        names = [one.message_id for one in giving.records(log, [found.subject])]
    assert names == ["m20", "m10", "m0"]
