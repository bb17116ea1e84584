"""What is held on a person, over all stores: each store is told of, with why, until when, and where the data went."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from livepost.announce.book import Book as Webhooks
from livepost.audit.deed import by_command
from livepost.audit.entry import Entry
from livepost.clock import DAY_MS
from livepost.govern.rights.export import items
from livepost.govern.rights.holdings import Holdings
from livepost.govern.rights.summary import NOT_SAID
from livepost.govern.rights.travel import Travel
from livepost.model.person import PersonView
from livepost.runtime.rights.exporting import export_person, held_of, holdings_of
from livepost.runtime.rights.holding import collectors, elsewhere
from livepost.runtime.rights.stores import NOBODY, STORES, Store
from livepost.settings.audience import Audience
from livepost.settings.policy import load_policy
from livepost.settings.webhook import Webhook
from livepost.sync.book import Book as Audiences
from livepost.sync.book import Standing
from tests.unit.runtime.rights.test_giving import World
from tests.unit.runtime.still import STARTER

ADDRESS = "Identified.email"
TOLD, TOOK, HEARD = 1_700_000_000_000, 1_700_000_100_000, 1_700_000_200_000
DESTINATIONS = """
[destinations.crm]
purposes = ["marketing"]
fields = ["Visitor.browsing", "campaign.browse_reminder"]
region = "eu"
owner = "x@example.com"

[destinations.stream]
purposes = ["marketing"]
fields = ["campaign.browse_reminder"]
region = "eu"
owner = "x@example.com"
"""


class Promising(World):
    """A world whose project promises something, with destinations that were told of Ada."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        text = (STARTER / "policy.toml").read_text() + DESTINATIONS
        (self.house.project.folder / "policy.toml").write_text(text)
        self.project = msgspec.structs.replace(self.house.project, policy=load_policy(self.house.project.folder))
        self._tell()

    def holdings(self, view: PersonView) -> Holdings:
        return holdings_of(self.folder, self.project, tuple(view.subjects))

    def _tell(self) -> None:
        folder, person = self.house.folder, self.ada.person
        with closing(Webhooks(folder.webhooks_file)) as book:
            book.begin("crm", "e.0.0")
            for at in (TOLD, TOLD + 5):
                book.delivered("crm", "e.1.0", at, person, "browsing")
            book.delivered("crm", "e.1.1", TOLD, person, "campaign.browse_reminder")
            book.delivered("crm", "e.1.2", TOLD, self.bob.person, "vip")
        with closing(Audiences(folder.audiences_file)) as audiences:
            standing = Standing(name="klaviyo", config="", epoch="e", transition=0, permit=0, accepted_at=TOOK)
            audiences.stand(standing)
            told = [(person, about) for about in ("ident:email", "list:Browsers", "value:Views")]
            audiences.settle(standing, told=told)
        with closing(folder.vault(readonly=True)) as vault, closing(folder.audits(vault)) as audits:
            audits.append([Entry(at=HEARD, by="key:crm", did="stream.opened")])
            audits.append([Entry(at=HEARD, by=by_command("analyst"), did="sql.answered", about="analysis: 3 rows")])
        settings = msgspec.structs.replace(
            folder.settings,
            webhooks=(Webhook(name="crm", url="https://crm.example/", secret="env:CRM"),),
            audiences=(
                Audience(
                    name="klaviyo",
                    vendor="klaviyo",
                    key="env:K",
                    segments={"browsing": "Browsers"},
                    features={"views_7d": "Views"},
                ),
            ),
        )
        self.folder = msgspec.structs.replace(folder, settings=settings)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Promising:
    return Promising(tmp_path_factory.mktemp("held") / "shop")


@pytest.fixture(scope="module")
def held(world: Promising) -> Holdings:
    return world.holdings(world.ada)


def travels(held: Holdings, kind: str) -> dict[str, Travel]:
    return {one.field: one for one in held.travels if one.kind == kind}


def test_a_mail_went_to_its_sender_with_the_address_and_what_it_says(held: Holdings) -> None:
    mailed = travels(held, "kept here")
    assert mailed[ADDRESS].purposes == ("marketing",)
    assert (mailed[ADDRESS].times, mailed[ADDRESS].first == mailed[ADDRESS].last) == (1, True)
    assert len(mailed) > 1, "what its template says went, too"


def test_a_webhook_was_told_of_a_segment_first_and_last(world: Promising, held: Holdings) -> None:
    told = travels(held, "webhook")
    segment = f"{world.project.compiled.profile}.browsing"
    assert {*told} == {segment, "campaign.browse_reminder"}, "and nothing of Bob's"
    assert (told[segment].times, told[segment].first, told[segment].last) == (2, TOLD, TOLD + 5)
    assert told[segment].purposes == ("marketing",)


