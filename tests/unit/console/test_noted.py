"""What the audit is told of the console: before a page of people leaves, before a form does anything."""

from __future__ import annotations

import re

import pytest

from livepost.console.app import PAGES, PAPERS
from livepost.console.page import Page
from tests.unit.console.test_pages import ADA, ANSWERS, NAMES
from tests.unit.console.told import Browser, ToldHouse

OF_PEOPLE = [page for page in PAGES if page.sees is not None]


def path_of(path: str, name: str) -> str:
    return re.sub(r"\{\w+\}", NAMES.get(name, ""), path)


@pytest.mark.parametrize("page", OF_PEOPLE, ids=lambda page: page.name)
def test_a_page_about_people_is_noted_with_who_looked(page: Page) -> None:
    browser = Browser(ToldHouse(**ANSWERS))
    assert browser.get(path_of(page.path, page.name)).status_code == 200
    [(by, deed)] = browser.noted
    assert re.fullmatch("session:[0-9a-f]{16}", by)
    assert "." in deed.did


@pytest.mark.parametrize("page", OF_PEOPLE, ids=lambda page: page.name)
def test_what_the_audit_cannot_take_is_not_shown(page: Page) -> None:
    browser = Browser(ToldHouse(**ANSWERS))
    browser.audit_fails = True
    answer = browser.get(path_of(page.path, page.name))
    assert answer.status_code == 503
    assert ADA.hex() not in answer.text


@pytest.mark.parametrize("page", [page for page in PAGES if page.sees is None], ids=lambda page: page.name)
def test_a_page_about_nobody_names_nobody_and_is_not_noted(page: Page) -> None:
    browser = Browser(ToldHouse(**ANSWERS))
    browser.audit_fails = True
    answer = browser.get(path_of(page.path, page.name))
    assert (answer.status_code, browser.noted) == (200, [])
    assert ADA.hex() not in answer.text


def test_a_persons_page_is_noted_with_all_that_they_are_called() -> None:
    browser = Browser(ToldHouse(**ANSWERS))
    browser.get(f"/people/{ADA.hex()}")
    [(_, deed)] = browser.noted
    assert deed.did == "person.read"
    assert ADA in deed.people


def test_without_a_session_nothing_is_noted() -> None:
    browser = Browser(ToldHouse(**ANSWERS), enters=False)
    assert browser.get(f"/people/{ADA.hex()}").status_code == 401
    assert browser.noted == []


FORMS = {
    "glass": {"act": "break", "reason": "why"},
    "approvals": {"act": "export", "what": "approve", "id": "a" * 16},
    "audit": {"act": "verify"},
    "request": {"what": "completed", "told": "sent by letter"},
    "campaign": {"act": "stop"},
    "dead": {"act": "replay", "reason": "unknown_event"},
    "delivery": {"verdict": "sent"},
    "keys": {"act": "rotate"},
    "letter": {"act": "replay"},
    "mails": {"verdict": "drop", "ids": "ab" * 16},
    "preview": {"to": "a@example.com", "once": "0" * 16},
    "suppressions": {"address": "a@example.com"},
}
DOES = (
    "audit_verdict",
    "break_glass",
    "kill",
    "replay",
    "rotate_vault_key",
    "say",
    "settle_approval",
    "settle_request",
    "suppressed",
    "test_send",
)
"""What forms ask of the house."""


@pytest.mark.parametrize("page", [page for page in PAGES if page.form], ids=lambda page: page.name)
def test_a_form_that_the_audit_cannot_take_does_nothing(page: Page) -> None:
    done: list[str] = []
    does = {name: lambda *asked, name=name, **named: done.append(name) for name in DOES}
    browser = Browser(ToldHouse(**(ANSWERS | does)))
    browser.audit_fails = True
    answer = browser.post(path_of(page.path, page.name), FORMS[page.name])
    assert (answer.status_code, done) == (503, [])


def test_papers_are_noted_too() -> None:
    assert all(paper.sees is not None for paper in PAPERS)
