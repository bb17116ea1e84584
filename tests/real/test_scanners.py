"""Every link of every mail is fetched by scanners, as filters do before a person sees it: nothing is decided (E2).

The links are read out of the bytes that a mail server received. `LIVEPOST_SCANNED_MAILS` says how many mails there are.
"""

from __future__ import annotations

import email
import email.policy
import http.client
import os
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from email.message import EmailMessage
from itertools import cycle
from pathlib import Path

import pytest

from livepost.measure.click import CLICKED
from livepost.model.record import Kind
from livepost.runtime.data.folder import LEDGER
from livepost.runtime.engine.client import EngineClient
from tests.crash.house import rows_of, wait_until
from tests.real.post import Office
from tests.real.test_broadcast import Shop

MAILS = int(os.environ.get("LIVEPOST_SCANNED_MAILS", "500"))
CONTROL = 5
AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36",
    "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
    "Barracuda Sentinel (EE)",
    "Mozilla/5.0 (compatible; Proofpoint URL Defense)",
    "Microsoft Office/16.0 (Microsoft Outlook Mail; SafeLinks)",
    "python-requests/2.32",
    "",
)
DECIDED = ("consents", "withdrawals", "proofs", "suppressions", "lifts", "confirmations", "kills", "permit_changes")
LINK = re.compile(r"https://m\.shop\.example(/[A-Za-z0-9_/-]+)")


@pytest.fixture
def office() -> Iterator[Office]:
    with closing(Office()) as one:
        yield one


def sent_to(folder: Path, office: Office, people: int, front: str = "") -> Shop:
    """Return a shop whose letter has arrived with all its members."""
    shop = Shop(folder, office, people, front=front)
    shop.broadcast("b1")
    wait_until("the broadcast to be over", shop.is_over, moving=shop.states)
    assert shop.states() == {("sent", ""): people}
    return shop


def links_of(raw: bytes) -> set[str]:
    """Return the paths of all our addresses in a mail: in its header, its text and its page."""
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(mail, EmailMessage)
    parts = [mail.get_body((kind,)) for kind in ("plain", "html")]
    texts = [part.get_content() for part in parts if part is not None]
    return {found for text in (str(mail["List-Unsubscribe"]), *texts) for found in LINK.findall(text)}


def fetch_all(port: int, paths: list[str]) -> None:
    """Fetch each path as each kind of scanner does in its turn, first its head, then all of it."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
        for path, agent in zip(paths, cycle(AGENTS), strict=False):
            for method in ("HEAD", "GET"):
                connection.request(method, path, headers={"User-Agent": agent})
                reply = connection.getresponse()
                reply.read()
                assert reply.status in (200, 302), f"{method} {path}: {reply.status}"


def decided(shop: Shop) -> dict[str, object]:
    """Return all that a person's wish can change: the ledger's tables, segments, what became of mails."""
    with closing(EngineClient(shop.house.folder)) as engine:
        segments = {one.segment: one.people for one in engine.segments()}
    file = shop.house.folder.path / LEDGER
    tables = {name: rows_of(file, f"SELECT * FROM {name} ORDER BY 1, 2") for name in DECIDED}
    return {**tables, "segments": segments, "states": shop.states()}


def said(shop: Shop) -> Counter[str]:
    """Return the log's events by name; a click is noted, and is nobody's word."""
    with closing(shop.house.folder.log_reader()) as log:
        names = (one.name for block in log.read(-1, 1_000_000) for one in block.records() if one.kind is Kind.EVENT)
        return Counter(name for name in names if name != CLICKED)


def test_scanners_that_fetch_every_link_of_500_mails_decide_nothing(office: Office, tmp_path: Path) -> None:
    with closing(sent_to(tmp_path, office, MAILS)) as shop:
        paths = sorted({path for raw in office.raws() for path in links_of(raw)})
        kinds = {kind: sum(path.startswith(f"/{kind}/") for path in paths) for kind in ("u", "c", "preferences")}
        assert kinds["c"] >= MAILS and kinds["u"] >= MAILS, "each mail has its own links"
        before, words = decided(shop), said(shop)
        fetch_all(shop.house.folder.port, paths)
        shop.house.drain()
        assert decided(shop) == before
        assert said(shop) == words
        assert len(office.raws()) == MAILS, "nothing was triggered"


def test_a_front_that_obeys_a_get_would_be_found(office: Office, tmp_path: Path) -> None:
    with closing(sent_to(tmp_path, office, CONTROL, front="tests.real.obeying_front")) as shop:
        before = decided(shop)
        fetch_all(shop.house.folder.port, sorted({path for raw in office.raws() for path in links_of(raw)}))
        shop.house.drain()
        after = decided(shop)
        assert {name for name in before if before[name] != after[name]} >= {"withdrawals", "proofs"}
