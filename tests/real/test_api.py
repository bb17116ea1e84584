"""The API of a running house, by what comes out of it over HTTP: one's own write, people and reasons, and schemathesis
over all operations that `/openapi.json` describes.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from livepost.runtime.courier.process import IDLE_S
from tests.crash.house import House

PATIENCE_S = 300
KNOWN = {"id": "ada", "name": "browsing"}
TRIAL = {"campaign": "reminder", "person": "ada", "to": "ada@example.com"}
WISH = {"to": "ada@example.com", "template": "note", "subject": "Hi", "variables": {"word": "there"}}
CASES = 25
"""Requests schemathesis makes of each operation."""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A running house that knows ada."""
    made = House(tmp_path_factory.mktemp("api") / "data")
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def client(house: House) -> Iterator[httpx.Client]:
    """Somebody with the secret key."""
    headers = {"Authorization": f"Bearer {house.secret_key}"}
    with httpx.Client(base_url=f"http://localhost:{house.folder.port}", headers=headers) as made:
        yield made


def tell(house: House, client: httpx.Client, *calls: dict[str, Any]) -> int:
    """Send calls with the secret key; return the position they were given."""
    reply = client.post("/v1/batch", json={"batch": list(calls)}, auth=(house.secret_key, ""), headers={})
    assert reply.status_code == 200, reply.text
    return int(reply.headers["x-livepost-position"])


def test_whoever_waits_for_their_position_reads_their_own_write(house: House, client: httpx.Client) -> None:
    for views in range(1, 21):
        viewed = {"type": "track", "event": "Product Viewed", "userId": "bea", "properties": {"product_id": "tea"}}
        position = tell(house, client, viewed)
        told = client.get("/api/people/bea", params={"wait": position}).json()
        assert (told["features"]["views"], told["position"] >= position) == (views, True)


def test_a_person_is_found_by_user_id_address_and_subject(house: House, client: httpx.Client) -> None:
    consent = {"consent": {"categoryPreferences": {"marketing": True}}}
    traits = {"email": "ada@example.com", "firstName": "Ada"}
    position = tell(house, client, {"type": "identify", "userId": "ada", "traits": traits, "context": consent})
    by_name = client.get("/api/people/ada", params={"wait": position})
    assert by_name.json()["personal"] == ["first_name"]
    assert "Ada" not in by_name.text and "example.com" not in by_name.text
    for id in ("ada@example.com", by_name.json()["person"]):
        assert client.get(f"/api/people/{id}").json()["person"] == by_name.json()["person"]


def test_why_and_segments_and_status_agree(house: House, client: httpx.Client) -> None:
    views = [
        {"type": "track", "event": "Product Viewed", "userId": "cy", "properties": {"product_id": product}}
        for product in "abc"
    ]
    position = tell(house, client, *views)
    person = client.get("/api/people/cy", params={"wait": position}).json()
    [reason] = client.get("/api/people/cy/why", params={"segment": "browsing"}).json()["segments"]
    members = client.get("/api/segments/browsing/people", params={"limit": 1_000}).json()["people"]
    assert reason["inside"] is True
    assert person["person"] in [one["person"] for one in members]
    counts = {one["segment"]: one["people"] for one in client.get("/api/segments").json()["segments"]}
    assert counts["browsing"] == len(members)
    status = client.get("/api/status").json()
    assert status["conservation"]["holds"] is True
    assert status["log"] >= position


def test_the_answers_are_as_the_api_describes_itself(house: House, client: httpx.Client, tmp_path: Path) -> None:
    done = schemathesis(house, client.get("/openapi.json").json(), tmp_path)
    assert done.returncode == 0, done.stdout[-5_000:]


def test_an_answer_that_is_not_as_described_would_be_found(house: House, client: httpx.Client, tmp_path: Path) -> None:
    document = client.get("/openapi.json").json()
    document["components"]["schemas"]["Conservation"]["properties"]["holds"] = {"type": "string"}
    done = schemathesis(house, document, tmp_path)
    assert done.returncode == 1
    assert "Response violates schema" in done.stdout


def test_an_action_whose_answer_is_not_as_described_would_be_found(
    house: House, client: httpx.Client, tmp_path: Path
) -> None:
    document = client.get("/openapi.json").json()
    document["components"]["schemas"]["SendAnswer"]["properties"]["person"] = {"type": "integer"}
    document["paths"] = {"/api/send": document["paths"]["/api/send"]}
    done = schemathesis(house, document, tmp_path)
    assert done.returncode == 1
    assert "Response violates schema" in done.stdout


def test_a_send_is_sent_within_a_second_of_its_answer_and_not_only_when_the_courier_looks_by_itself(
    house: House, client: httpx.Client
) -> None:
    took_s = sorted(send_takes_s(client, f"soon-{number}") for number in range(9))
    assert took_s[-1] < 1
    assert took_s[4] < IDLE_S / 2, "expected the courier to be woken"


def send_takes_s(client: httpx.Client, key: str) -> float:
    """Return the seconds from a send's first answer to the one that says it is sent."""
    headers = {"Idempotency-Key": key}
    assert client.post("/api/send", json=WISH, headers=headers).status_code == 202
    began = time.monotonic()
    while (told := client.post("/api/send", json=WISH, headers=headers).json())["state"] != "sent":
        assert time.monotonic() - began < PATIENCE_S, told
    return time.monotonic() - began


def schemathesis(house: House, document: dict[str, Any], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run schemathesis, all its checks and phases, over a description and the running house; it is told two names."""
    for address, path in document["paths"].items():
        for parameter in path.get("get", {}).get("parameters", ()):
            if parameter["in"] == "path":
                parameter["example"] = KNOWN[parameter["name"]]
        for body in path.get("post", {}).get("requestBody", {}).get("content", {}).values():
            body["example"] = TRIAL if address == "/api/test-send" else WISH
    described = folder / "openapi.json"
    described.write_text(json.dumps(document))
    command = [str(Path(sys.executable).parent / "schemathesis"), "run", str(described)]
    command += ["--url", f"http://localhost:{house.folder.port}", "--checks", "all", "--no-color", "--seed", "1"]
    command += ["--header", f"Authorization: Bearer {house.secret_key}", "--max-examples", str(CASES)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    with closing(house.folder.ledger()) as ledger:  # it stops what it finds the name of
        for one in ledger.kills():
            ledger.kill(one.campaign, False, 0)
    return done
