"""What all actions do alike: who may, with which key, with what body, how they refuse."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator

import httpx
import pytest

from livepost.api.action import MAX_ACTION_BYTES
from livepost.collect.limits import MAX_BODY_BYTES
from livepost.errors import OverloadedError, StoreError
from livepost.intake.call import MAX_DEPTH
from tests.unit.api.house import SECRET, WRITE, Asked

WISH = {"to": "cy@example.com", "template": "note", "subject": "Hi"}


def nothing_written(asked: Asked, position: int) -> bool:
    """Say whether neither the log nor the ledger has anything of a send."""
    events = asked.house.log.events_after(position)
    return (events, asked.house.ledger.deliveries(campaign="$send")) == (0, [])


def test_only_a_secret_key_may(asked: Asked) -> None:
    position = asked.house.log.last().seq
    assert [asked.send(WISH, by=key).status_code for key in (None, "lp_secret_other", WRITE)] == [401, 401, 403]
    assert nothing_written(asked, position)


@pytest.mark.parametrize("key", [None, "", "x" * 256, "\x7f", "a\tb"])
def test_without_a_printable_key_nothing_is_done(asked: Asked, key: str | None) -> None:
    position = asked.house.log.last().seq
    reply = asked.send(WISH, key)
    assert (reply.status_code, reply.json()["code"]) == (400, "idempotency_key")
    assert nothing_written(asked, position)


@pytest.mark.parametrize("key", ["k", "x" * 255, "order 17, receipt"])
def test_any_printable_key_is_one(asked: Asked, key: str) -> None:
    assert asked.send(WISH, key).status_code == 202


def test_two_keys_are_none(asked: Asked) -> None:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app=asked.app)
        async with httpx.AsyncClient(transport=transport, base_url="https://m.example") as client:
            keys = [("Idempotency-Key", "a"), ("Idempotency-Key", "b"), ("Authorization", f"Bearer {SECRET}")]
            return await client.post("/api/send", headers=keys, json=WISH)

    assert asyncio.run(ask()).json()["code"] == "idempotency_key"


@pytest.mark.parametrize(
    ("body", "status", "sentence"),
    [
        (b"", 400, "expected a JSON object"),
        (b"{", 400, "expected a JSON object"),
        (b"[]", 400, "Expected `object`, got `array`"),
        ({**WISH, "colour": "red"}, 400, "unknown field `colour`"),
        ({"to": "cy@example.com"}, 400, "missing required field `template`"),
        ({**WISH, "variables": []}, 400, "Expected `object`, got `array` - at `$.variables`"),
        ({**WISH, "variables": {"x": json.loads("[" * MAX_DEPTH + "]" * MAX_DEPTH)}}, 400, "levels of nesting"),
        ({**WISH, "variables": {"x": "x" * MAX_ACTION_BYTES}}, 413, f"at most {MAX_ACTION_BYTES} bytes"),
        (gzip.compress(json.dumps({"x": "x" * MAX_ACTION_BYTES}).encode()), 413, f"at most {MAX_ACTION_BYTES} bytes"),
    ],
)
def test_a_body_that_does_not_fit_is_refused_with_a_sentence(
    asked: Asked, body: object, status: int, sentence: str
) -> None:
    position = asked.house.log.last().seq
    reply = asked.send(body)
    assert (reply.status_code, reply.headers["content-type"]) == (status, "application/problem+json")
    assert sentence in reply.json()["detail"]
    assert nothing_written(asked, position)


def test_a_body_at_its_bound_is_taken(asked: Asked) -> None:
    empty = len(json.dumps({**WISH, "variables": {"x": ""}}))
    body = json.dumps({**WISH, "variables": {"x": "x" * (MAX_ACTION_BYTES - empty)}}).encode()
    assert len(body) == MAX_ACTION_BYTES
    assert asked.send(body).status_code == 202
    deep = {**WISH, "variables": {"x": json.loads("[" * (MAX_DEPTH - 2) + "]" * (MAX_DEPTH - 2))}}
    assert asked.send(deep, "k-2").status_code == 202


def test_a_body_of_unknown_length_is_refused_before_it_is_read_whole(asked: Asked) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b" " * (MAX_BODY_BYTES // 10)

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app=asked.app)
        async with httpx.AsyncClient(transport=transport, base_url="https://m.example") as client:
            headers = {"Authorization": f"Bearer {SECRET}", "Idempotency-Key": "k"}
            return await client.post("/api/send", headers=headers, content=pieces())

    assert asyncio.run(ask()).status_code == 413


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [(OverloadedError("full", retry_after_s=3), 429, "overloaded"), (StoreError("no disk"), 503, "unavailable")],
)
def test_what_is_not_taken_says_when_to_send_it_again(
    asked: Asked, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int, code: str
) -> None:
    async def refuse(*_: object) -> None:
        raise error

    monkeypatch.setattr(asked.sending, "send", refuse)
    reply = asked.send(WISH)
    assert (reply.status_code, reply.json()["code"]) == (status, code)
    assert int(reply.headers["retry-after"]) >= 1


def test_an_action_is_no_get(asked: Asked) -> None:
    reply = asked.ask("/api/send")
    assert (reply.status_code, reply.headers["allow"]) == (405, "POST")
