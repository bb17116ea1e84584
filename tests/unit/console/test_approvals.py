from __future__ import annotations

from typing import Any

from livepost.control.approvals import Approval, Eye
from tests.unit.console.test_pages import ANSWERS, APPROVAL
from tests.unit.console.told import Browser, ToldHouse

FORM = {"act": "export", "what": "approve", "id": APPROVAL.id}


def told(**answers: Any) -> Browser:
    return Browser(ToldHouse(**{**ANSWERS, **answers}))


def test_what_waits_says_what_will_be_done_who_asks_and_why() -> None:
    text = told().get("/approvals").text
    for words in (*APPROVAL.told, APPROVAL.asked_by, APPROVAL.reason, APPROVAL.hash.hex()):
        assert words in text
    assert "Approve exactly this" in text
    assert 'href="/approvals"' in told().get("/system").text


def test_what_is_over_is_listed_and_cannot_be_approved() -> None:
    over: Approval = Approval(
        **{name: getattr(APPROVAL, name) for name in APPROVAL.__struct_fields__ if name not in ("used_at", "approved")},
        used_at=7,
        approved=(Eye("user:9", 5),),
    )
    text = told(approvals=[over]).get("/approvals").text
    assert "Approve exactly this" not in text
    assert "used, approved by user:9" in text
    assert "Nothing waits for a second person" in told(approvals=[]).get("/approvals").text


def test_a_form_approves_or_refuses_as_the_user_who_sends_it() -> None:
    taken: list[tuple[Any, ...]] = []
    browser = told(settle_approval=lambda *asked: taken.append(asked))
    assert browser.post("/approvals", FORM).status_code == 200
    assert taken == [(APPROVAL.id, "export", "approve", "console")]
    assert browser.post("/approvals", {**FORM, "act": "nothing"}).status_code == 400
    assert browser.post("/approvals", {**FORM, "id": "x"}).status_code == 400
