"""Names are looked up in bounded time, by a bounded number of threads."""

from __future__ import annotations

import socket
import threading
import time
from typing import Any

import pytest

from livepost.fetch.address import OutgoingError
from livepost.fetch.resolving import MAX_UNDER_WAY, resolve


def test_a_number_stands_for_itself() -> None:
    assert list(resolve("127.0.0.1", 80, 3.0)) == ["127.0.0.1"]
    assert list(resolve("::1", 80, 3.0)) == ["::1"]


def test_a_name_that_is_none_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    with pytest.raises(OutgoingError, match="stands for no address"):
        resolve("nowhere.example.com", 443, 3.0)


def test_a_label_that_is_too_long_is_no_crash() -> None:
    with pytest.raises(OutgoingError, match="stands for no address"):
        resolve("a" * 70 + ".example.com", 443, 3.0)


def test_a_resolver_that_hangs_is_not_waited_for_nor_asked_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    let_go, asked = threading.Event(), []

    def hang(*_: Any, **__: Any) -> Any:
        asked.append(1)
        let_go.wait(10)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    began = time.monotonic()
    for _ in range(MAX_UNDER_WAY):
        with pytest.raises(OutgoingError, match="not resolved in time"):
            resolve("slow.example.com", 443, 0.001)
    with pytest.raises(OutgoingError, match="answers nobody"):
        resolve("slow.example.com", 443, 0.001)
    assert len(asked) == MAX_UNDER_WAY
    assert time.monotonic() - began < 5
    let_go.set()
    while [thread for thread in threading.enumerate() if thread.name == "resolve slow.example.com"]:
        threading.Event().wait(0.01)
