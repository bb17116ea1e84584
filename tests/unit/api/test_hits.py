"""Clicks and opens over HTTP: everybody is led on, machines are told from people, and only who allows it is seen."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import httpx
import msgspec
import pytest
from starlette.applications import Starlette

from livepost.api.hits import GIF, hit_routes
from livepost.api.mail import MailDesk
from livepost.clock import SimulatedClock
from livepost.deliver.token import Click, Open, Tokens, Unsubscribe
from livepost.errors import SealError, StoreError
from livepost.ids import digest
from livepost.ledger.sqlite import SqliteLedger
from livepost.measure import machine
from livepost.model.record import Record, Verdict
from livepost.testing.contracts.ledger import ADA, START_MS, consent, decision, flown, page, settled

TOKENS = Tokens(digest("secret", size=32))
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0"
SCANNERS = ["Barracuda/1.0", "Mozilla/5.0 (compatible; Proofpoint)", "curl/8", ""]
SEEN = msgspec.structs.replace(consent(1), purpose="open_tracking")


class House:
    """A ledger with one mail that was sent at START_MS, to a person whose opening of mails may be seen."""

    def __init__(self, after_ms: int = machine.EARLY_MS) -> None:
        self.ledger = SqliteLedger(":memory:", SimulatedClock(START_MS))
        self.ledger.take_over(page(consent(0), SEEN, decision(2)), START_MS)
        settled(self.ledger, flown(self.ledger, self.ledger.claim(START_MS, 10, "w")), "sent")
        self.records: list[Record] = []
        self.away = False
        self.erased = False
        self.rested: list[float] = []
        self.desk = MailDesk(
            tokens=TOKENS,
            ledger=self.ledger,
            append=self.append,
            known=self.known,
            clock=SimulatedClock(START_MS + after_ms),
            shop_name="Shop",
            opens="open_tracking",
            rest=self.rest,
        )

    def known(self, person: bytes) -> bool:
        if self.erased:
            raise SealError("no such key")
        return True

    async def append(self, records: Sequence[Record]) -> None:
        if self.away:
            raise StoreError("the log is not there")
        self.records += records

    async def rest(self, seconds: float) -> None:
        """Let others come in between, as in a second that passes."""
        self.rested.append(seconds)
        for _ in range(50):
            await asyncio.sleep(0)

    def ask(self, path: str, method: str = "GET", agent: str = FIREFOX, **headers: str) -> httpx.Response:
        [reply] = self.ask_all([path], method, agent, **headers)
        return reply

    def ask_all(self, paths: Sequence[str], method: str = "GET", agent: str = FIREFOX, **headers: str) -> Any:
        return asyncio.run(self._ask(paths, method, {"User-Agent": agent, **headers}))

    async def _ask(self, paths: Sequence[str], method: str, headers: dict[str, str]) -> list[httpx.Response]:
        transport = httpx.ASGITransport(app=Starlette(routes=hit_routes(self.desk)))
        async with httpx.AsyncClient(transport=transport, base_url="https://m.example") as client:
            return await asyncio.gather(*(client.request(method, path, headers=headers) for path in paths))

    def reasons(self) -> list[str]:
        """Return why each hit was taken for a machine's, "" where it was not."""
        assert all((one.verdict is Verdict.FILTERED) == bool(one.reason) for one in self.records)
        return [one.reason.removeprefix("a machine's: ") for one in self.records]


def link(number: int = 0, target: str = "https://shop.example/?a=1&b=2") -> str:
    return f"/c/{TOKENS.click(Click(decision(2).id, ADA, number, target))}"


def picture() -> str:
    return f"/o/{TOKENS.picture(Open(decision(2).id, ADA))}.gif"


