"""Seals of fields: bound to where they stand, opened by who has the key."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from livepost.errors import SealError
from livepost.intake.seal import Sealer, open_value
from livepost.model.record import SealedValue
from livepost.vault.base import USER, ExternalId, seal_context
from livepost.vault.memory import MemoryVault


def test_a_sealed_value_opens_to_what_it_was() -> None:
    keys = MemoryVault().admit([ExternalId(USER, "u1")])[0]
    seals = Sealer("shop", "web").seal(keys, "m1", {"email": "jane@example.com", "$undeclared": {"a": [1, None]}})
    for field, value in (("email", "jane@example.com"), ("$undeclared", {"a": [1, None]})):
        assert open_value(keys, "shop", SealedValue("web", keys.subject, "m1", field, seals[field])) == value


def test_a_seal_is_bound_to_the_context_of_the_vault() -> None:
    keys = MemoryVault().admit([ExternalId(USER, "u1")])[0]
    seal = Sealer("shop", "web").seal(keys, "m1", {"email": "x"})["email"]
    assert keys.open(seal, seal_context("shop", "web", keys.subject, "m1", "email")) == b'"x"'


@pytest.mark.parametrize(
    ("workspace", "source", "message_id", "field"),
    [
        ("other", "web", "m1", "email"),
        ("shop", "ios", "m1", "email"),
        ("shop", "web", "m2", "email"),
        ("shop", "web", "m1", "name"),
    ],
)
def test_a_seal_moved_elsewhere_does_not_open(workspace: str, source: str, message_id: str, field: str) -> None:
    keys = MemoryVault().admit([ExternalId(USER, "u1")])[0]
    seal = Sealer("shop", "web").seal(keys, "m1", {"email": "x"})["email"]
    with pytest.raises(SealError):
        open_value(keys, workspace, SealedValue(source, keys.subject, message_id, field, seal))


def test_seals_made_together_are_to_the_byte_those_made_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    ada, ben = MemoryVault().admit([ExternalId(USER, "ada"), ExternalId(USER, "ben")])
    keys, ids = [ada, ben, ada, ben], ["m1", "m2", "m3", "m\u00e4"]
    fields: list[dict[str, Any]] = [{"email": "a", "$context": {"ip": 1}}, {}, {"$undeclared": [1]}, {"email": None}]
    sealer = Sealer("shop", "web")

    def made(how: str) -> list[dict[str, bytes]]:
        nonces = itertools.count()
        monkeypatch.setattr("livepost.vault.subject.new_nonce", lambda: next(nonces).to_bytes(12, "big"))
        if how == "together":
            return sealer.seal_all(keys, ids, fields)
        return [sealer.seal(*one) for one in zip(keys, ids, fields, strict=True)]

    assert made("together") == made("one by one")
    ids[0] = "m2"
    assert made("together")[0] != sealer.seal(ada, "m1", fields[0])
