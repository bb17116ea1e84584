"""Snowplow's tracker protocol: which call each event amounts to, and which payloads are refused."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import urlencode

import pytest

from livepost.collect.limits import MAX_BATCH_EVENTS, MAX_EVENT_BYTES
from livepost.collect.snowplow import call_of, read_payload, read_query
from livepost.errors import RejectedError
from livepost.intake.call import MAX_DEPTH, BrokenCall
from livepost.model.record import KeyKind, Verdict

SCHEMA = "iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4"
PATH = "/com.snowplowanalytics.snowplow/tp2"
UNSTRUCTURED = "iglu:com.snowplowanalytics.snowplow/unstruct_event/jsonschema/1-0-0"
VIEWED = "iglu:com.example/product_viewed/jsonschema/1-0-0"


def payload(*events: Any, schema: str = SCHEMA) -> bytes:
    return json.dumps({"schema": schema, "data": events}).encode()


def packed(told: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(told).encode()).decode()


def viewed(data: Any, schema: Any = VIEWED) -> dict[str, Any]:
    return {"schema": UNSTRUCTURED, "data": {"schema": schema, "data": data}}


def event(e: str = "se", **parts: Any) -> dict[str, Any]:
    return {"e": e, "se_ca": "shop", "se_ac": "add", "eid": "m1", "uid": "u1", "aid": "WK", **parts}


def test_a_page_view_is_a_page_call_with_its_page_in_properties_and_context() -> None:
    page = {"url": "https://shop.example/p?q=1", "title": "Teas", "referrer": "https://mail.example/"}
    call = call_of({"e": "pv", "url": page["url"], "page": page["title"], "refr": page["referrer"], "uid": "u1"})
    assert (call.type, call.properties) == ("page", page)
    assert call.context is not None and call.context["page"] == page


def test_a_structured_event_is_a_track_call_under_its_action_with_its_value_a_number() -> None:
    call = call_of(event(se_la="green", se_pr="pcs", se_va="2.50"))
    assert (call.type, call.event) == ("track", "add")
    assert call.properties == {"category": "shop", "label": "green", "property": "pcs", "value": 2.5}


@pytest.mark.parametrize("parts", [{"ue_px": packed(viewed({"id": "é"}))}, {"ue_pr": json.dumps(viewed({"id": "é"}))}])
@pytest.mark.parametrize("pad", [True, False])
def test_a_self_describing_event_is_a_track_call_under_its_schemas_name(parts: dict[str, str], pad: bool) -> None:
    call = call_of(event("ue", **{name: text if pad else text.rstrip("=") for name, text in parts.items()}))
    assert (call.type, call.event, call.properties) == ("track", "product_viewed", {"id": "é"})
    assert call.context is not None and call.context["snowplow"]["schema"] == VIEWED


def test_standard_base64_is_read_as_well() -> None:
    told = viewed({"id": "~~~???"})
    text = base64.b64encode(json.dumps(told).encode()).decode()
    assert "+" in text or "/" in text
    assert call_of(event("ue", ue_px=text)).properties == {"id": "~~~???"}


@pytest.mark.parametrize(
    ("told", "name", "properties"),
    [
        ({"e": "pp", "pp_mix": "0", "pp_may": "90"}, "page_ping", {"min_x": 0, "max_y": 90}),
        (
            {"e": "tr", "tr_id": "o1", "tr_tt": "18.99", "tr_cu": "EUR"},
            "transaction",
            {"order_id": "o1", "total": 18.99, "currency": "EUR"},
        ),
        (
            {"e": "ti", "ti_id": "o1", "ti_sk": "5", "ti_pr": "9", "ti_qu": "many"},
            "transaction_item",
            {"order_id": "o1", "sku": "5", "price": 9, "quantity": "many"},
        ),
    ],
)
def test_other_events_are_track_calls_under_snowplows_own_names(
    told: dict[str, str], name: str, properties: dict[str, Any]
) -> None:
    call = call_of({**told, "uid": "u1"})
    assert (call.type, call.event, call.properties) == ("track", name, properties)


@pytest.mark.parametrize(
    ("parts", "anonymous"),
    [
        ({"duid": "d", "tnuid": "t", "nuid": "n"}, "d"),
        ({"tnuid": "t", "nuid": "n"}, "t"),
        ({"duid": "", "nuid": "n"}, "n"),
        ({}, None),
    ],
)
def test_ids_are_the_calls_ids_and_the_strongest_device_counts(parts: dict[str, str], anonymous: str | None) -> None:
    call = call_of(event(**parts))
    assert (call.message_id, call.user_id, call.anonymous_id) == ("m1", "u1", anonymous)


def test_the_devices_clock_is_corrected_by_when_it_sent_and_a_true_timestamp_is_not() -> None:
    call = call_of(event(dtm="1795296697693", stm="1795296697000"))
    assert (call.timestamp, call.sent_at) == ("2026-11-21T21:31:37.693+00:00", "2026-11-21T21:31:37.000+00:00")
    call = call_of(event(ttm="1795296697693", dtm="1", stm="1795296697000"))
    assert (call.timestamp, call.sent_at) == ("2026-11-21T21:31:37.693+00:00", None)


def test_the_rest_of_an_event_is_kept_in_the_context_as_it_was_told() -> None:
    devices = {"schema": "iglu:com.example/contexts/jsonschema/1-0-0", "data": [{"schema": "x", "data": {"a": 1}}]}
    call = call_of(
        event(lang="en-GB", tz="Europe/London", ua="M", ip="203.0.113.9", tv="py-1", vp="9x9", cx=packed(devices))
    )
    assert call.context == {
        "locale": "en-GB",
        "timezone": "Europe/London",
        "userAgent": "M",
        "ip": "203.0.113.9",
        "library": {"name": "snowplow", "version": "py-1"},
        "snowplow": {"aid": "WK", "vp": "9x9", "contexts": devices},
    }


@pytest.mark.parametrize(
    ("told", "fault"),
    [
        (event("xx"), "expected `e` to be one of"),
        (event(e=["ue"]), "expected `e` to be one of"),  # type: ignore[arg-type]
        (event("ue"), "expected `ue_px` to be a self-describing event"),
        (event("ue", ue_px="%%%"), "expected `ue_px` to be JSON in base64, got other text"),
        (event("ue", ue_px=packed([])), "expected `ue_px` to be a self-describing event"),
        (
            event("ue", ue_px=packed(viewed({}, schema="product_viewed"))),
            "expected `ue_px` to be a self-describing event",
        ),
        (event("ue", ue_px=packed(viewed({}, schema=5))), "expected `ue_px` to be a self-describing event"),
        (event("ue", ue_pr="{"), "expected `ue_pr` to be JSON, got other text"),
        (event("ue", ue_px=packed(viewed([1]))), "expected `properties` to be an object"),
        (event(co="{"), "expected `co` to be JSON, got other text"),
    ],
)
def test_an_event_that_cannot_be_read_is_a_dead_letter_under_its_ids(told: dict[str, Any], fault: str) -> None:
    call = call_of(told)
    assert isinstance(call, BrokenCall)
    assert call.fault.startswith(fault)
    assert (call.message_id, call.user_id, call.told) == ("m1", "u1", told)


def test_what_nests_too_deep_inside_base64_is_found() -> None:
    data: Any = 1
    for _ in range(MAX_DEPTH):
        data = [data]
    call = call_of(event("ue", ue_px=packed(viewed({"deep": data}))))
    assert isinstance(call, BrokenCall)
    assert "levels of nesting" in call.fault


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "unreadable"),
        (b"[]", "unreadable"),
        (b'{"schema": "x"}', "unreadable"),
        (payload(event(), schema="iglu:com.example/other/jsonschema/1-0-0"), "unreadable"),
        (payload(event(), schema=SCHEMA.replace("1-0-4", "2-0-0")), "unreadable"),
        (payload(), "batch_length"),
        (payload(event(se_la="x" * MAX_EVENT_BYTES)), "event_too_large"),
    ],
)
def test_what_is_no_payload_is_refused_whole(body: bytes, code: str) -> None:
    with pytest.raises(RejectedError) as refused:
        read_payload(body)
    assert (refused.value.code, refused.value.status) == (code, 400)


def test_a_payload_may_hold_as_many_events_as_a_batch() -> None:
    assert len(read_payload(payload(*[{}] * MAX_BATCH_EVENTS)).calls) == MAX_BATCH_EVENTS
    with pytest.raises(RejectedError, match="split it"):
        read_payload(payload(*[{}] * (MAX_BATCH_EVENTS + 1)))


def test_a_query_may_be_as_large_as_an_event() -> None:
    fits = urlencode(event(se_la="")).encode()
    fits += b"&se_la=" + b"x" * (MAX_EVENT_BYTES - len(fits) - 7)
    assert read_query(fits).calls[0].event == "add"
    with pytest.raises(RejectedError, match="bytes"):
        read_query(fits + b"x")


@pytest.mark.parametrize(("aid", "source", "kind"), [("WK", "web", KeyKind.WRITE), ("SK", "server", KeyKind.SECRET)])
def test_the_app_id_is_the_key(collector: Any, aid: str, source: str, kind: KeyKind) -> None:
    reply = collector.post(PATH, payload(event(aid=aid), event(eid="m2", aid=aid)))
    assert (reply.status, reply.headers["x-livepost-position"]) == (200, "1")
    assert [(record.source, record.key, record.message_id) for record in collector.records()] == [
        (source, kind, "m1"),
        (source, kind, "m2"),
    ]


@pytest.mark.parametrize("parts", [{"aid": "shop"}, {"aid": None}, {"aid": ["WK"]}])
def test_another_app_id_is_refused_with_401_unless_a_header_has_the_key(collector: Any, parts: dict[str, Any]) -> None:
    assert collector.post(PATH, payload(event(**parts))).status == 401
    assert collector.records() == []
    assert collector.post(PATH, payload(event(**parts)), authorization="Basic V0s6").status == 200


def test_a_bad_event_does_not_stop_the_good_ones(collector: Any) -> None:
    nobody = {name: value for name, value in event().items() if name != "uid"}
    assert collector.post(PATH, payload(event(), 5, event("xx"), nobody, event(dtm="now"))).status == 200
    records = collector.records()
    assert [record.verdict for record in records] == [Verdict.ACCEPTED] + [Verdict.DEAD] * 4
    assert "`timestamp`" in records[4].reason


def test_a_retry_of_an_event_is_two_records_of_equal_content(collector: Any) -> None:
    for sent in ("1795296697000", "1795296699000"):
        collector.post(PATH, payload(event(dtm="1795296696000", stm=sent)))
    one, other = collector.records()
    assert (one.message_id, one.content_hash) == (other.message_id, other.content_hash)


def test_a_picture_is_the_answer_to_a_query(collector: Any) -> None:
    reply = collector.send("GET", "/i?" + urlencode(event(se_la="grün & gut")))
    assert (reply.status, reply.headers["content-type"]) == (200, "image/gif")
    assert (reply.headers["cache-control"], reply.headers["x-livepost-position"]) == ("no-store", "0")
    assert reply.body.startswith(b"GIF89a") and len(reply.body) == int(reply.headers["content-length"])
    assert collector.records()[0].name == "add"


@pytest.mark.parametrize(("query", "status"), [("", 401), (urlencode(event(aid="x")), 401), ("x" * 40_000, 400)])
def test_a_query_without_a_key_or_too_long_is_refused(collector: Any, query: str, status: int) -> None:
    assert collector.send("GET", f"/i?{query}").status == status
    assert collector.records() == []


@pytest.mark.parametrize(("path", "method", "allowed"), [(PATH, "GET", "POST"), ("/i", "POST", "GET")])
def test_another_method_is_refused_and_browsers_may_ask(collector: Any, path: str, method: str, allowed: str) -> None:
    assert collector.send(method, path).headers["allow"] == f"{allowed}, OPTIONS"
    assert collector.send("OPTIONS", path).status == 204
