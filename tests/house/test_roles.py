"""The docs tell of roles as the policies have them."""

from __future__ import annotations

from livepost.govern.access.permission import KINDS, VERBS
from livepost.govern.access.rules import default_rules, spoken
from livepost.govern.access.sight import FIELDS
from livepost.model.principal import ROLES
from livepost.runtime.front.ruled import PUBLIC, ruled
from tests.house.source import HOUSE

PAGE = HOUSE / "docs" / "reference" / "roles.md"


def row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def head(*cells: str) -> list[str]:
    return [row(*cells), f"|{'---|' * len(cells)}"]


def routes_table() -> str:
    """Return which roles may use each route, and the act of a form."""
    rules = default_rules()
    lines = head("route", "needs", *map(spoken, ROLES))
    for (method, path, act), needs in sorted(ruled().items(), key=lambda one: (one[0][1], one[0][0], one[0][2])):
        allowed = rules.roles(needs)
        named = f"`{method} {path}`" + (f" {act}" if act else "")
        lines.append(row(named, f"`{needs.scope}`", *("yes" if role in allowed else "" for role in ROLES)))
    return "\n".join(lines)


def kinds_table() -> str:
    """Return what each role may do to each kind of data."""
    rules = default_rules()
    lines = head("kind", *map(spoken, ROLES))
    for kind in KINDS:
        verbs = ([verb for verb in VERBS if rules.permits(role, verb, "Kind", kind)] for role in ROLES)
        lines.append(row(f"`{kind}`", *("all" if len(one) == len(VERBS) else ", ".join(one) for one in verbs)))
    return "\n".join(lines)


def fields_table() -> str:
    """Return how each role sees each kind of personal value."""
    rules = default_rules()
    lines = head("field", *map(spoken, ROLES))
    return "\n".join([*lines, *(row(f"`{field}`", *(rules.how(role, field) for role in ROLES)) for field in FIELDS)])


def public_table() -> str:
    """Return the routes that no role is asked for."""
    return "\n".join([*head("route", "why"), *(row(f"`{path}`", why) for path, why in PUBLIC.items())])


def test_the_tables_of_roles_are_those_of_the_policies() -> None:
    text = PAGE.read_text()
    for table in (kinds_table(), fields_table(), routes_table(), public_table()):
        assert table in text, f"put this table into docs/reference/roles.md:\n{table}"
