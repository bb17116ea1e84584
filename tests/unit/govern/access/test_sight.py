from __future__ import annotations

import msgspec
import pytest

from livepost.govern.access.mask import HIDDEN
from livepost.govern.access.rules import Rules, default_rules
from livepost.govern.access.sight import EVERYTHING, Sight
from livepost.model.principal import Principal
from livepost.settings.policy import Controller, FieldPolicy, Policy

POLICY = Policy(
    controller=Controller(name="Shop", contact="shop@example.com"),
    purposes={},
    fields={"Identified.email": FieldPolicy(mask="hide"), "Identified.phone": FieldPolicy(mask="partial")},
)
WANTED = {
    "owner": {"id": "plain", "address": "plain", "name": "plain", "number": "plain", "text": "plain"},
    "admin": {"id": "plain", "address": "plain", "name": "plain", "number": "partial", "text": "partial"},
    "marketer": {"id": "partial", "address": "partial", "name": "plain", "number": "partial", "text": "partial"},
    "analyst": {"id": "pseudonym", "address": "pseudonym", "name": "pseudonym", "number": "bucket", "text": "hide"},
    "developer": {"id": "pseudonym", "address": "pseudonym", "name": "plain", "number": "hide", "text": "hide"},
    "privacy_officer": {"id": "plain", "address": "plain", "name": "plain", "number": "plain", "text": "plain"},
    "auditor": {"id": "hide", "address": "hide", "name": "hide", "number": "hide", "text": "hide"},
}
"""How each role sees each kind of field: written apart from the policies."""


@pytest.mark.parametrize("role", WANTED)
def test_how_a_role_sees_is_as_it_is_wanted(role: str) -> None:
    rules = default_rules()
    assert {field: rules.how(role, field) for field in WANTED[role]} == WANTED[role]  # type: ignore[arg-type]


def test_what_policy_toml_says_can_only_hide_more() -> None:
    partly = Sight({"address": "partial"}, policy=POLICY)
    assert partly.shown("Identified.email", "ada@example.com") == HIDDEN
    assert partly.shown("Identified.phone", "0123 456") == "0…"
    pseudonyms = Sight({"address": "pseudonym"}, bytes(32), POLICY)
    assert pseudonyms.how("Identified.phone") == "pseudonym"
    owner = Sight({"address": "plain"}, policy=POLICY)
    assert owner.shown("Identified.email", "ada@example.com") == "ada@example.com"


def test_a_default_of_policy_toml_holds_for_fields_of_which_nothing_is_said() -> None:
    strict = msgspec.structs.replace(POLICY, defaults=FieldPolicy(mask="hide"))
    assert Sight({"name": "partial"}, policy=strict).how("Identified.first_name") == "hide"
    assert Sight({"name": "partial"}, policy=POLICY).how("Identified.first_name") == "partial"


def test_what_nothing_is_said_of_is_hidden() -> None:
    assert Sight({}).shown("Identified.email", "ada@example.com") == HIDDEN
    assert Sight({}).text("a letter") == HIDDEN
    assert Rules("").sight(Principal(by="user:1", role="owner")).shown("anything", "else") == HIDDEN
    assert EVERYTHING.text("a letter") == "a letter"
