"""The public endpoints over HTTP: GET decides nothing, a POST is in the ledger before its reply (E2, E3)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from livepost.api.mail import MailDesk, echo, mail_routes
from livepost.clock import SimulatedClock
from livepost.deliver.token import Click, Tokens, Unsubscribe
from livepost.errors import SealError, StoreError
from livepost.ids import digest
from livepost.ledger.base import Withdrawal
from livepost.ledger.sqlite import SqliteLedger
from livepost.model.record import Record
from livepost.testing.contracts.ledger import ADA, START_MS, consent, decision, page

TOKENS = Tokens(digest("secret", size=32))
LINK = Unsubscribe(decision(1).id, ADA, "marketing")
SCANNERS = ["Barracuda/1.0", "Mozilla/5.0 (compatible; Proofpoint)", "GoogleImageProxy", "curl/8", ""]


class House:
    """A ledger in which ada may be sent to, and a log that can be away."""

    def __init__(self) -> None:
        self.ledger = SqliteLedger(":memory:", SimulatedClock(START_MS))
        self.ledger.take_over(page(consent(0), decision(1)), START_MS)
        self.records: list[Record] = []
        self.away = False
        self.desk = MailDesk(
            tokens=TOKENS,
            ledger=self.ledger,
            append=self.append,
            known=lambda person: True,
            clock=SimulatedClock(START_MS + 10),
            shop_name="Tom & Ada's <Shop>",
        )

    async def append(self, records: Sequence[Record]) -> None:
        if self.away:
            raise StoreError("the log is not there")
        self.records += records

    def ask(self, method: str, path: str, **also: Any) -> httpx.Response:
        return asyncio.run(self._ask(method, path, **also))

    async def _ask(self, method: str, path: str, **also: Any) -> httpx.Response:
        transport = httpx.ASGITransport(app=Starlette(routes=mail_routes(self.desk)))
        async with httpx.AsyncClient(transport=transport, base_url="https://m.example") as client:
            return await client.request(method, path, **also)

    def may_send(self) -> bool:
        return len(self.ledger.claim(START_MS + 20, 10, "w")) == 1


def test_get_shows_a_page_with_a_button_and_decides_nothing() -> None:
    house = House()
    path = f"/u/{TOKENS.unsubscribe(LINK)}"
    for agent in SCANNERS:
        for method in ("GET", "HEAD"):
            reply = house.ask(method, path, headers={"User-Agent": agent})
            assert (reply.status_code, "set-cookie" in reply.headers) == (200, False)
    page_ = house.ask("GET", path).text
    assert '<form method="post"><button type="submit">Unsubscribe</button></form>' in page_
    assert "Tom &amp; Ada&#x27;s &lt;Shop&gt;" in page_
    assert house.records == []
    assert house.may_send()


@pytest.mark.parametrize(
    "body",
    [
        {"data": {"List-Unsubscribe": "One-Click"}},
        {"files": {"List-Unsubscribe": (None, "One-Click")}},
        {"content": b""},
        {"content": b"x" * 1_000_000},
    ],
)
def test_one_click_is_in_the_ledger_before_the_reply(body: dict[str, Any]) -> None:
    house = House()
    reply = house.ask("POST", f"/u/{TOKENS.unsubscribe(LINK)}", **body)
    assert (reply.status_code, reply.history, "set-cookie" in reply.headers) == (200, [], False)
    assert not house.may_send()
    [record] = house.records
    assert (record.name, record.subject, record.context) == ("Unsubscribed", ADA, {"consent": {"marketing": False}})
    assert house.ledger.unechoed(10) == []


def test_a_second_click_is_the_same_wish() -> None:
    house = House()
    path = f"/u/{TOKENS.unsubscribe(LINK)}"
    for _ in range(2):
        assert house.ask("POST", path).status_code == 200
    assert len(house.records) == 1


def test_when_the_log_is_away_the_wish_still_counts_and_its_echo_comes_later() -> None:
    house = House()
    house.away = True
    assert house.ask("POST", f"/u/{TOKENS.unsubscribe(LINK)}").status_code == 200
    assert not house.may_send()
    house.away = False
    assert asyncio.run(echo(house.desk)) == 1
    assert asyncio.run(echo(house.desk)) == 0
    assert [record.name for record in house.records] == ["Unsubscribed"]


def test_when_the_ledger_is_away_the_reply_says_so() -> None:
    class Broken:
        def withdraw(self, person: bytes, purpose: str, now_ms: int, proof: str) -> Withdrawal:
            raise StoreError("the ledger is busy")

        def unechoed(self, limit: int) -> list[Withdrawal]:
            return []

        def echoed(self, withdrawals: Sequence[Withdrawal]) -> None: ...

    house = House()
    house.desk = MailDesk(
        tokens=TOKENS,
        ledger=Broken(),
        append=house.append,
        known=lambda person: True,
        clock=SimulatedClock(START_MS),
        shop_name="Shop",
    )
    reply = house.ask("POST", f"/u/{TOKENS.unsubscribe(LINK)}")
    assert (reply.status_code, reply.headers["retry-after"]) == (503, "60")


@pytest.mark.parametrize("path", ["/u/x", f"/u/{'A' * 400}", f"/u/{'A' * 5_000}", "/u/%00"])
def test_a_link_of_nobody_is_answered_with_a_sentence(path: str) -> None:
    for method in ("GET", "POST"):
        reply = House().ask(method, path)
        assert (reply.status_code, reply.headers["content-type"]) == (404, "text/html; charset=utf-8")
        assert "It is not from one of our mails" in reply.text


def test_a_token_of_the_other_kind_opens_nothing() -> None:
    click = TOKENS.click(Click(decision(1).id, ADA, 0, "https://shop.example"))
    house = House()
    assert house.ask("POST", f"/u/{click}").status_code == 404


def test_a_person_forgotten_meanwhile_is_still_obeyed() -> None:
    def forgotten(person: bytes) -> bool:
        raise SealError("no such key")

    house = House()
    house.desk = MailDesk(
        tokens=TOKENS,
        ledger=house.ledger,
        append=house.append,
        known=forgotten,
        clock=SimulatedClock(START_MS + 10),
        shop_name="Shop",
    )
    assert house.ask("POST", f"/u/{TOKENS.unsubscribe(LINK)}").status_code == 200
    assert not house.may_send()
