"""Official SDKs over a bad line: what they were told is taken is in the log, and processed once.

Each sends through a proxy that answers some posts itself with 429 and 503 and drops the connection before and after the
front has them. All run against one house; each has a key of its own, so that its events can be told apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing

import pytest
from playwright.sync_api import Browser

from livepost.clock import WallClock
from livepost.model.record import Kind, Record, Verdict
from livepost.runtime.engine.client import EngineClient
from tests.crash.house import ROOT, House, wait_until
from tests.crash.proofs import folding_trouble, records_of
from tests.real.pages import pages
from tests.real.proxy import LINE, Fault, Proxy
from tests.real.sdk import SCRIPTS, needs_clients, sent_by

COUNT = 42
"""Calls of each server's SDK: five requests or more, so that every fault of LINE befalls one."""

CLICKS = 15
"""Calls of the browser's SDK, which makes a request of each."""

SERVERS = {
    "segment-python": "segment_python.py",
    "rudder-python": "rudder_python.py",
    "segment-node": "segment_node.cjs",
    "rudder-node": "rudder_node.cjs",
    "snowplow-python": "snowplow_python.py",
}
PACKAGES = {
    "segment-analytics-python": "segment_python.py",
    "@segment/analytics-node": "segment_node.cjs",
    "@segment/analytics-next": "segment_browser.html",
    "rudder-sdk-python": "rudder_python.py",
    "@rudderstack/rudder-sdk-node": "rudder_node.cjs",
    "snowplow-tracker": "snowplow_python.py",
}
HOW_TO = ROOT / "docs" / "how-to" / "point-an-sdk-at-livepost.md"
NAMES = {"Product Viewed", "$identify", "$page", "$screen", "$group", "$alias"}
NAMES_OF = {
    "snowplow-python": {"$page", "add-to-basket", "product_viewed"},
    "segment-browser": NAMES - {"$screen"},
}


class Shop:
    """A running house and what its log says of a client."""

    def __init__(self, house: House) -> None:
        self.house = house

    def key(self, source: str) -> str:
        """Return a new write key under a source's name."""
        return self.house.folder.keys.new("write", source, WallClock().now_ms()).key

    def records(self, source: str) -> list[Record]:
        """Return the events of a source, once the house has come to rest."""
        self.house.drain()
        with closing(self.house.folder.log_reader()) as log:
            return [record for record in records_of(log) if record.kind is Kind.EVENT and record.source == source]

    def arrived(self, source: str) -> int:
        """Return how many events of a source the log holds so far."""
        with closing(self.house.folder.log_reader()) as log:
            return sum(record.source == source for record in records_of(log))

    def trouble(self) -> list[str]:
        """Return what is wrong with the fates of all events so far: each id once processed, the rest duplicates."""
        self.house.drain()
        with closing(EngineClient(self.house.folder)) as engine:
            return folding_trouble(self.house.folder, engine.status().counts)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    needs_clients()
    house = House(tmp_path_factory.mktemp("house"))
    house.start()
    try:
        yield Shop(house)
    finally:
        house.stop()


@pytest.fixture
def at() -> Iterator[str]:
    with pages() as address:
        yield address


def missing(ids: list[str], records: list[Record]) -> list[str]:
    """Return the ids that a client was told are taken and that no record has."""
    return sorted(set(ids) - {record.message_id for record in records})


def require_all_once(shop: Shop, client: str, ids: list[str], line: Proxy) -> None:
    """Require that a client's events are in the log under the ids it gave, and that each was processed once."""
    records = shop.records(client)
    assert missing(ids, records) == []
    assert {record.message_id for record in records} == set(ids)
    assert {record.name for record in records} == NAMES_OF.get(client, NAMES)
    assert {record.verdict for record in records} == {Verdict.ACCEPTED}
    assert all(record.timestamp is not None for record in records)
    assert all(line.happened[fault] for fault in LINE), line.happened
    assert len(records) > len(ids), "expected dropped acknowledgements to bring events again"
    assert shop.trouble() == []


@pytest.mark.parametrize("client", SERVERS)
def test_an_sdk_loses_nothing_on_a_bad_line_and_nothing_counts_twice(shop: Shop, client: str) -> None:
    with Proxy(shop.house.folder.port, LINE, again=True) as line:
        ids = sent_by(SERVERS[client], line.address, shop.key(client), COUNT)
    require_all_once(shop, client, ids, line)


