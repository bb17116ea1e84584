from __future__ import annotations

import re
from importlib.resources import files

from livepost.govern.access.permission import KINDS, SCOPES, VERBS, Permission
from livepost.model.principal import ROLES


def _listed(schema: str, pattern: str) -> list[str]:
    found = re.search(pattern, schema, re.DOTALL)
    assert found is not None
    return re.findall(r"\w+", found[1])


def test_the_schema_has_the_same_words() -> None:
    schema = files("livepost.govern.access").joinpath("schema.cedarschema").read_text()
    assert _listed(schema, r"entity Kind enum \[(.*?)\]") == list(KINDS)
    assert _listed(schema, r"entity Role enum \[(.*?)\]") == list(ROLES)
    assert _listed(schema, r"action (read,.*?) appliesTo") == list(VERBS)


def test_every_permission_is_a_scope() -> None:
    assert Permission("send", "mails").scope in SCOPES
    assert len(SCOPES) == len(VERBS) * len(KINDS)
