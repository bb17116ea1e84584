"""Declared keys in a running house, over HTTP: purchases by card, whose card it is, and finding a person by it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.crash.house import House

SHOP = Path(__file__).parents[1] / "journeys/keys"
CARD = "card-4711-canary"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A running house of the shop with tills."""
    made = House(tmp_path_factory.mktemp("keys") / "data", SHOP)
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def client(house: House) -> Iterator[httpx.Client]:
    """Somebody with the secret key."""
    headers = {"Authorization": f"Bearer {house.secret_key}"}
    with httpx.Client(base_url=f"http://localhost:{house.folder.port}", headers=headers) as made:
        yield made


def tell(client: httpx.Client, key: str, route: str, **call: Any) -> int:
    """Send a call; return its position."""
    reply = client.post(f"/v1/{route}", json=call, auth=(key, ""), headers={})
    assert reply.status_code == 200, reply.text
    return int(reply.headers["x-livepost-position"])


def buy(client: httpx.Client, house: House, **ids: Any) -> int:
    """Let the till's server tell of a purchase of 10.00 by card."""
    told = {"loyaltyCard": CARD, "total": 10}
    return tell(client, house.secret_key, "track", event="Bought At The Till", properties=told, **ids)


def test_a_person_with_several_keys_is_one_and_is_found_by_each(house: House, client: httpx.Client) -> None:
    position = buy(client, house)
    alone = client.get(f"/api/people/{CARD}", params={"wait": position})
    assert alone.json()["features"]["spent"] == [1000, "USD"]
    assert CARD not in alone.text

    viewed = {"event": "Product Viewed", "properties": {"product_id": "tea"}}
    tell(client, house.write_key, "track", userId="ada", anonymousId="browser", **viewed)
    traits = {"loyaltyCard": CARD, "tillNumber": 7}
    position = tell(client, house.secret_key, "identify", userId="ada", traits=traits)
    whole = client.get("/api/people/ada", params={"wait": position}).json()
    assert (whole["features"]["spent"], whole["features"]["views"], len(whole["subjects"])) == ([1000, "USD"], 1, 4)
    assert whole["personal"] == ["card"]
    for id in (CARD, "7", "browser"):
        assert client.get(f"/api/people/{id}").json()["subjects"] == whole["subjects"]
    assert client.get(f"/api/people/{CARD}/why").status_code == 200


def test_a_public_key_that_names_the_card_gets_nothing_of_it(house: House, client: httpx.Client) -> None:
    position = buy(client, house)
    before = client.get(f"/api/people/{CARD}", params={"wait": position}).json()
    position = tell(client, house.write_key, "identify", anonymousId="eve", traits={"loyaltyCard": CARD})
    eve = client.get("/api/people/eve", params={"wait": position}).json()
    assert (eve["features"]["spent"], len(eve["subjects"])) == ([0, "USD"], 1)
    assert client.get(f"/api/people/{CARD}").json()["subjects"] == before["subjects"]


def test_no_card_stands_open_on_the_disk(house: House, client: httpx.Client) -> None:
    buy(client, house)
    files = [path for path in house.folder.path.rglob("*") if path.is_file()]
    assert len(files) > 3
    assert [path.name for path in files if CARD.encode() in path.read_bytes()] == []
