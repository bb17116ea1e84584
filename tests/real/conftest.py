"""What tests against real programs share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.real.browser import browser
from tests.real.kafka import Broker, needs_kafka
from tests.real.postgres import Server, needs_postgres

expect.set_options(timeout=20_000)
"""How long (ms) a page may take to show what is expected: enough for a slow host, since nothing is timed by it."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put files that open a browser behind all others: from then on Playwright's event loop turns in this thread, where
    a sender to a mail server turns its own.
    """
    browsing = {item.path for item in items if "chromium" in getattr(item, "fixturenames", ())}
    items.sort(key=lambda item: item.path in browsing)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """A Chromium for all tests; each makes a context of its own, which is a fresh profile. `shop.test` is this machine,
    by a name that is not trusted as `localhost` is: what browsers keep for https is missing there.
    """
    with browser("--host-resolver-rules=MAP shop.test 127.0.0.1") as one:
        yield one


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A Kafka for all tests; each makes topics of its own."""
    needs_kafka()
    broker = Broker(tmp_path_factory.mktemp("kafka"))
    yield broker
    broker.stop()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A PostgreSQL for all tests; each makes databases of its own."""
    needs_postgres()
    server = Server()
    yield server
    server.remove()
