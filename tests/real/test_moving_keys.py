"""The key-encryption key of a house that runs is moved into Transit and back while calls come in and the front is
killed. Transit is played by its reference; no real HashiCorp Vault was asked."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any, ClassVar

import httpx
import pytest

from livepost.errors import StoreError
from livepost.vault.base import USER, ExternalId
from livepost.vault.kek.memory import MemoryKeks
from livepost.vault.sqlite import SqliteVault
from tests.crash.house import House, wait_until

SHOP = Path(__file__).parents[1] / "journeys/keys"
PEOPLE = 1_500
TRANSIT = "transit:livepost"


class Engine(BaseHTTPRequestHandler):
    """A Transit engine in the words of HashiCorp's reference."""

    keys: ClassVar[dict[str, str]] = {}

    def do_POST(self) -> None:
        told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert self.headers["X-Vault-Token"] == "hvs.token"
        ciphertext = told.get("ciphertext") or f"vault:v1:{len(self.keys)}"
        plaintext = self.keys.setdefault(ciphertext, base64.b64encode(os.urandom(32)).decode())
        body = json.dumps({"data": {"plaintext": plaintext, "ciphertext": ciphertext}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def engine() -> Iterator[str]:
    """Yield host and port of a Transit engine."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Engine) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    with engine() as address:
        for name, value in {"VAULT_ADDR": f"http://{address}", "VAULT_TOKEN": "hvs.token"}.items():
            monkeypatch.setenv(name, value)
        made = House(tmp_path / "data", SHOP, settings={"LIVEPOST_ALLOW_OUTGOING": json.dumps([address])})
        made.start()
        try:
            yield made
        finally:
            made.stop()


def tell(house: House, first: int, count: int) -> None:
    """Tell of so many people, a hundred a call."""
    for number in range(first, first + count, 100):
        calls = [
            {"type": "track", "event": "Product Viewed", "userId": f"u{n}", "properties": {"product_id": "tea"}}
            for n in range(number, number + 100)
        ]
        url = f"http://localhost:{house.folder.port}/v1/batch"
        assert httpx.post(url, json={"batch": calls}, auth=(house.secret_key, "")).status_code == 200


def moved(house: House, place: str) -> dict[str, Any]:
    """Move as a person would, and return what the command said."""
    allowed = json.dumps(house.folder.settings.allow_outgoing)
    outside = {"LIVEPOST_DATA": str(house.folder.path), "LIVEPOST_ALLOW_OUTGOING": allowed}
    told = subprocess.run(
        [sys.executable, "-m", "livepost.cli", "keys", "move", place, "--json"],
        cwd=SHOP,
        env={**os.environ, **outside},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    answer: dict[str, Any] = json.loads(told.stdout)
    return answer


def is_ready(house: House) -> bool:
    """Say whether the front answers: a command that finds none opens the vault itself, which a starting front holds."""
    with suppress(httpx.TransportError):
        return httpx.get(f"http://localhost:{house.folder.port}/readyz").status_code == 200
    return False


def known(house: House, keks: MemoryKeks) -> int:
    """Return how many of the people a vault opened with these keys knows, with their key."""
    with closing(SqliteVault(house.folder.path / "vault.db", keks, readonly=True)) as vault:
        found = [vault.find(ExternalId(USER, f"u{number}")) for number in range(PEOPLE)]
        return sum(one is not None for one in found)


def test_keys_move_into_transit_and_back_while_calls_come_in(house: House, tmp_path: Path) -> None:
    tell(house, 0, PEOPLE)
    [old] = house.folder.keks.read()
    done, told = Event(), []

    def busy() -> None:
        while not done.is_set():
            with suppress(httpx.TransportError):  # from a front that was killed
                tell(house, PEOPLE + 100 * len(told), 100)
                told.append(1)

    thread = Thread(target=busy)
    thread.start()
    try:
        assert moved(house, TRANSIT)["left"] == 1
        [transits] = house.folder.keks.read()
        house.kill("front", "engine", "courier")  # they start by the settings of before, and are not misled by them
        wait_until("the front to take events again", lambda: is_ready(house))
        with pytest.raises(StoreError, match="does not open"):
            known(house, MemoryKeks(old.key))
        assert moved(house, f"file:{tmp_path}/kek")["left"] == 2
    finally:
        done.set()
        thread.join()
    assert told
    [new] = house.folder.keks.read()
    assert known(house, MemoryKeks(new.key)) == PEOPLE
    with pytest.raises(StoreError, match="does not open"):
        known(house, MemoryKeks(transits.key))
    assert {one.key for one in house.folder.keks.retired()} == {old.key, transits.key}


def test_a_move_whose_front_is_killed_is_ended_by_the_next(house: House) -> None:
    tell(house, 0, PEOPLE)
    house.folder.move_keks(TRANSIT)  # as a front leaves it that was killed behind its first step
    house.kill("front")
    wait_until("the place before to be left", lambda: house.folder.keks.older != ())
    [newest] = house.folder.keks.read()
    assert known(house, MemoryKeks(newest.key)) == PEOPLE
