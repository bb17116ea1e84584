"""What people are shown of a running house, each answer against the stores read apart from it.

The house's clock goes 900 times as fast: an hour of stamps ends every four seconds.
"""

from __future__ import annotations

import http.client
import json
import os
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest

from livepost.clock import DAY_MS, HOUR_MS, anchor_clock
from livepost.deliver.keep import read
from livepost.ledger.sqlite import SqliteLedger
from livepost.ledger.stored import StoredLedger
from livepost.model.person import PersonView
from livepost.model.record import Record, Verdict
from livepost.model.story import DecisionTaken, DeliveryMoved, EventHappened, Happening, OutcomeNoted, SegmentCrossed
from livepost.observe.rates import Rates
from livepost.runtime.engine.client import EngineClient
from livepost.runtime.front.looking import Looking
from livepost.settings.load import load
from tests.crash.house import SHOP, House, rows_of, wait_until

SPEED = 900.0
PAGE = """
from livepost import Email, Event, Identified, Profile, campaign, count, days, latest, segment

class ProductViewed(Event):
    product_id: str

class OrderCompleted(Event):
    order_id: str

class Shopper(Profile):
    first_name = latest(Identified.first_name)
    views = count(ProductViewed)
    orders = count(OrderCompleted)
    keen = segment(views >= 2)
    buyer = segment(orders >= 1)

@campaign(audience=Shopper.keen, wait=days(300), until=OrderCompleted, purpose="marketing")
def reminder(shopper: Shopper) -> Email:
    return Email("note", subject="Still looking?")

@campaign(on=OrderCompleted, purpose="orders", class_="transactional", cap=None)
def receipt(shopper: Shopper) -> Email:
    return Email("note", subject="Your order")
"""
LINK = '<mj-text><a href="https://shop.example.com/teas">All our teas</a></mj-text></mj-column>'
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0"
BUYERS, KEEN = ("ada", "bob"), ("cleo", "dora", "emil")


class Looked:
    """A running house, and who looks at it from another process."""

    def __init__(self, folder: Path, opened: ExitStack) -> None:
        project = folder / "shop"
        (project / "templates").mkdir(parents=True)
        (project / "shop.py").write_text(PAGE)
        note = (SHOP / "templates" / "note.mjml").read_text()
        assert "</mj-column>" in note
        (project / "templates" / "note.mjml").write_text(note.replace("</mj-column>", LINK))
        self.house = House(folder / "data", project)
        anchor_clock(self.house.folder.path, SPEED)
        self.house.start()
        opened.callback(self.house.stop)
        self.ledger: StoredLedger = opened.enter_context(closing(self.house.folder.ledger()))
        self.engine = opened.enter_context(closing(EngineClient(self.house.folder)))
        self.looking = self.look()
        opened.callback(self.looking.close)

    def look(self, ledger: StoredLedger | None = None) -> Looking:
        folder, project = self.house.folder, self.house.project
        return Looking(folder, project, ledger or self.ledger, Rates(), lambda: None, outcomes=lambda: 0)

    def tell(self, *calls: dict[str, Any]) -> None:
        body = json.dumps({"batch": calls, "writeKey": self.house.secret_key})
        assert self.ask("POST", "/v1/batch", body) == 200

    def view(self, name: str) -> PersonView:
        found = self.looking.person(name, -1)
        assert found is not None
        return found

    def records(self) -> list[Record]:
        with closing(self.house.folder.log_reader()) as log:
            return [record for block in log.read(-1, 1_000_000) for record in block.records()]

    def ask(self, method: str, path: str, body: str = "", agent: str = "") -> int:
        with closing(http.client.HTTPConnection("127.0.0.1", self.house.folder.port, timeout=20)) as connection:
            connection.request(method, path, body, {"Content-Type": "application/json", "User-Agent": agent})
            return connection.getresponse().status

    def links(self) -> list[str]:
        """Return the path of a link of each kept mail."""
        with closing(self.house.folder.vault(readonly=True)) as vault:
            kept = read(self.house.folder.mailbox, vault, self.house.folder.settings.workspace)
        mails = [message_from_bytes(mail.raw, policy=default) for mail in kept]
        texts = [part.get_content() for mail in mails for part in mail.walk() if part.get_content_subtype() == "html"]
        return [re.findall(r"/c/[\w-]+", text)[0] for text in texts]


