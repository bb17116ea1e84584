"""Which targets the settings name, and what is refused before anything is sent."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import msgspec
import pytest

from livepost.errors import SettingsError, StoreError
from livepost.runtime.courier.targets import check_targets, targets_of
from livepost.settings.settings import Settings
from livepost.settings.webhook import Webhook
from tests.unit.announce.test_signature import OLD
from tests.unit.fetch.forms import forms


def settings(monkeypatch: pytest.MonkeyPatch, url: str, *allowed: str, secret: str = OLD) -> Settings:
    monkeypatch.setenv("CRM", secret)
    return Settings(webhooks=[Webhook(name="crm", url=url, secret="env:CRM")], allow_outgoing=[*allowed])


def test_a_target_has_its_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    [target] = targets_of(settings(monkeypatch, "https://hooks.example.com/in"))
    assert (target.name, target.keys, target.tries) == ("crm", (b"o" * 32,), 10)
    assert target.kinds == {"transition", "decision", "receipt"}


@pytest.mark.parametrize("url", forms(9_999))
def test_no_unsafe_form_becomes_a_target(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    with pytest.raises(SettingsError, match="the webhook crm: "):
        targets_of(settings(monkeypatch, url))


def test_a_secret_that_is_none_and_an_allowance_that_is_none_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match="secret of the webhook crm is none"):
        targets_of(settings(monkeypatch, "https://hooks.example.com", secret="hunter2"))
    with pytest.raises(SettingsError, match="allow_outgoing: expected host:port"):
        targets_of(settings(monkeypatch, "https://hooks.example.com", "10.0.0.0/8"))
    monkeypatch.delenv("CRM")
    with pytest.raises(SettingsError, match="refers to the variable CRM"):
        targets_of(Settings(webhooks=[Webhook(name="crm", url="https://hooks.example.com", secret="env:CRM")]))


def test_check_looks_names_up_and_lets_pass_what_stands_for_nothing_now(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(host: str, port: int, **_: Any) -> list[Any]:
        if host == "away.example.com":
            raise socket.gaierror(socket.EAI_AGAIN, "try again")
        return [(2, 1, 6, "", ("169.254.169.254", port))]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    check_targets(settings(monkeypatch, "https://away.example.com"))
    with pytest.raises(SettingsError, match="expected an address that is reached over the internet, got 169"):
        check_targets(settings(monkeypatch, "https://inside.example.com"))


def test_the_project_is_checked_with_its_targets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match="expected https://"):
        check_targets(settings(monkeypatch, "http://hooks.example.com"))


def test_a_target_that_knows_pseudonyms_is_told_nothing_without_them(monkeypatch: pytest.MonkeyPatch) -> None:
    body = b'{"id":"receipt_1","type":"receipt","timestamp":"x","data":{"type":"receipt","person":"00"}}'
    plain = settings(monkeypatch, "https://hooks.example.com")
    hidden = Settings(webhooks=[msgspec.structs.replace(plain.webhooks[0], ids="pseudonym")])
    [own], [without], [given] = targets_of(plain), targets_of(hidden), targets_of(hidden, lambda: bytes(32))
    assert own.told("receipt_1", body) == ("receipt_1", body)
    with pytest.raises(StoreError, match="knows people by pseudonyms"):
        without.told("receipt_1", body)
    assert b'"person":"00"' not in given.told("receipt_1", body)[1]
    assert given.told("receipt_1", body)[0] != "receipt_1"
