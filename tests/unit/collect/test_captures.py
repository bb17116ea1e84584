"""What real SDKs sent over the wire, and what Segment's documentation prints, is taken as it stands."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from livepost.model.record import Verdict

SEGMENT = Path(__file__).parents[4] / "shared" / "data" / "segment"
NAMES = ["segment-browser-next", "segment-node", "segment-python", "segment-python-gzip", "rudder-python"]


def require(path: Path) -> Path:
    """Skip with the reason where the captures are not at hand; in CI that is a failure."""
    if not path.exists():
        if os.environ.get("CI"):
            pytest.fail(f"{path.name} is missing: CI needs the captures of the SDKs")
        pytest.skip(f"{path.name} is not at hand (../shared/data beside the repository)")
    return path


def captures(name: str) -> Iterator[dict[str, Any]]:
    for line in require(SEGMENT / "sdk_wire_captures" / f"{name}.jsonl").read_text().splitlines():
        yield json.loads(line)


@pytest.mark.parametrize("name", NAMES)
def test_every_captured_request_is_taken_with_all_its_events(collector: Any, name: str) -> None:
    expected: list[str] = []
    for capture in captures(name):
        told = capture["body_json"]
        raw = base64.b64decode(capture.get("raw_body_base64", "")) or json.dumps(told).encode()
        headers = {key: value for key, value in capture["headers"].items() if key.lower() != "content-length"}
        headers["Authorization"] = "Basic " + base64.b64encode(b"WK:").decode()
        assert collector.post(capture["path"], raw, **headers).status == 200
        expected += [call["messageId"] for call in told.get("batch", [told])]
    records = collector.records()
    assert [record.message_id for record in records] == expected
    assert {record.verdict for record in records} == {Verdict.ACCEPTED}
    assert not any(b"jane" in part for record in records for part in record.sealed.values())


@pytest.mark.parametrize("name", ["segment-python-gzip", "rudder-python"])
def test_a_captured_gzip_body_is_read_without_its_label(collector: Any, name: str) -> None:
    for capture in captures(name):
        raw = base64.b64decode(capture["raw_body_base64"])
        assert collector.post(capture["path"], raw, authorization="Basic V0s6").status == 200


def test_a_body_labelled_gzip_that_is_none_is_read(collector: Any) -> None:
    for capture in captures("segment-python"):
        reply = collector.post(
            capture["path"], capture["body_json"], authorization="Basic V0s6", content_encoding="gzip"
        )
        assert reply.status == 200


def test_consents_and_aliases_of_the_captures_reach_the_records(collector: Any) -> None:
    for capture in captures("segment-python"):
        collector.post(capture["path"], capture["body_json"], authorization="Basic V0s6")
    records = {record.name: record for record in collector.records()}
    assert records["$identify"].context["consent"] == {"advertising": False, "analytics": True}
    assert records["$identify"].facets == {"email.domain": "example.com"}
    assert records["Order Completed"].mentions[0] == records["$alias"].mentions[0]
    assert records["Product Viewed"].effective_ts < records["Order Completed"].effective_ts


def test_every_event_that_snowplows_tracker_sent_is_taken(collector: Any) -> None:
    for capture in captures("snowplow-python"):
        body = json.dumps(capture["body_json"]).encode()
        reply = collector.send(capture["method"], capture["path"], body, authorization="Basic V0s6")
        assert reply.status == 200, capture
    records = collector.records()
    assert [record.name for record in records] == ["$page", "add-to-basket", "link_click"] * 2
    assert {record.verdict for record in records} == {Verdict.ACCEPTED}
    assert records[0].message_id == "f036e1a2-18a9-44fc-89e6-bd834732cf43"
    assert {(record.timestamp, record.sent_at) for record in records[:3]} == {(1_795_296_697_693, 1_795_296_697_000)}
    assert not any(b"jane" in part or b"203.0" in part for record in records for part in record.sealed.values())


def test_every_example_of_segments_documentation_is_taken(collector: Any) -> None:
    path = require(SEGMENT / "spec_payloads" / "segment_http_api_examples.json")
    for example in json.loads(path.read_text())["examples"]:
        reply = collector.post(example["path"], {**example["body"], "writeKey": "WK"})
        assert reply.status == 200, example
    records = collector.records()
    assert {record.verdict for record in records} == {Verdict.ACCEPTED}
    assert 1_422_837_008_276 in [record.timestamp for record in records]
