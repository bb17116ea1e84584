"""HashiCorp Vault's Transit engine as the service that wraps key-encryption keys.

In: the engine's mount and a key's name; server, token and namespace as Vault's own clients find them in the
environment. Out: data keys of 256 bits (`datakey/plaintext`, `decrypt`). Source: HashiCorp's API reference of the
Transit secrets engine. Held to requests and answers as that reference prints them, not to a real server.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from livepost.errors import SettingsError


class Asked(Protocol):
    """What a server said."""

    @property
    def status(self) -> int:
        """The status of HTTP."""
        ...

    @property
    def body(self) -> bytes:
        """What came with it."""
        ...


class Post(Protocol):
    """Gives a server a body; raises a LivepostError if there is no answer."""

    def __call__(self, url: str, body: bytes, headers: Mapping[str, str]) -> Asked:
        """Return the answer."""
        ...


@dataclass(frozen=True, kw_only=True)
class TransitServer:
    """Where Vault is, and who asks: `VAULT_ADDR`, `VAULT_TOKEN`, `VAULT_NAMESPACE`."""

    address: str
    token: str = field(repr=False)
    namespace: str = ""

    @property
    def headers(self) -> dict[str, str]:
        """What each request carries."""
        named = {"X-Vault-Namespace": self.namespace} if self.namespace else {}
        return {"X-Vault-Token": self.token, "X-Vault-Request": "true", "Content-Type": "application/json", **named}


class _Data(msgspec.Struct, frozen=True):
    plaintext: str
    ciphertext: str = ""


class _Answer(msgspec.Struct, frozen=True):
    data: _Data


class Transit:
    """One key of a Transit engine; a body of `KeyService`. `key` is NAME, or MOUNT/NAME."""

    def __init__(self, key: str, server: TransitServer, post: Post) -> None:
        """Take the key, the server, and the way to it."""
        mount, _, name = key.rpartition("/")
        self._key = key
        self._mount = mount or "transit"
        self._name = name
        self._server = server
        self._post = post

    @property
    def name(self) -> str:
        """How the setting `kek` names the key."""
        return f"transit:{self._key}"

    def data_key(self) -> tuple[bytes, str]:
        """Return a new key and its ciphertext (`vault:v1:...`)."""
        told = self._ask("datakey/plaintext", {"bits": 256})
        return self._key_of(told), told.ciphertext

    def unwrap(self, wrapped: str) -> bytes:
        """Return the key of a ciphertext."""
        return self._key_of(self._ask("decrypt", {"ciphertext": wrapped}))

    def _ask(self, what: str, told: Mapping[str, object]) -> _Data:
        url = f"{self._server.address.rstrip('/')}/v1/{self._mount}/{what}/{self._name}"
        answer = self._post(url, msgspec.json.encode(told), self._server.headers)
        if answer.status != 200:
            raise SettingsError(
                f"{self.name} was not given: Vault said {answer.status} to {what}; check the key, the token "
                "and its policy"
            )
        try:
            return msgspec.json.decode(answer.body, type=_Answer).data
        except (ValueError, RecursionError) as error:
            raise SettingsError(f"{self.name} was not given: Vault's answer cannot be read: {error}") from None

    def _key_of(self, told: _Data) -> bytes:
        try:
            return base64.b64decode(told.plaintext, validate=True)
        except binascii.Error:
            raise SettingsError(f"expected base64 of a key from {self.name}, got something else") from None
