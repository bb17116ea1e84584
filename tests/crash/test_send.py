"""The front killed at each point of a send: the same key again ends in exactly one mail, in the ledger and on disk."""

from __future__ import annotations

import email
from collections import Counter
from collections.abc import Iterator
from contextlib import closing

import httpx
import pytest

from livepost.deliver.keep import read
from tests.crash.house import House, wait_until
from tests.crash.sending_front import DIE, FORGET, POINTS


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    house = House(tmp_path_factory.mktemp("send"), front="tests.crash.sending_front")
    house.start()
    try:
        yield house
    finally:
        house.stop()


def ask(house: House, key: str) -> httpx.Response:
    """Ask for a mail to an address of the key's own."""
    return httpx.post(
        f"http://localhost:{house.folder.port}/api/send",
        json={"to": f"{key}@example.com", "template": "note", "subject": "Your order"},
        headers={"Authorization": f"Bearer {house.secret_key}", "Idempotency-Key": key},
        timeout=30,
    )


def ask_through_death(house: House, key: str, point: str) -> list[int]:
    """Ask, have the front die at the point, and ask until there is an answer, and once more; return the statuses."""
    (house.folder.path / DIE).write_text(point)
    with pytest.raises(httpx.TransportError):
        ask(house, key)
    statuses: list[int] = []

    def answered() -> bool:
        try:
            statuses.append(ask(house, key).status_code)
        except httpx.TransportError:
            return False
        return statuses[-1] in (200, 202)

    wait_until("an answer", answered)
    return [*statuses[-1:], ask(house, key).status_code]


def mails_to(house: House, keys: list[str]) -> dict[str, int]:
    """Return how many mails lie in the mailbox for each key's address."""
    with closing(house.folder.vault(readonly=True)) as vault:
        raws = [mail.raw for mail in read(house.folder.mailbox, vault, house.folder.settings.workspace)]
    kept = Counter(email.message_from_bytes(raw)["To"] for raw in raws)
    return {key: kept[f"{key}@example.com"] for key in keys}


def test_killed_at_each_point_the_same_key_again_brings_one_mail(house: House) -> None:
    keys = [f"cut-{place}" for place in range(len(POINTS))]
    told = [ask_through_death(house, key, point) for key, point in zip(keys, POINTS, strict=True)]
    house.drain()
    assert told == [[202, 200], [202, 200], [200, 200]]
    assert mails_to(house, keys) == dict.fromkeys(keys, 1)
    with closing(house.folder.ledger()) as ledger:
        sends = ledger.deliveries(campaign="$send")
        assert [one.state for one in sends] == ["sent"] * len(keys)
        assert [ledger.draft(one.decision.id) for one in sends] == [None] * len(keys)


def test_a_front_that_does_not_know_its_keys_again_would_be_found(house: House) -> None:
    (house.folder.path / FORGET).touch()
    ask_through_death(house, "control", POINTS[2])
    house.drain()
    assert mails_to(house, ["control"])["control"] > 1
