from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.requests import Request

from livepost.api import body
from livepost.api.body import body_of


def asked(*messages: dict[str, Any]) -> Request:
    """Return a request whose body comes as these messages, and then not at all."""
    waiting: Iterator[dict[str, Any]] = iter(messages)

    async def receive() -> dict[str, Any]:
        for message in waiting:
            return {"type": "http.request", **message}
        await asyncio.Event().wait()
        raise AssertionError

    return Request({"type": "http", "method": "POST", "headers": []}, receive)


def test_a_body_up_to_the_limit_is_read_whole() -> None:
    request = asked({"body": b"ab", "more_body": True}, {"body": b"cd"})
    assert asyncio.run(body_of(request, 4)) == b"abcd"


def test_a_longer_one_is_none() -> None:
    assert asyncio.run(body_of(asked({"body": b"abcde", "more_body": True}), 4)) is None


def test_one_whose_sender_went_away_is_none() -> None:
    assert asyncio.run(body_of(asked({"type": "http.disconnect"}), 4)) is None


def test_one_that_does_not_arrive_in_time_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "BODY_S", 0.01)
    assert asyncio.run(body_of(asked({"body": b"a", "more_body": True}), 4)) is None
