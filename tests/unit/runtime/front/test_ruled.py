"""Roles hold (S1): each route of the OpenAPI and of the console, asked by each role, against a table written apart."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from starlette.routing import Mount, Route

from livepost.api import action, operation
from livepost.api.app import ACTIONS, OPERATIONS, api_routes
from livepost.api.openapi import NEEDS, openapi
from livepost.console.app import PAGES, PAPERS
from livepost.console.page import ANY, Form
from livepost.errors import StoreError
from livepost.govern.access.rules import Rules, default_rules
from livepost.model.principal import ROLES, Principal, Role
from livepost.runtime.front.ruled import PUBLIC, WS, ruled, unruled
from tests.unit.api.house import Asked
from tests.unit.console.test_noted import FORMS, path_of
from tests.unit.console.test_pages import ANSWERS
from tests.unit.console.told import Browser, ToldHouse

TABLE = Path(__file__).parent / "roles.txt"
PERMIT_ALL = "permit (principal, action, resource is Kind);"


def wanted(text: str) -> dict[str, dict[Role, bool]]:
    """Return the table: by route whether each role may."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")][1:]
    cells = [line.rsplit(maxsplit=len(ROLES)) for line in lines]
    return {route: {role: cell == "yes" for role, cell in zip(ROLES, row, strict=True)} for route, *row in cells}


def told(rules: Rules) -> dict[str, dict[Role, bool]]:
    """Return what the rules say of each route there is."""
    return {
        " ".join(filter(None, route)): {role: role in rules.roles(needs) for role in ROLES}
        for route, needs in ruled().items()
    }


WANTED = wanted(TABLE.read_text())
CASES = [(route, role) for route in WANTED for role in ROLES]


class Answers(dict[str, Any]):
    """What a house is asked besides what it answers does not come: a 503, which is not a 403."""

    def __missing__(self, question: str) -> Any:
        return StoreError("not there just now")


def house() -> ToldHouse:
    told = ToldHouse()
    told.answers = Answers(ANSWERS)
    return told


@pytest.fixture
def asked(tmp_path: Path) -> Iterator[Asked]:
    made = Asked(tmp_path)
    yield made
    made.house.close()


def test_the_table_and_the_rules_say_the_same_of_every_route() -> None:
    assert told(default_rules()) == WANTED


def test_a_policy_that_permits_everything_is_found() -> None:
    permissive = told(Rules(PERMIT_ALL))
    assert all(all(row.values()) for row in permissive.values())
    assert permissive != WANTED


def test_without_policies_nobody_may_anything() -> None:
    assert not any(any(row.values()) for row in told(Rules("")).values())


def test_every_operation_of_the_openapi_says_what_it_needs_and_is_in_the_table() -> None:
    paths = openapi(OPERATIONS, ACTIONS, "0")["paths"]
    described = {(method.upper(), path): one[NEEDS] for path, at in paths.items() for method, one in at.items()}
    assert described == {(method, path): needs.scope for (method, path, act), needs in ruled().items() if path in paths}
    assert {f"{method} {path}" for method, path in described} <= set(WANTED)


@pytest.mark.parametrize("one", OPERATIONS, ids=lambda one: one.name)
def test_an_operation_answers_whom_the_table_lets(one: Any, asked: Asked) -> None:
    for role in ROLES:
        asked.role = role
        answer = asked.ask(one.path.replace("{", "").replace("}", ""), key=None, cookie="session=holds")
        assert (answer.status_code != 403) == WANTED[f"GET {one.path}"][role], (role, answer.text)
        assert answer.status_code != 403 or answer.json()["code"] == "role"