def test_a_click_leads_to_the_mails_own_link_and_is_written_down() -> None:
    house = House()
    reply = house.ask(link(4))
    assert (reply.status_code, reply.headers["location"]) == (302, "https://shop.example/?a=1&b=2")
    assert (reply.headers["cache-control"], "set-cookie" in reply.headers) == ("no-store", False)
    [record] = house.records
    assert (record.name, record.properties["link"], record.properties["human"]) == ("Email Link Clicked", 4, None)
    assert (house.reasons(), house.rested) == ([""], [machine.BURST_S])


@pytest.mark.parametrize("agent", SCANNERS)
def test_a_machine_is_led_on_and_its_hit_filtered(agent: str) -> None:
    house = House()
    assert house.ask(link(), agent=agent).status_code == 302
    assert house.ask(picture(), agent=agent).content == GIF
    assert [one.verdict for one in house.records] == [Verdict.FILTERED, Verdict.FILTERED]


def test_heads_and_prefetches_are_machines() -> None:
    house = House()
    assert house.ask(link(), "HEAD").status_code == 302
    assert house.ask(link(), **{"Sec-Purpose": "prefetch"}).status_code == 302
    assert house.reasons() == [machine.HEAD, machine.PREFETCHED]


def test_who_follows_several_links_of_a_mail_at_once_is_a_machine_from_the_first_on() -> None:
    house = House()
    house.ask_all([link(0), link(1), link(2)])
    assert house.reasons() == [machine.BURST] * 3


def test_the_same_link_twice_at_once_and_links_of_a_while_apart_are_a_persons() -> None:
    house = House()
    house.ask_all([link(0), link(0)])
    house.ask(link(1))
    assert house.reasons() == [""] * 3


def test_a_hit_right_after_the_mail_was_sent_is_a_machines() -> None:
    house = House(machine.EARLY_MS - 1)
    house.ask(link())
    house.ask(picture())
    assert house.reasons() == [machine.EARLY] * 2


def test_an_open_is_written_down_once_more_looking_at_consent() -> None:
    house = House()
    reply = house.ask(picture())
    assert (reply.status_code, reply.headers["content-type"], reply.content) == (200, "image/gif", GIF)
    assert reply.headers["cache-control"] == "no-store"
    assert [one.name for one in house.records] == ["Email Opened"]
    house.ledger.withdraw(ADA, "open_tracking", START_MS, "page")
    assert house.ask(picture()).content == GIF
    assert len(house.records) == 1


def test_without_a_purpose_no_open_is_seen() -> None:
    house = House()
    house.desk = msgspec.structs.replace(house.desk, opens="")
    assert house.ask(picture()).content == GIF
    assert house.records == []


def test_of_who_was_erased_nothing_is_written_down() -> None:
    house = House()
    house.erased = True
    assert (house.ask(picture()).content, house.ask(link()).status_code) == (GIF, 302)
    assert house.records == []


def test_whatever_the_stores_say_everybody_is_led_on() -> None:
    house = House()
    house.away = True
    assert (house.ask(picture()).content, house.ask(link()).status_code) == (GIF, 302)
    house.away = False
    house.ledger.close()
    assert (house.ask(picture()).content, house.ask(link()).status_code) == (GIF, 302)


@pytest.mark.parametrize("token", ["x", "A" * 400, "A" * 5_000, "%00"])
def test_a_token_of_nobody_gets_the_same_picture_and_a_link_of_nobody_a_sentence(token: str) -> None:
    house = House()
    assert house.ask(f"/o/{token}.gif").content == GIF
    reply = house.ask(f"/c/{token}")
    assert (reply.status_code, "It is not from one of our mails" in reply.text) == (404, True)
    assert house.records == []


def test_a_token_of_another_kind_opens_nothing() -> None:
    house = House()
    stop = TOKENS.unsubscribe(Unsubscribe(decision(2).id, ADA, "marketing"))
    assert house.ask(f"/c/{stop}").status_code == 404
    assert house.ask(f"/o/{stop}.gif").content == GIF
    assert house.ask(link(), "POST").status_code == 405
    assert house.records == []
