"""What holds for all pages: whole, and their live part alone."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import pytest

from livepost.audit.verify import Verdict
from livepost.clock import DAY_MS
from livepost.console.app import PAGES
from livepost.control.approvals import Approval
from livepost.control.glass import Glass
from livepost.control.requests import Callback, RequestStep, RequestStory, RightsRequest
from livepost.govern.rights.holdings import Elsewhere, Holdings
from livepost.govern.rights.receipt import CheckedReceipt, Receipt, StoreReceipt
from livepost.govern.rights.store import Held
from livepost.govern.rights.summary import HeldLine
from livepost.govern.rights.travel import Travel
from livepost.model.consent import ConsentTally
from livepost.model.feedback import ComplaintRate
from livepost.model.story import PersonStory
from livepost.model.told import Member, SegmentCount
from livepost.ops.audit_trail import EntryLine
from livepost.ops.mailbox import MailPage
from tests.unit.console.letters import Letters, letter
from tests.unit.console.shop import ADA, REMINDER, SHOP, VIEW, delivery, reasons
from tests.unit.console.test_consents import GIVEN
from tests.unit.console.test_delivery import STORY
from tests.unit.console.test_flow import STANDING, _pace
from tests.unit.console.test_keys import PROGRAM, keys
from tests.unit.console.test_mailbox import ID as MAIL_ID
from tests.unit.console.test_mailbox import LINE as MAIL_LINE
from tests.unit.console.test_mailbox import _shown
from tests.unit.console.test_people import LINE
from tests.unit.console.test_person import ALL
from tests.unit.console.test_policies import RECORDS, REPORT
from tests.unit.console.test_providers import standing
from tests.unit.console.test_retention import RETENTION
from tests.unit.console.test_segments import HISTORY
from tests.unit.console.test_system import ENGINE, LOG, PORT
from tests.unit.console.test_webhooks import WELL
from tests.unit.console.told import START, Browser, ToldHouse

APPROVAL = Approval(
    id="a" * 16,
    kind="export",
    hash=bytes(32),
    told=("Write everything that is held on the person 00 to a file.",),
    asked_by="user:1",
    reason="a letter came",
    asked_at=1,
    until=10**15,
)
GLASS = Glass(id="ab" * 8, user="1", reason="a mail went wrong", begun_at=1, until=10**15)
REQUEST = RightsRequest(
    id="ab" * 16,
    kind="erasure",
    regulation="gdpr",
    way="opendsr",
    subjects=(bytes(16),),
    submitted_at=START,
    received_at=START,
    due_at=START + 1,
    verified="by the controller",
    entered_by="key:controller",
)
STEP = RequestStep(at=START, who="key:controller", state="pending", told="it came in")
RECEIPT = CheckedReceipt(
    receipt=Receipt(
        id="ab" * 16,
        workspace="shop",
        by="command:me",
        asked_at=START,
        live_at=START + 83,
        done_at=START + 1_109,
        position=7,
        subjects=4,
        stores=(
            StoreReceipt(
                store="vault.db",
                done="rows are deleted",
                at=START,
                rows={"keys": 4},
                remains="in backups of the vault",
                until=START + 7 * DAY_MS,
            ),
            StoreReceipt(store="log", done="the keys are destroyed", at=START),
        ),
        signature="5e" * 64,
    ),
    ours=True,
    public_key="9a" * 32,
)
CALLBACK = Callback(
    number=1, request=REQUEST.id, url="https://c.example/", state="pending", tries=1, next_at=1, error="it slept"
)
HELD = HeldLine(
    what="event: Product Viewed",
    store="log",
    count=3,
    purposes=("not said",),
    since=START,
    newest=START,
    sources=("web",),
    kept="90 days",
)
SEEN = {"number": 1, "by": "command:me", "did": "person.read", "about": ""}
ACCESS = Held(store="audit.db", what="access", at=START, values=SEEN)
HOLDINGS = Holdings(
    lines=[HELD],
    travels=[
        Travel(
            to="mail",
            kind="sender",
            field="Identified.email",
            purposes=("marketing",),
            times=2,
            first=START,
            last=START,
        )
    ],
    elsewhere=[
        Elsewhere(store="snapshots", holds="people as they were", instead="given once", kept="the newest three")
    ],
    accesses=[ACCESS],
)
ANSWERS = {
    "standing": STANDING,
    "pace": _pace(),
    "processes": [ENGINE],
    "stores": [LOG],
    "changed_pages": ["shop.py"],
    "divergences": [],
    "policies": (REPORT, RECORDS),
    "relaxed": ["hosts: crm.example is added"],
    "retention": RETENTION,
    "settings": [PORT],
    "project": SHOP,
    "people": [LINE],
    "person": VIEW,
    "story": PersonStory(entries=list(ALL), looked_back_to=START, complete=False),
    "reasons": reasons(),
    "said": [],
    "suppression_counts": {"imported": 3},
    "consent_counts": [ConsentTally(purpose="marketing", channel="email", state="given", people=3)],
    "newest_consents": [GIVEN],
    "senders": [standing()],
    "audit": [EntryLine(number=1, at=START, by="key:crm", did="person.read", about="", people=[])],
    "audit_verdict": Verdict(entries=1, heads=0, vouched=0, findings=[]),
    "webhooks": [WELL],
    "keys": keys(PROGRAM),
    "segments": [SegmentCount("browsing", 42)],
    "segment_history": [HISTORY],
    "members": [Member(1, ADA, START)],
    "campaigns": [REMINDER],
    "kills": [],
    "approvals": [APPROVAL],
    "glass": [GLASS],
    "break_glass": None,
    "end_glass": None,
    "settle_approval": None,
    "rights_requests": ([REQUEST], {"open": 1, "due_soon": 0, "overdue": 1}),
    "rights_request": RequestStory(request=REQUEST, steps=[STEP], callbacks=[CALLBACK]),
    "receipts": [RECEIPT],
    "receipt": RECEIPT,
    "holdings": HOLDINGS,
    "complaints": ComplaintRate(),
    "deliveries": [delivery("sent")],
    "keeps_mails": True,
    "mails": MailPage(mails=[MAIL_LINE], older=None, looked_at=1),
    "mail": _shown(),
    "mail_story": STORY,
    "broadcasts": [],
    "broadcast_standings": {},
    "letters": [letter(17)],
    "letter": Letters(letter(17)).answers["letter"](17, open=False),
}
NAMES = {
    "person": ADA.hex(),
    "segment": "browsing",
    "campaign": "reminder",
    "mail": MAIL_ID,
    "delivery": MAIL_ID,
    "letter": "17",
    "holdings": ADA.hex(),
    "request": REQUEST.id,
    "receipt": RECEIPT.receipt.id,
}
PATHS = [re.sub(r"\{\w+\}", NAMES.get(page.name, ""), page.path) for page in PAGES]


def _live(path: str) -> str:
    """Return the first thing a page's stream says: the house closes the console as soon as it is asked."""
    house = ToldHouse()
    browser = Browser(house)

    def closing(answer: Any) -> Any:
        def told(*asked: Any, **named: Any) -> Any:
            browser.console.close()
            return answer

        return told

    house.answers.update({question: closing(answer) for question, answer in ANSWERS.items()})
    return browser.get(path, accept="text/event-stream").text


@pytest.mark.parametrize("path", PATHS)
def test_a_page_has_one_title_its_headings_in_order_and_each_id_once(path: str) -> None:
    text = Browser(ToldHouse(**ANSWERS)).get(path).text
    levels = [int(level) for level in re.findall(r"<h([1-6])", text)]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    ids = re.findall(r' id="([^"]*)"', text)
    assert len(ids) == len(set(ids))
    assert "style=" not in text


@pytest.mark.parametrize("path", [path for page, path in zip(PAGES, PATHS, strict=True) if page.live])
def test_the_live_part_is_made_alone_as_it_is_in_the_whole_page(path: str) -> None:
    told = "\n".join(line.removeprefix("data: ") for line in _live(path).splitlines() if line.startswith("data: "))
    assert told.strip()
    assert re.sub(r"\s+", " ", told).strip() in re.sub(r"\s+", " ", Browser(ToldHouse(**ANSWERS)).get(path).text)


def test_a_live_page_whose_question_has_found_its_answer_leads_there() -> None:
    assert f'href="/people/{ADA.hex()}">It is there now: open it</a>' in _live("/people?q=ada@example.com")