@pytest.fixture(scope="module")
def looked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Looked]:
    """A house in which two bought, three are under way, and one mail was clicked, twice by a person; then both bought
    again.
    """
    with ExitStack() as opened:
        made = Looked(tmp_path_factory.mktemp("looking"), opened)
        made.tell(*[call for name in (*BUYERS, *KEEN) for call in story(name)])
        made.tell(*[track(name, "Order Completed", order_id=f"o-{name}") for name in BUYERS])
        made.house.drain()
        first, second, *_ = made.links()
        assert [made.ask("GET", first, agent=BROWSER) for _ in range(2)] == [302, 302]
        assert made.ask("GET", second) == 302  # by a machine: nobody's user agent
        wait_until("the ledger to hear of the clicks", lambda: len(made.ledger.outcome_counts()) == 2)
        made.tell(*[track(name, "Order Completed", order_id=f"again-{name}") for name in BUYERS])
        made.house.drain()
        wait_until("the orders to be measured", lambda: bool(made.ledger.earned(DAY_MS)))
        yield made


def track(name: str, event: str, **properties: str) -> dict[str, Any]:
    return {"type": "track", "userId": name, "event": event, "properties": properties}


def story(name: str) -> list[dict[str, Any]]:
    consent = {"consent": {"categoryPreferences": {"marketing": True}}}
    traits = {"email": f"{name}@example.com", "firstName": name.title()}
    looks = [track(name, "Product Viewed", product_id=product) for product in ("tea", "cup")]
    return [
        {"type": "track", "anonymousId": f"at-{name}", "event": "Product Viewed", "properties": {"product_id": "pot"}},
        {"type": "identify", "userId": name, "anonymousId": f"at-{name}", "traits": traits, "context": consent},
        *looks,
    ]


def campaigns_apart(looked: Looked) -> dict[str, tuple[dict[str, int], int, int]]:
    """Return by campaign: deliveries by state, who is under way, mails clicked; from rows, people and the log."""
    rows = rows_of(looked.house.folder.path / "ledger.db", "SELECT campaign, state, hex(id) FROM deliveries")
    clicks = {one.properties["decision"] for one in clicks_of(looked) if one.verdict is Verdict.ACCEPTED}
    under_way = Counter(one.campaign for view in looked.engine.everybody(10_000) for one in view.journeys)
    return {
        name: (
            dict(Counter(str(state) for campaign, state, _ in rows if campaign == name)),
            under_way[name],
            sum(campaign == name and str(id).lower() in clicks for campaign, _, id in rows),
        )
        for name in ("reminder", "receipt")
    }


def clicks_of(looked: Looked) -> list[Record]:
    return [one for one in looked.records() if one.name == "Email Link Clicked"]


def test_an_order_goes_to_the_mail_a_person_clicked_and_a_machines_click_counts_for_nothing(looked: Looked) -> None:
    assert [one.verdict for one in clicks_of(looked)].count(Verdict.FILTERED) == 1
    assert [one.orders for one in looked.ledger.earned(DAY_MS)] == [1]
    machines = [one.count for one in looked.ledger.outcome_counts() if one.outcome == "machine_clicked"]
    assert machines == [1]


def campaigns_told(looking: Looking) -> dict[str, tuple[dict[str, int], int, int]]:
    return {one.campaign: (one.by_state, one.waiting, one.clicked) for one in looking.campaigns()}


