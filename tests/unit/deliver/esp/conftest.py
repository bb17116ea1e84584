"""Desks and senders, closed at the end; a proxy of the machine's own is not asked for loopback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest

from livepost.deliver.esp.sender import EspSender, Patience
from tests.unit.deliver.esp.desk import Desk, Senders, desk_of, sender_to


@pytest.fixture(autouse=True)
def nothing_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no proxy, login or cloud account of the machine come into a test."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")


@pytest.fixture
def senders() -> Iterator[Senders]:
    """Return a function that makes senders."""
    with ExitStack() as open_:

        def make(name: str, url: str, patience: Patience | None = None, more: str = "") -> EspSender:
            return open_.enter_context(closing(sender_to(name, url, patience, more)))

        yield make


@pytest.fixture
def sendgrid() -> Iterator[Desk]:
    """Return SendGrid's desk."""
    with desk_of("sendgrid") as desk:
        yield desk
