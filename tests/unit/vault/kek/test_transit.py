"""Transit, by requests and answers as HashiCorp's reference prints them."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest

from livepost.errors import SettingsError
from livepost.vault.kek.transit import Transit, TransitServer
from livepost.vault.kek.wrapped import WrappedKeks

KEY = bytes(range(32))
SERVER = TransitServer(address="https://vault.example.com:8200/", token="hvs.token", namespace="shop")


class Said(msgspec.Struct, frozen=True):
    status: int
    body: bytes


class Played:
    """Answers as HashiCorp's reference prints them (datakey: "Generate data key", decrypt: "Decrypt data")."""

    def __init__(self, *answers: Said) -> None:
        self.answers = list(answers)
        self.requests: list[tuple[str, object, Mapping[str, str]]] = []

    def __call__(self, url: str, body: bytes, headers: Mapping[str, str]) -> Said:
        self.requests.append((url, msgspec.json.decode(body), headers))
        return self.answers.pop(0)


def said(**data: str) -> Said:
    return Said(200, msgspec.json.encode({"data": data}))


def test_transit_is_asked_as_its_reference_says(tmp_path: Path) -> None:
    text = base64.b64encode(KEY).decode()
    post = Played(said(plaintext=text, ciphertext="vault:v1:abcdefgh"), said(plaintext=text))
    store = WrappedKeks(tmp_path / "kek.wrapped", Transit("keys/transit/livepost", SERVER, post))
    store.make()
    assert [one.key for one in store.read()] == [KEY]  # made here: nobody was asked
    assert [one.key for one in WrappedKeks(store.path, Transit("keys/transit/livepost", SERVER, post)).read()] == [KEY]
    headers = {
        "X-Vault-Token": "hvs.token",
        "X-Vault-Request": "true",
        "X-Vault-Namespace": "shop",
        "Content-Type": "application/json",
    }
    base = "https://vault.example.com:8200/v1/keys/transit"
    assert post.requests == [
        (f"{base}/datakey/plaintext/livepost", {"bits": 256}, headers),
        (f"{base}/decrypt/livepost", {"ciphertext": "vault:v1:abcdefgh"}, headers),
    ]


def test_transit_is_mounted_at_transit_where_nothing_else_is_said() -> None:
    post = Played(said(plaintext=base64.b64encode(KEY).decode(), ciphertext="vault:v1:x"))
    Transit("livepost", SERVER, post).data_key()
    assert post.requests[0][0] == "https://vault.example.com:8200/v1/transit/datakey/plaintext/livepost"


@pytest.mark.parametrize(
    ("answer", "wrong"),
    [
        (Said(403, b'{"errors": ["permission denied"]}'), "Vault said 403"),
        (Said(200, b"<html>"), "cannot be read"),
        (said(plaintext="?"), "expected base64"),
        (said(plaintext="AAAA"), "expected a key of 32 bytes"),
    ],
)
def test_an_answer_of_transit_that_is_no_key_is_said_without_what_is_secret(
    tmp_path: Path, answer: Said, wrong: str
) -> None:
    store = WrappedKeks(tmp_path / "kek.wrapped", Transit("livepost", SERVER, Played(answer)))
    with pytest.raises(SettingsError, match=wrong) as error:
        store.make()
    assert "hvs.token" not in str(error.value)
    assert "hvs.token" not in repr(SERVER)
