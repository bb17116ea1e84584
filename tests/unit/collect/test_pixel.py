"""The pixel: a call in an address is taken like any other, and the answer is always a picture."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from livepost.clock import SimulatedClock
from livepost.collect.app import RETRY_AFTER_S
from livepost.collect.limits import MAX_EVENT_BYTES, MAX_PIXEL_PARAMETERS
from livepost.collect.pixel import PICTURE, PIXEL
from livepost.errors import OverloadedError, StoreError
from livepost.intake.seal import UNDECLARED, open_value
from livepost.log.memory import MemoryLog
from livepost.model.record import Appended, KeyKind, Record, Verdict

NOBODY = {"writeKey": "WK", "event": "Mail Seen"}
SOMEBODY = {**NOBODY, "anonymousId": "a1", "messageId": "m1"}


def address(route: str = "/v1/pixel.gif", **told: str) -> str:
    return f"{route}?{urlencode(told)}"


def coded(**call: Any) -> str:
    return base64.b64encode(json.dumps(call).encode()).decode()


def properties_of(collector: Any, record: Record) -> Any:
    keys = collector.vault.keys(record.subject)
    sealed = record.sealed_value(UNDECLARED)
    assert sealed is not None
    return open_value(keys, "shop", sealed)


def test_the_picture_is_a_gif_of_one_transparent_pixel_in_43_bytes() -> None:
    assert (len(PICTURE), PICTURE[:6], PICTURE[6:10]) == (43, b"GIF89a", b"\1\0\1\0")
    control = PICTURE.index(b"!\xf9\x04")
    assert PICTURE[control + 3] & 1 == 1


def test_a_track_call_is_in_the_log_before_the_picture_is_answered(collector: Any) -> None:
    reply = collector.send("GET", address(**SOMEBODY, **{"prop.product_id": "tea & co"}))
    assert (reply.status, reply.body, reply.headers["x-livepost-position"]) == (200, PICTURE, "0")
    (record,) = collector.records()
    assert (record.name, record.message_id, record.key, record.verdict) == (
        "Mail Seen",
        "m1",
        KeyKind.WRITE,
        Verdict.ACCEPTED,
    )
    assert properties_of(collector, record) == {"product_id": "tea & co"}


def test_the_answer_is_for_nobody_to_keep_and_sets_no_cookie(collector: Any) -> None:
    headers = collector.send("GET", address(**SOMEBODY)).headers
    assert headers["content-type"] == "image/gif"
    assert headers["content-length"] == "43"
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in headers


def test_without_an_event_it_is_a_page_call(collector: Any) -> None:
    assert collector.send("GET", address(writeKey="WK", userId="u1", name="Home")).status == 200
    (record,) = collector.records()
    assert (record.name, record.properties) == ("$page", {"name": "Home"} if record.properties else {})


def test_what_the_request_tells_besides_is_not_recorded(collector: Any) -> None:
    collector.send("GET", address(**SOMEBODY), referer="https://shop.example/secret", user_agent="Jane's")
    (record,) = collector.records()
    assert (record.context, record.sealed) == ({}, {})


@pytest.mark.parametrize(
    ("route", "name"), [("/v1/pixel.gif", "X"), ("/v1/pixel/track", "X"), ("/v1/pixel/page", "$page")]
)
def test_segments_form_is_taken_too(collector: Any, route: str, name: str) -> None:
    data = coded(writeKey="WK", userId="u1", event="X", properties={"n": 3}, timestamp="2026-11-21T21:31:39.264Z")
    assert collector.send("GET", address(route, data=data)).status == 200
    (record,) = collector.records()
    assert (record.name, properties_of(collector, record)) == (name, {"n": 3})


@pytest.mark.parametrize("alphabet", ["standard", "url", "unpadded", "plus as it is"])
def test_data_may_be_in_any_base64(collector: Any, alphabet: str) -> None:
    data = coded(writeKey="WK", userId="u1", event="X", properties={"n": "??>>~~ü€"}, x="")
    assert "+" in data or "/" in data
    told = {
        "standard": quote(data, safe=""),
        "url": data.replace("+", "-").replace("/", "_"),
        "unpadded": quote(data.rstrip("="), safe=""),
        "plus as it is": data,
    }[alphabet]
    assert collector.send("GET", f"/v1/pixel.gif?data={told}").status == 200
    assert properties_of(collector, collector.records()[0]) == {"n": "??>>~~ü€"}


def test_data_without_an_event_is_a_page_call(collector: Any) -> None:
    assert collector.send("GET", address(writeKey="WK", data=coded(userId="u1", name="Home"))).status == 200
    assert collector.records()[0].name == "$page"


@pytest.mark.parametrize(
    ("told", "status", "code"),
    [
        ({**SOMEBODY, "writeKey": "OTHER"}, 401, "invalid_key"),
        ({**SOMEBODY, "writeKey": ""}, 401, "invalid_key"),
        ({**SOMEBODY, "writeKey": "SK"}, 401, "invalid_key"),
        (NOBODY, 400, "no_id"),
        ({**NOBODY, "data": "no base64"}, 400, "unreadable"),
        ({**NOBODY, "data": coded()[:1]}, 400, "unreadable"),
        ({**NOBODY, "data": base64.b64encode(b"no json").decode()}, 400, "unreadable"),
        ({**NOBODY, "data": base64.b64encode(b"[1]").decode()}, 400, "unreadable"),
        ({**NOBODY, "data": coded(event="X")}, 400, "no_id"),
        ({**SOMEBODY, "event": "x" * MAX_EVENT_BYTES}, 400, "event_too_large"),
        ({f"prop.{n}": "x" for n in range(MAX_PIXEL_PARAMETERS + 1)}, 400, "unreadable"),
    ],
)
def test_what_is_refused_is_answered_with_a_picture_its_status_and_the_reason(
    collector: Any, told: dict[str, str], status: int, code: str
) -> None:
    reply = collector.send("GET", address(**told))
    assert (reply.status, reply.body, reply.headers["cache-control"]) == (status, PICTURE, "no-store")
    assert reply.headers["x-livepost-error"].startswith(f"{code}: expected ")
    assert "OTHER" not in reply.headers["x-livepost-error"]
    assert collector.records() == []


@pytest.mark.parametrize("query", ["writeKey=WK&event=%FF&userId=u", "writeKey=WK&event=\u00fc&userId=u"])
def test_a_query_that_is_no_percent_encoded_utf8_is_refused(collector: Any, query: str) -> None:
    assert collector.send("GET", f"/v1/pixel.gif?{query}").status == 400


def test_a_query_is_taken_up_to_its_bounds(collector: Any) -> None:
    full = {**SOMEBODY, **{f"prop.{n}": "x" for n in range(MAX_PIXEL_PARAMETERS - len(SOMEBODY))}}
    assert collector.send("GET", address(**full)).status == 200
    room = MAX_EVENT_BYTES - len(urlencode({**SOMEBODY, "prop.p": ""}))
    assert collector.send("GET", address(**SOMEBODY, **{"prop.p": "x" * room})).status == 200
    assert collector.send("GET", address(**SOMEBODY, **{"prop.p": "x" * (room + 1)})).status == 400


def test_an_event_that_breaks_a_rule_is_taken_as_a_dead_letter(collector: Any) -> None:
    assert collector.send("GET", address(**{**SOMEBODY, "event": "$identify"})).status == 200
    assert collector.records()[0].verdict is Verdict.DEAD


class FullDisk(MemoryLog):
    """A log on a disk with no space left."""

    def append(self, records: Sequence[Record]) -> Appended:
        raise StoreError("the disk is full")


def test_a_store_that_fails_is_told_with_when_to_come_again(new_collector: Callable[..., Any]) -> None:
    reply = new_collector(log=FullDisk(SimulatedClock(0))).send("GET", address(**SOMEBODY))
    assert (reply.status, reply.body, reply.headers["retry-after"]) == (503, PICTURE, str(RETRY_AFTER_S))
    assert reply.headers["x-livepost-error"].startswith("unavailable: ")


def test_a_full_lane_is_told_with_when_to_come_again(collector: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: Any, **named: Any) -> None:
        raise OverloadedError("40000 records wait to be written")

    monkeypatch.setattr(collector.intake, "submit", full)
    reply = collector.send("GET", address(**SOMEBODY))
    assert (reply.status, reply.body, reply.headers["retry-after"]) == (429, PICTURE, "1")


@pytest.mark.parametrize("route", PIXEL)
@pytest.mark.parametrize("method", ["HEAD", "POST"])
def test_only_a_get_records(collector: Any, route: str, method: str) -> None:
    reply = collector.send(method, address(route, **SOMEBODY))
    assert (reply.status, reply.headers["allow"]) == (405, "GET, OPTIONS")
    assert collector.records() == []