@pytest.mark.parametrize("one", ACTIONS, ids=lambda one: one.name)
def test_an_action_is_done_for_whom_the_table_lets(one: Any, asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    for role in ROLES:
        who = Principal(by="key:server", role=role)
        monkeypatch.setattr(action, "require_secret", lambda keys, request, who=who: who)
        # A body that fits nothing: 400, unless the role is refused before.
        answer = asked.ask(one.path, "POST", None, b"{}", **{"Idempotency-Key": "k"})
        assert (answer.status_code != 403) == WANTED[f"POST {one.path}"][role], (role, answer.text)


@pytest.mark.parametrize("role", ROLES)
def test_pages_and_papers_are_shown_to_whom_the_table_lets(role: Role) -> None:
    browser = Browser(house(), role=role)
    for one in (*PAGES, *PAPERS):
        answer = browser.get(path_of(one.path, getattr(one, "name", "mail")), {"person": "a", "campaign": "reminder"})
        assert (answer.status_code != 403) == WANTED[f"GET {one.path}"][role], one.path
        if answer.status_code == 403:
            assert f"the role {role.replace('_', ' ')} may not" in answer.text


@pytest.mark.parametrize("role", ROLES)
def test_forms_are_taken_from_whom_the_table_lets(role: Role) -> None:
    browser = Browser(house(), role=role)
    for page, form in forms():
        for act in form.needs:
            fields = FORMS[page.name] | ({"act": act} if act != ANY else {})
            answer = browser.post(path_of(page.path, page.name), fields)
            named = f"POST {page.path} {act}".strip()
            assert (answer.status_code != 403) == WANTED[named][role], (named, answer.text)


@pytest.mark.parametrize("role", ROLES)
def test_the_rail_leads_only_where_the_role_may_go(role: Role) -> None:
    rail = Browser(house(), role=role).get("/").text.partition("<nav")[2].partition("</nav>")[0]
    for page in PAGES:
        if not page.rail:
            assert (f'href="{page.path}"' in rail) == WANTED[f"GET {page.path}"][role], page.path


@pytest.mark.parametrize("role", ROLES)
def test_a_button_is_there_only_for_whom_it_works(role: Role) -> None:
    browser = Browser(house(), role=role)
    for page, form in forms():
        answer = browser.get(path_of(page.path, page.name))
        for act in form.needs:
            if not WANTED[f"POST {page.path} {act}".strip()][role]:
                assert f'value="{act}"' not in answer.text or act == ANY, (page.path, act)
                assert act != ANY or f'method="post" action="{page.path}' not in answer.text, page.path


def test_every_act_of_a_form_has_a_rule() -> None:
    for page, form in forms():
        told = get_type_hints(form.told)
        acts = set(get_args(told["act"])) if "act" in told else {ANY}
        assert set(form.needs) == acts, page.path


def test_a_key_may_not_do_more_than_its_scopes(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    who = Principal(by="key:server", role="owner", scopes=("read:segments",))
    monkeypatch.setattr(operation, "require_reader", lambda *given: who)
    assert asked.ask("/api/segments").status_code == 200
    refused = asked.ask("/api/campaigns")
    assert (refused.status_code, refused.json()["code"]) == (403, "role")
    assert "the scope read:campaigns" in refused.json()["detail"]


def test_a_new_route_without_a_rule_is_found(asked: Asked) -> None:
    parts: tuple[Any, ...] = (asked, asked, asked.sending, asked.broadcasting, None)
    browser = Browser(house())
    routes = [*api_routes(*parts, asked.session, asked, default_rules()), *browser.console.routes()]
    assert unruled(routes) == []
    assert unruled([*routes, Route("/everybody", lambda request: None)]) == ["GET /everybody"]
    assert unruled([Route("/people", lambda request: None, methods=["DELETE"])]) == ["DELETE /people"]
    assert unruled([Mount("/all", routes=routes)]) == ["ANY /all"]


def test_what_is_public_says_why_and_is_under_no_rule() -> None:
    assert all(PUBLIC.values())
    assert not {path for _, path, _ in ruled()} & set(PUBLIC)
    assert (WS, "/api/stream", "") in ruled()


def forms() -> list[tuple[Any, Form]]:
    return [(page, page.form) for page in PAGES if page.form]
