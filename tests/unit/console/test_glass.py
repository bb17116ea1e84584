from __future__ import annotations

from typing import Any

import msgspec
import pytest

from livepost.model.principal import Principal, Role
from tests.unit.console.test_pages import ANSWERS, GLASS
from tests.unit.console.told import Browser, ToldHouse


def told(role: Role | None = None, **answers: Any) -> Browser:
    return Browser(ToldHouse(**{**ANSWERS, **answers}), role=role)


def test_who_broke_it_is_listed_with_the_reason_and_an_owner_may_end_it() -> None:
    taken: list[tuple[Any, ...]] = []
    browser = told(end_glass=lambda *asked: taken.append(asked))
    text = browser.get("/glass").text
    for words in (GLASS.user, GLASS.reason, "holds", "End it", "Break the glass"):
        assert words in text
    assert browser.post("/glass", {"act": "end", "id": GLASS.id}).status_code == 200
    assert taken == [(GLASS.id, "console")]
    over = msgspec.structs.replace(GLASS, ended_at=5, ended_by="user:owner")
    assert "ended by user:owner" in told(glass=[over]).get("/glass").text
    assert "Nobody broke the glass" in told(glass=[]).get("/glass").text


def test_it_is_broken_for_a_reason_and_noted_before() -> None:
    taken: list[tuple[Any, ...]] = []
    browser = told("analyst", break_glass=lambda *asked: taken.append((*asked, len(browser.noted))))
    text = browser.get("/glass").text
    assert "Break the glass" in text and "End it" not in text
    assert browser.post("/glass", {"act": "break", "reason": "why", "minutes": "5"}).status_code == 200
    assert taken == [("why", 5, "console", 1)]
    assert browser.noted[0][1].did == "glass.broken"
    assert browser.post("/glass", {"act": "break", "reason": "why", "minutes": "61"}).status_code == 400
    assert browser.post("/glass", {"act": "end", "id": GLASS.id}).status_code == 403
    assert told("auditor").post("/glass", {"act": "break", "reason": "why"}).status_code == 403


@pytest.mark.parametrize("glass", ["", GLASS.id])
def test_all_that_is_looked_at_meanwhile_is_noted_with_it_and_the_page_says_so(
    glass: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = told()

    def roled(who: Principal) -> Principal:
        return Principal(by="user:1", role="analyst", glass=glass)

    monkeypatch.setattr(browser.door, "_roled", roled)
    text = browser.get("/people").text
    assert ("The glass is broken" in text) is bool(glass)
    assert [by for by, _ in browser.noted] == [f"user:1/glass:{glass}" if glass else "user:1"]