def test_campaigns_are_as_the_ledgers_rows_the_people_and_the_log_have_them(looked: Looked) -> None:
    told = campaigns_told(looked.looking)
    assert told == campaigns_apart(looked)
    assert told["receipt"] == ({"sent": 4}, 0, 1)
    assert told["reminder"] == ({"skipped": 2}, 3, 0)
    reminder, receipt = looked.looking.campaigns()
    assert (reminder.entered, reminder.by_reason, receipt.sent) == (5, {"until": 2}, 4)


def test_a_ledger_that_counts_one_too_many_does_not_agree(looked: Looked, tmp_path: Path) -> None:
    copy = tmp_path / "ledger.db"
    rows_of(looked.house.folder.path / "ledger.db", f"VACUUM INTO '{copy}'")
    rows_of(copy, "UPDATE tallies SET count = count + 1 WHERE state = 'sent'")
    with closing(SqliteLedger(copy)) as ledger, closing(looked.look(ledger)) as looking:
        assert campaigns_told(looking) != campaigns_apart(looked)


def test_a_restarted_engine_counts_who_is_under_way_and_inside_as_before(looked: Looked) -> None:
    before = (campaigns_told(looked.looking), looked.looking.segments())
    pid = looked.house.supervisor.pids()["engine"]
    looked.house.kill("engine")
    wait_until("the engine to answer", lambda: looked.engine.status().position >= 0)
    wait_until("the look to find it again", lambda: bool(looked.looking.segments()))
    assert (campaigns_told(looked.looking), looked.looking.segments()) == before
    inside = Counter(one.segment for view in looked.engine.everybody(10_000) for one in view.memberships if one.inside)
    assert {one.segment: one.people for one in looked.looking.segments()} == dict(inside)
    found = {one.name: one for one in looked.looking.processes()}
    assert {name: one.pid for name, one in found.items()} == looked.house.supervisor.pids()
    assert (found["engine"].restarts, found["front"].restarts, found["engine"].pid != pid) == (1, 0, True)
    assert all(one.alive and one.supervised for one in found.values())


def test_the_ends_of_hours_are_what_transitions_up_to_then_add_up_to(looked: Looked) -> None:
    for number in range(3):
        ended = looked.house.folder.clock.now_ms() // HOUR_MS * HOUR_MS + HOUR_MS
        wait_until("the hour to end", lambda: looked.house.folder.clock.now_ms() > ended)  # noqa: B023 - called at once
        looked.tell(*story(f"late-{number}"))
        looked.house.drain()
    stamps = {record.seq: record.stamp for record in looked.records()}
    moved = looked.engine.transitions(None, None, 10_000)
    told = looked.looking.segment_history(0)
    assert [one.segment for one in told] == ["keen", "buyer"]
    points = [(one.segment, point.at, point.people) for one in told for point in one.points]
    for segment, at, people in points:
        before = [one for one in moved if one.segment == segment and stamps[one.position] < at]
        assert people == sum(1 if one.entered else -1 for one in before)
    assert len({at for _, at, _ in points}) >= 3
    assert len({people for segment, _, people in points if segment == "keen"}) >= 3


def story_apart(looked: Looked, view: PersonView) -> Counter[tuple[object, ...]]:
    """Return what the stores have of a person, each read by itself."""
    mine = [one for one in looked.records() if one.subject in view.subjects]
    deliveries = looked.ledger.deliveries(person=view.person)
    crossed = [one for subject in view.subjects for one in looked.engine.transitions(subject, None, 1_000)]
    return Counter(
        [
            *(("event", one.seq, one.name) for one in mine if not one.name.startswith("Email ")),
            *(("outcome", one.seq) for one in mine if one.name == "Email Link Clicked"),
            *(("crossed", one.position, one.segment, one.entered) for one in crossed),
            *(("decided", one.decision.id.hex()) for one in deliveries),
            *(
                ("moved", move.decision.hex(), move.before, move.after)
                for one in deliveries
                for move in looked.ledger.history(one.decision.id)
                if move.before and not one.decision.skip
            ),
        ]
    )