def test_the_browsers_sdk_loses_nothing_on_a_bad_line_and_nothing_counts_twice(
    shop: Shop, at: str, chromium: Browser
) -> None:
    client = "segment-browser"
    with Proxy(shop.house.folder.port, LINE, again=True) as line, chromium.new_page() as page:
        page.goto(f"{at}/segment_browser.html?host={line.address}&key={shop.key(client)}")
        ids = page.evaluate("count => send(count)", CLICKS)
        wait_until("the browser to be rid of all", lambda: line.happened[Fault.NONE] == CLICKS)
        wait_until("all in the log", lambda: shop.arrived(client) == CLICKS + line.happened[Fault.CUT_AFTER])
    assert len(set(ids)) == CLICKS
    require_all_once(shop, client, ids, line)


def test_what_a_customer_leaves_unsent_is_sent_from_the_next_page(shop: Shop, at: str, chromium: Browser) -> None:
    client = "segment-browser-leaving"
    with Proxy(shop.house.folder.port, [Fault.UNAVAILABLE], again=True) as line, chromium.new_page() as page:
        address = f"{at}/segment_browser.html?host={line.address}&key={shop.key(client)}"
        page.goto(address)
        ids = page.evaluate("send(5)")
        page.goto("about:blank")
        assert shop.arrived(client) == 0
        line.mend()
        page.goto(address)
        wait_until("all in the log", lambda: shop.arrived(client) >= 5)
    assert missing(ids, shop.records(client)) == []
    assert shop.trouble() == []


def test_snowplows_tracker_may_ask_for_pictures_instead(shop: Shop) -> None:
    client = "snowplow-get"
    host = f"http://127.0.0.1:{shop.house.folder.port}"
    ids = sent_by("snowplow_python.py", host, shop.key(client), 6, "get")
    records = shop.records(client)
    assert [record.message_id for record in records] == ids
    assert {record.name for record in records} == NAMES_OF["snowplow-python"]


def test_snowplows_tracker_may_keep_its_app_id_and_put_the_key_before_the_host(shop: Shop) -> None:
    client = "snowplow-basic"
    host = f"http://{shop.key(client)}:@127.0.0.1:{shop.house.folder.port}"
    ids = sent_by("snowplow_python.py", host, "teashop", 6)
    assert [record.message_id for record in shop.records(client)] == ids


def test_the_how_to_names_the_versions_and_options_that_run_here() -> None:
    rows = re.findall(r"^\| `(\S+)` \| ([\d.]+) \| `(.+)` \|$", HOW_TO.read_text(), flags=re.MULTILINE)
    assert {package for package, _, _ in rows} == set(PACKAGES)
    locked = (ROOT / "requirements" / "clients.txt").read_text() + (SCRIPTS / "package.json").read_text()
    for package, version, call in rows:
        assert f"\n{package}=={version} " in locked or f'"{package}": "{version}"' in locked
        words = re.findall(r"\w+[=:] ?\w+|\w+\(", call)
        script = (SCRIPTS / PACKAGES[package]).read_text()
        assert words and [word for word in words if word not in script] == []


def test_a_server_that_ate_a_request_would_be_found(shop: Shop) -> None:
    """The negative control: the SDK is content, the count is not."""
    client = "segment-python-eaten"
    with Proxy(shop.house.folder.port, [Fault.NONE, Fault.EATEN]) as line:
        ids = sent_by("segment_python.py", line.address, shop.key(client), COUNT)
    assert line.happened[Fault.EATEN] == 1
    assert missing(ids, shop.records(client)) != []


def test_an_event_that_counted_twice_would_be_found(shop: Shop) -> None:
    """The negative control: fates of which one too many is processed."""
    shop.house.drain()
    with closing(EngineClient(shop.house.folder)) as engine:
        counts = engine.status().counts
    doubled = {**counts, "processed": counts["processed"] + 1, "duplicate": counts["duplicate"] - 1}
    assert folding_trouble(shop.house.folder, counts) == []
    assert folding_trouble(shop.house.folder, doubled) != []
