"""What a person is known by is set right in a running house: by its API, and by a command that tells no value."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import httpx
import pytest

from livepost.intake.seal import open_value
from livepost.model.compiled import ADDRESS_FEATURE
from livepost.runtime.engine.client import EngineClient
from livepost.vault.base import USER, ExternalId
from tests.crash.house import House
from tests.crash.load import send

WRONG, RIGHT, BEST = "ada@wrong.example", "ada@right.example", "ada@best.example"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A running house that knows Ada by a wrong address."""
    made = House(tmp_path_factory.mktemp("rectify") / "data")
    made.start()
    send(made, [{"type": "identify", "userId": "ada", "messageId": "ada-1", "traits": {"email": WRONG}}])
    yield made
    made.stop()


def address(house: House) -> Any:
    """Return Ada's address as engine and vault have it by now."""
    position = house.drain().seq
    with closing(house.folder.vault(readonly=True)) as vault, closing(EngineClient(house.folder)) as engine:
        found = vault.find(ExternalId(USER, "ada"))
        assert found is not None
        [view] = engine.people([found.subject], position).values()
        sealed = view.sealed[ADDRESS_FEATURE]
        return open_value(vault.keys(sealed.subject), house.folder.settings.workspace, sealed)


def asks(house: House, key: str, **wish: Any) -> httpx.Response:
    return httpx.post(
        f"http://localhost:{house.folder.port}/api/requests",
        json={"person": "ada", "kind": "rectification", "verified": "by a call back", **wish},
        headers={"Authorization": f"Bearer {house.secret_key}", "Idempotency-Key": key},
    )


def livepost(house: House, *arguments: str, told: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "livepost.cli", *arguments],
        cwd=house.project_folder,
        env=house._environment,
        input=told,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_server_hands_it_in_with_the_right_values_and_it_is_answered(house: House) -> None:
    assert address(house) == WRONG
    waits = asks(house, "k-1")
    assert (waits.json()["state"], address(house)) == ("pending", WRONG), "the control: without values nothing changes"
    refused = asks(house, "k-1", traits={"shoe": 43})
    assert (refused.status_code, "got 1 other names" in refused.text) == (400, True)
    done = asks(house, "k-1", traits={"email": RIGHT})
    assert (done.status_code, done.json()["state"]) == (200, "completed")
    assert done.json()["answer"] == "set right: email"
    assert address(house) == RIGHT
    assert asks(house, "k-1", traits={"email": WRONG}).json()["id"] == done.json()["id"]
    assert address(house) == RIGHT, "the key stands for what was done"
    assert asks(house, "k-2", kind="access", traits={"email": WRONG}).status_code == 409


def test_a_command_sets_it_right_and_tells_names_alone(house: House) -> None:
    values = json.dumps({"email": BEST})
    told = livepost(house, "requests", "rectify", "ada", "--verified", "x", "--values", "-", told=values)
    assert told.returncode == 0, told.stderr
    assert told.stdout.endswith(": set right: email.\n")
    assert address(house) == BEST
    audit = livepost(house, "audit", "list", "--json").stdout
    assert "person.rectified" in audit
    assert not any(value in audit + told.stdout + told.stderr for value in (WRONG, RIGHT, BEST))


def test_a_command_that_cannot_do_it_leaves_a_request_that_waits(house: House) -> None:
    told = livepost(house, "requests", "rectify", "ada", "--verified", "x", "--set", "shoe=43")
    assert told.returncode == 1
    id_ = told.stderr.rpartition("--request ")[2].split()[0]
    again = livepost(house, "requests", "rectify", "ada", "--request", id_, "--set", f"email={RIGHT}", "--json")
    assert json.loads(again.stdout)["state"] == "completed"
    assert address(house) == RIGHT
    without = livepost(house, "requests", "rectify", "ada", "--verified", "x", "--set", "email")
    assert (without.returncode, "got no =" in without.stderr) == (1, True)