def story_told(looked: Looked, view: PersonView) -> Counter[tuple[object, ...]]:
    def key(one: Happening) -> tuple[object, ...]:
        match one:
            case EventHappened():
                return "event", one.position, one.name
            case OutcomeNoted():
                return "outcome", one.position
            case SegmentCrossed():
                return "crossed", one.position, one.segment, one.entered
            case DecisionTaken():
                return "decided", one.decision
            case DeliveryMoved():
                return "moved", one.decision, one.before, one.after

    told = looked.looking.story(view, 1_000)
    assert told.complete
    assert [one.at for one in told.entries] == sorted((one.at for one in told.entries), reverse=True)
    return Counter(map(key, told.entries))


def test_a_persons_story_is_what_log_engine_and_ledger_have_of_them_each_thing_once(looked: Looked) -> None:
    for name in (*BUYERS, *KEEN):
        view = looked.view(name)
        assert story_told(looked, view) == story_apart(looked, view)
    kinds = Counter(str(key[0]) for name in BUYERS for key in story_told(looked, looked.view(name)))
    assert kinds.keys() == {"event", "outcome", "crossed", "decided", "moved"} and kinds["outcome"] == 3


def test_the_story_of_another_does_not_agree(looked: Looked) -> None:
    assert story_told(looked, looked.view("ada")) != story_apart(looked, looked.view("cleo"))


def test_the_people_lately_are_those_of_the_newest_transitions_by_their_names(looked: Looked) -> None:
    moved = looked.engine.transitions(None, None, 10_000)
    names = list(dict.fromkeys(one.person.hex() for one in moved))
    told = looked.looking.people(100)
    assert [one.person for one in told] == names
    assert {one.name for one in told} >= {*BUYERS, *KEEN}
    ada = next(one for one in told if one.name == "ada")
    assert ada.person == looked.view("ada").person.hex() and set(ada.segments) == {"keen", "buyer"}


def test_stores_are_as_long_as_the_disk_says_and_settings_are_those_of_doctor(looked: Looked) -> None:
    told = {one.name: one for one in looked.looking.stores()}
    log = sum(entry.stat().st_size for entry in os.scandir(looked.house.folder.path / "log"))
    assert abs(told["log"].bytes - log) <= 1_000_000
    own = {"log", "state.db", "ledger.db", "audit.db", "control.db", "vault.db", "keys", "mailbox"}
    assert told.keys() == own | {"applied", "processes.json"}
    shown = load(looked.house.project_folder, {}).shown()
    assert [one.key for one in looked.looking.settings()] == [one.key for one in shown]


def test_the_pace_adds_up_to_what_was_done(looked: Looked) -> None:
    looking = looked.looking
    looking.pace()
    wait_until("the first rates", lambda: bool(looking.pace().rooms[0].series))
    before = {one.room: sum(one.series) for one in looking.pace().rooms}
    for number in range(20):
        looked.tell(track("ada", "Order Completed", order_id=f"f-{number}"))
    looked.house.drain()
    looks = len(looking.pace().rooms[0].series)
    wait_until("two more looks", lambda: len(looking.pace().rooms[0].series) >= looks + 2)
    told = looking.pace()
    done = {one.room: sum(one.series) - before[one.room] for one in told.rooms}
    assert [one.room for one in told.rooms] == ["collect", "process", "decide", "deliver", "measure"]
    assert done["process"] == pytest.approx(done["collect"], rel=0.1) and 36 <= done["collect"] <= 44
    assert done["decide"] == pytest.approx(20, rel=0.1)
    assert (told.lag_records, [one.waiting for one in told.rooms]) == (0, [None, 0, 0, 0, None])
    assert sum(count for _, count in told.freshness) > 0 and told.freshness_ms.p99 > 0