def test_an_audience_took_what_the_vendor_knows_them_by_lists_and_values(world: Promising, held: Holdings) -> None:
    profile = world.project.compiled.profile
    assert {*travels(held, "audience")} == {ADDRESS, f"{profile}.browsing", f"{profile}.views_7d"}
    assert {one.first for one in travels(held, "audience").values()} == {TOOK}


def test_who_listens_may_have_heard_and_who_asked_in_sql_may_have_seen(held: Holdings) -> None:
    [heard] = travels(held, "stream").values()
    assert (heard.to, heard.field, heard.first, heard.sure) == ("key:crm", "campaign.browse_reminder", HEARD, False)
    assert ("access to all", "sql.answered") in {(one.what, one.values["did"]) for one in held.accesses}


def test_nothing_went_of_whom_nobody_told(world: Promising) -> None:
    """The control: what is said goes by what was noted of this person."""
    of_bob = world.holdings(world.bob)
    assert {*travels(of_bob, "webhook")} == {f"{world.project.compiled.profile}.vip"}
    assert travels(of_bob, "audience") == {}


def test_what_is_declared_says_for_what_it_is_held(held: Holdings) -> None:
    unsaid = {line.what for line in held.lines if NOT_SAID in line.purposes}
    assert unsaid == set()


def test_what_a_setting_or_a_promise_ends_has_a_date(world: Promising, held: Holdings) -> None:
    lines = {(one.store, one.what): one for one in held.lines}
    looks = lines["log", "event: Product Viewed"]
    days = world.folder.settings.retention_days
    assert looks.goes == (looks.since + days * DAY_MS, looks.newest + days * DAY_MS)
    address = lines["log", f"field: {ADDRESS}"]
    assert address.goes[1] == address.newest + min(365, days) * DAY_MS
    mail = lines["mailbox", "mail"]
    assert mail.goes[1] == mail.newest + world.folder.settings.mail_days * DAY_MS
    assert lines["ledger.db", "proofs"].goes == (0, 0) and lines["ledger.db", "proofs"].kept


def silent(world: Promising, held: Holdings, stores: Sequence[Store] = STORES) -> set[str]:
    """Return the stores that are there and hold something of people, and of which the page says nothing."""
    folder = world.folder.path
    told = {one.store for one in held.lines} | {one.store for one in elsewhere(folder, stores)}
    there = {one.name for one in stores if one.holds != NOBODY and (folder / one.name).exists()}
    return there - told


def test_every_store_that_holds_something_is_told_of(world: Promising, held: Holdings) -> None:
    assert silent(world, held) == set()


@pytest.mark.parametrize("store", ["log", "state.db", "ledger.db", "vault.db", "mailbox", "webhooks.db", "audit.db"])
def test_a_store_that_says_nothing_is_found(world: Promising, store: str) -> None:
    """The negative control: its `gives` gives nothing."""
    summary, _ = collectors(world.folder, world.project)
    for one in held_of(world.folder, world.project, tuple(world.ada.subjects)):
        if one.store != store:
            summary.add(one)
    found = silent(world, Holdings(lines=summary.lines(), travels=[], elsewhere=[], accesses=[]))
    assert found == {store}


def test_an_image_that_is_not_told_of_is_found(world: Promising, held: Holdings) -> None:
    """The negative control for those that others are asked for."""
    stores = [dataclasses.replace(one, gives=lambda reach, subjects: iter(())) for one in STORES]
    assert silent(world, held, stores) == {one.store for one in elsewhere(world.folder.path)}


def test_an_export_has_the_same_facts(world: Promising, held: Holdings) -> None:
    file = io.BytesIO()
    export_person(world.folder, world.project, lambda reach, engine: world.ada, file)
    assert [one["field"] for one in items(file, "data/went.jsonl")] == [one.field for one in held.travels]
    kept = {(one["store"], one["what"]): one["goes"] for one in items(file, "data/kept.jsonl")}
    assert kept["log", f"field: {ADDRESS}"][1] > 0


def test_an_erasure_takes_what_was_told_of_them(world: Promising, tmp_path: Path) -> None:
    for make in (Webhooks, Audiences):
        with closing(make(tmp_path / f"{make.__module__}.db")) as book:
            if isinstance(book, Webhooks):
                book.begin("crm", "0")
                book.delivered("crm", "1", TOLD, b"a" * 16, "vip")
                book.delivered("crm", "2", TOLD, b"b" * 16, "vip")
                book.forget([b"a" * 16])
            else:
                standing = Standing(name="k", config="", epoch="", transition=0, permit=0, accepted_at=TOOK)
                book.stand(standing)
                book.settle(standing, told=[(b"a" * 16, "list:x"), (b"b" * 16, "list:x")])
                book.forget([b"a" * 16], ["k"])
            assert (len(book.told([b"a" * 16])), len(book.told([b"b" * 16]))) == (0, 1)
