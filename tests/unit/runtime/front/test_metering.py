"""What `/metrics` gathers, with an engine and without, with books and without."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from livepost.announce.book import Book as Webhooks
from livepost.errors import StoreError
from livepost.ledger.base import Ledger
from livepost.model.told import CourierStatus, Status
from livepost.observe.exposition import exposition
from livepost.runtime.courier.routing import routing_of
from livepost.runtime.data.folder import DataFolder
from livepost.runtime.front.metering import Metering
from livepost.settings.load import load
from tests.unit.runtime.still import StillHouse, ada, make_project

WEBHOOK = """
[[webhooks]]
name = "shop"
url = "https://shop.example/hook"
secret = "env:SHOP"
events = ["receipt"]
"""


def told(folder: DataFolder, ledger: Ledger) -> str:
    def engine() -> tuple[Status, int]:
        raise StoreError("nobody answers")

    def couriers() -> CourierStatus:
        return CourierStatus()

    routing = routing_of(folder.settings)
    return exposition(Metering(folder, ledger, routing, engine=engine, couriers=couriers).families())


def test_without_an_engine_the_ledger_is_told_and_no_personal_value_is(tmp_path: Path) -> None:
    house = StillHouse(make_project(tmp_path / "shop"))
    house.take(ada())
    house.work()
    with closing(house.folder.ledger()) as ledger:
        text = told(house.folder, ledger)
    assert "livepost_engine_up 0\n" in text
    assert 'livepost_mails{state="sent"}' in text and "livepost_sender_breaker{sender=" in text
    assert "livepost_webhook" not in text
    assert "ada" not in text.replace("livepost_", "")


def test_a_webhook_is_told_once_there_is_a_book_and_a_book_that_is_none_keeps_nothing_back(tmp_path: Path) -> None:
    project = make_project(tmp_path / "shop")
    (project / "livepost.toml").write_text((project / "livepost.toml").read_text() + WEBHOOK)
    house = StillHouse(project)
    folder = DataFolder(load(project, {"SHOP": "whsec_" + "a" * 44}).settings)
    with closing(house.folder.ledger()) as ledger:
        assert "livepost_webhook" not in told(folder, ledger)
        with closing(Webhooks(folder.webhooks_file)) as book:
            book.begin("shop", "c")
        assert 'livepost_webhook_delivered_total{target="shop"} 0\n' in told(folder, ledger)
        folder.webhooks_file.write_bytes(b"no book" * 1_000)
        assert 'livepost_mails{state="sent"}' in told(folder, ledger)
