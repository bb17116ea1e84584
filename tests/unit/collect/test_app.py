"""Routes and statuses: what each request is answered, and what of it is in the log by then."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from livepost.clock import SimulatedClock
from livepost.collect.app import BATCH, RETRY_AFTER_S, SINGLE
from livepost.collect.body import BodyReader
from livepost.errors import OutcomeUnknownError, StoreError
from livepost.intake.plan import TrackingPlan
from livepost.log.memory import MemoryLog
from livepost.model.compiled import Compiled, EventSpec, FieldSpec
from livepost.model.consent import SignalRules
from livepost.model.record import Appended, KeyKind, Origin, Record, Verdict


def basic(key: str) -> str:
    return "Basic " + base64.b64encode(f"{key}:".encode()).decode()


def track(**parts: Any) -> dict[str, Any]:
    return {"userId": "u1", "event": "X", "messageId": "m1", **parts}


NAMES = {
    "track": "X",
    "identify": "$identify",
    "page": "$page",
    "screen": "$screen",
    "group": "$group",
    "alias": "$alias",
}


@pytest.mark.parametrize(("path", "type_"), SINGLE.items())
def test_a_call_is_taken_on_each_route_and_its_type_is_the_routes(collector: Any, path: str, type_: str) -> None:
    reply = collector.post(path, track(type="nonsense", groupId="g", previousId="p"), authorization=basic("WK"))
    assert (reply.status, reply.json(), reply.headers["x-livepost-position"]) == (200, {"success": True}, "0")
    record = collector.records()[0]
    assert (record.name, record.verdict, record.origin) == (NAMES[type_], Verdict.ACCEPTED, Origin.LIVE)


@pytest.mark.parametrize(("path", "origin"), BATCH.items())
def test_a_batch_is_taken_on_each_route_and_the_reply_names_its_last_position(
    collector: Any, path: str, origin: Origin
) -> None:
    batch = [track(type="track", messageId=f"m{n}") for n in range(3)]
    reply = collector.post(path, {"batch": batch}, authorization=basic("SK"))
    assert (reply.status, reply.headers["x-livepost-position"]) == (200, "2")
    assert [(record.message_id, record.origin) for record in collector.records()] == [
        (f"m{n}", origin) for n in range(3)
    ]


@pytest.mark.parametrize(("key", "source", "kind"), [("WK", "web", KeyKind.WRITE), ("SK", "server", KeyKind.SECRET)])
@pytest.mark.parametrize("path", ["/v1/track", "/v1/import"])
def test_either_key_is_taken_in_header_or_body_and_the_record_keeps_which(
    new_collector: Callable[..., Any], key: str, source: str, kind: KeyKind, path: str
) -> None:
    body = track() if path == "/v1/track" else {"batch": [track(type="track")]}
    for extra, headers in (({}, {"authorization": basic(key)}), ({"writeKey": key}, {})):
        collector = new_collector()
        assert collector.post(path, {**body, **extra}, **headers).status == 200
        assert (collector.records()[0].source, collector.records()[0].key) == (source, kind)


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (track(), {}),
        (track(writeKey="OTHER-PROJECT"), {}),
        (track(writeKey=5), {}),
        (track(writeKey=""), {}),
        (track(writeKey="W" * 5000), {}),
        (track(), {"authorization": basic("OTHER-PROJECT")}),
        (track(), {"authorization": "Basic %%%"}),
        (track(), {"authorization": "Bearer WK"}),
        (track(writeKey="WK"), {"authorization": basic("OTHER-PROJECT")}),
    ],
)
def test_an_unknown_key_is_refused_with_401(collector: Any, body: Any, headers: dict[str, str]) -> None:
    reply = collector.post("/v1/track", body, **headers)
    assert (reply.status, reply.json()["code"]) == (401, "invalid_key")
    assert reply.headers["www-authenticate"].startswith("WriteKey ")
    assert "OTHER" not in reply.json()["message"]
    assert collector.records() == []


def test_a_single_call_by_a_declared_key_needs_no_other_id_if_a_secret_key_brings_it(
    new_collector: Callable[..., Any],
) -> None:
    card = FieldSpec(name="card", keys=("card",), type="str", personal=True, key=True)
    bought = EventSpec(name="Bought", cls="Bought", fields=(card,))
    collector = new_collector(compiled=Compiled(events=(bought,)))
    told = {"event": "Bought", "messageId": "m1", "properties": {"card": "4711"}}
    for key, properties, status in [("WK", {"card": "4711"}, 400), ("SK", {}, 400), ("SK", {"card": "4711"}, 200)]:
        reply = collector.post("/v1/track", {**told, "properties": properties}, authorization=basic(key))
        assert reply.status == status
    (record,) = collector.records()
    assert (record.verdict, record.known, record.properties) == (Verdict.ACCEPTED, True, {})


def test_a_key_in_the_body_counts_beside_a_scheme_that_is_not_basic(collector: Any) -> None:
    assert collector.post("/v1/track", track(writeKey="WK"), authorization="Bearer x").status == 200


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("/v1/track", b"", "unreadable"),
        ("/v1/track", b"not json", "unreadable"),
        ("/v1/track", b"[]", "unreadable"),
        ("/v1/track", b"5", "unreadable"),
        ("/v1/track", b'{"event":"X"}', "no_id"),
        ("/v1/batch", b"{}", "unreadable"),
        ("/v1/batch", b'{"batch":{}}', "unreadable"),
        ("/v1/batch", b'{"batch":[]}', "batch_length"),
        ("/v1/batch", b'[{"type":"track"}]', "unreadable"),
        ("/v1/batch", b"[" * 100_000, "unreadable"),
        ("/v1/track", b"[" * 30_000, "unreadable"),
        ("/v1/batch", b'{"batch":' + b"[" * 30_000, "unreadable"),
    ],
)
def test_what_cannot_be_read_is_refused_with_400_and_nothing_is_taken(
    collector: Any, path: str, body: bytes, code: str
) -> None:
    reply = collector.post(path, body, authorization=basic("WK"))
    assert (reply.status, reply.json()["code"]) == (400, code)
    assert set(reply.json()) == {"code", "message"}
    assert collector.records() == []


@pytest.mark.parametrize(
    "parts",
    [
        {"event": 5},
        {"event": "$identify"},
        {"userId": ["x"]},
        {"timestamp": "yesterday"},
        {"properties": "x"},
        {"messageId": "m" * 256},
        {"userId": "u" * 256},
    ],
)
def test_a_well_formed_event_that_breaks_the_plan_is_taken_as_a_dead_letter(collector: Any, parts: Any) -> None:
    assert collector.post("/v1/track", track(**parts), authorization=basic("WK")).status == 200
    record = collector.records()[0]
    assert record.verdict is Verdict.DEAD
    assert record.reason


def test_bad_events_in_a_batch_do_not_stop_the_good_ones(collector: Any) -> None:
    batch = [track(type="track"), 5, {"type": "track", "event": "X"}, {"type": "x", "userId": "u"}, track(type="page")]
    assert collector.post("/v1/batch", {"batch": batch}, authorization=basic("WK")).status == 200
    verdicts = [record.verdict.name for record in collector.records()]
    assert verdicts == ["ACCEPTED", "DEAD", "DEAD", "DEAD", "ACCEPTED"]


def test_the_batchs_context_stands_behind_that_of_each_call(collector: Any) -> None:
    context = {"locale": "de-DE", "timezone": "UTC"}
    batch = [track(type="track"), track(type="track", context={"locale": "fr-FR"})]
    collector.post("/v1/batch", {"batch": batch, "context": context}, authorization=basic("WK"))
    assert [record.context["locale"] for record in collector.records()] == ["de-DE", "fr-FR"]
    assert all(record.context["timezone"] == "UTC" for record in collector.records())


def test_the_batchs_sent_at_corrects_each_calls_clock(collector: Any) -> None:
    batch = {"batch": [track(type="track", timestamp="2036-01-01T00:00:00Z")], "sentAt": "2036-01-01T00:00:10Z"}
    collector.post("/v1/batch", batch, authorization=basic("WK"))
    record = collector.records()[0]
    assert record.received_at - record.effective_ts == 10_000


def test_a_retry_of_one_message_is_two_records_of_equal_content(collector: Any) -> None:
    for sent_at in ("2026-01-01T00:00:00Z", "2026-01-01T00:00:09Z"):
        collector.post("/v1/track", track(sentAt=sent_at), authorization=basic("WK"))
    first, second = collector.records()
    assert (first.message_id, first.content_hash) == (second.message_id, second.content_hash)


def test_json_is_read_whatever_the_content_type_says(collector: Any) -> None:
    for content_type in ("text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-8"):
        reply = collector.post("/v1/track", track(), authorization=basic("WK"), content_type=content_type)
        assert reply.status == 200


@pytest.mark.parametrize("path", ["/v1/track", "/v1/batch", "/v1/projects/WK/settings"])
def test_a_browser_of_any_shop_may_ask_and_post(collector: Any, path: str) -> None:
    reply = collector.send("OPTIONS", path, origin="https://shop.example")
    assert (reply.status, reply.headers["access-control-allow-origin"]) == (204, "*")
    assert "Authorization" in reply.headers["access-control-allow-headers"]
    reply = collector.post("/v1/track", track(), authorization=basic("WK"))
    assert reply.headers["access-control-allow-origin"] == "*"
    assert "X-Livepost-Position" in reply.headers["access-control-expose-headers"]


@pytest.mark.parametrize(
    ("path", "method", "allowed"), [("/v1/track", "GET", "POST"), ("/v1/projects/WK/settings", "POST", "GET")]
)
def test_another_method_is_refused_with_405(collector: Any, path: str, method: str, allowed: str) -> None:
    reply = collector.send(method, path)
    assert (reply.status, reply.headers["allow"]) == (405, f"{allowed}, OPTIONS")


@pytest.mark.parametrize(
    "path", ["/", "/v1", "/v1/track/", "/v1/other", "/v1/projects//settings", "/v1/projects/a/b/settings"]
)
def test_what_is_not_its_route_goes_to_the_rest_of_the_front(collector: Any, path: str) -> None:
    assert collector.post(path, {}).status == 418


class FailingLog(MemoryLog):
    """A log in memory that fails with what it is told to, once."""

    failure: Exception | None = None

    def append(self, records: Sequence[Record]) -> Appended:
        failure, self.failure = self.failure, None
        if failure is not None:
            raise failure
        return super().append(records)


def test_a_store_error_is_503_and_the_same_message_may_be_sent_again(new_collector: Callable[..., Any]) -> None:
    log = FailingLog(SimulatedClock(1_000))
    collector = new_collector(log=log)
    log.failure = StoreError("disk full at /secret/path")
    reply = collector.post("/v1/track", track(), authorization=basic("WK"))
    assert (reply.status, reply.json()["code"], reply.headers["retry-after"]) == (
        503,
        "unavailable",
        str(RETRY_AFTER_S),
    )
    assert "/secret" not in reply.json()["message"]
    assert collector.post("/v1/track", track(), authorization=basic("WK")).status == 200


def test_after_an_unknown_outcome_every_request_is_503(new_collector: Callable[..., Any]) -> None:
    log = FailingLog(SimulatedClock(1_000))
    collector = new_collector(log=log)
    log.failure = OutcomeUnknownError("EIO")
    for _ in range(2):
        assert collector.post("/v1/track", track(), authorization=basic("WK")).status == 503
    assert collector.records() == []


def test_overload_is_429_with_retry_after(new_collector: Callable[..., Any]) -> None:
    collector = new_collector(body=BodyReader(max_requests=0))
    reply = collector.post("/v1/track", track(), authorization=basic("WK"))
    assert (reply.status, reply.json()["code"], reply.headers["retry-after"]) == (429, "overloaded", "1")


def test_many_requests_at_once_are_one_commit(collector: Any) -> None:
    replies = collector.burst("/v1/t", track(writeKey="WK"), 20)
    assert sorted(int(reply.headers["x-livepost-position"]) for reply in replies) == list(range(20))
    assert len(collector.log.read(-1, 100)) == 1


def test_the_browser_sdk_gets_its_settings_and_posts_back_here(collector: Any) -> None:
    reply = collector.send("GET", "/v1/projects/WK/settings", host="shop.example:8300")
    ours = reply.json()["integrations"]["Segment.io"]
    assert reply.status == 200
    assert (ours["apiKey"], ours["apiHost"], ours["protocol"]) == ("WK", "shop.example:8300/v1", "https")
    assert reply.json()["metrics"] == {"sampleRate": 0}
    assert reply.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize(
    ("key", "host"), [("OTHER", "a.example"), ("SK", "a.example"), ("WK", "a.example/evil?"), ("WK", "")]
)
def test_settings_are_for_a_write_key_and_a_plain_host_only(collector: Any, key: str, host: str) -> None:
    assert collector.send("GET", f"/v1/projects/{key}/settings", host=host).status == 404


@pytest.mark.parametrize(("value", "gpc"), [("1", True), ("0", False), ("true", False)])
@pytest.mark.parametrize("path", ["/v1/track", "/v1/batch"])
def test_the_header_of_global_privacy_control_is_read(collector: Any, path: str, value: str, gpc: bool) -> None:
    collector.intake.use_plan(TrackingPlan(Compiled(), signals=SignalRules(sale=("ads",))))
    told = {"batch": [track(type="track")]} if path == "/v1/batch" else track()
    assert collector.post(path, told, authorization=basic("WK"), **{"sec-gpc": value}).status == 200
    assert collector.records()[0].context.get("consent") == ({"gpc:ads": False} if gpc else None)
