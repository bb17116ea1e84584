"""Personal values as each role sees them: canaries through every page and operation, raw for the owner only."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from livepost.api import action
from livepost.api.app import OPERATIONS
from livepost.api.house import House as ApiHouse
from livepost.console.app import PAGES, PAPERS
from livepost.console.house import House
from livepost.govern.access.rules import default_rules, load_rules
from livepost.govern.access.sight import Sight
from livepost.model.letter import Replayed
from livepost.model.message import RenderedMail
from livepost.model.principal import Principal, Role
from livepost.model.standing import PersonLine
from livepost.ops.mailbox import MailPage
from livepost.ops.seen import OPEN, Seen, seen_by
from tests.unit.api.house import NOTE, PAGE, START, Asked
from tests.unit.console.letters import Letters, letter
from tests.unit.console.shop import ADA
from tests.unit.console.test_mailbox import LINE as MAIL_LINE
from tests.unit.console.test_mailbox import _shown
from tests.unit.console.test_noted import path_of
from tests.unit.console.test_pages import ANSWERS
from tests.unit.console.told import Browser, ToldHouse

NAME, ADDRESS, ID = "Canaryfirst", "canary.mail@canary.example", "canary-user-77"
CANARIES = (NAME, ADDRESS, ID)
MASKED: tuple[Role, ...] = ("analyst", "auditor")
GREETING = NOTE.replace("Note", "Dear {{ first_name }}")


def raw(text: str) -> set[str]:
    return {one for one in CANARIES if one.casefold() in text.casefold()}


@pytest.fixture
def asked(tmp_path: Path) -> Iterator[Asked]:
    page = PAGE.replace('subject="Still looking?"', 'subject="Still looking, {{ first_name }} of {{ email }}?"')
    page = page.replace("    first_name = ", "    email = latest(Identified.email)\n    first_name = ")
    made = Asked(tmp_path, page, {"note.mjml": GREETING})
    traits = {"email": ADDRESS, "firstName": NAME}
    consent = {"consent": {"categoryPreferences": {"marketing": True}}}
    made.tell({"type": "identify", "userId": ID, "traits": traits, "context": consent})
    made.views(ID, "tea", "pot")
    yield made
    made.house.close()


def everything(asked: Asked, role: Role) -> str:
    """Return all that the API answers to a role, about one person."""
    asked.role = role
    path = {"{id}": ID, "{name}": "nudge"}
    told = ""
    for one in OPERATIONS:
        url = one.path
        for gap, value in path.items():
            url = url.replace(gap, "keen" if one.name == "members" and gap == "{name}" else value)
        told += asked.ask(url, key=None, cookie="session=holds").text
    return told


def test_no_answer_of_the_api_has_a_raw_value_for_who_is_masked(asked: Asked) -> None:
    assert raw(everything(asked, "owner")) == {NAME, ADDRESS}  # a preview says them
    for role in MASKED:
        assert raw(everything(asked, role)) == set(), role


@pytest.mark.parametrize(("role", "said"), [("owner", {NAME, ADDRESS}), ("marketer", {NAME}), ("developer", {NAME})])
def test_a_test_mail_says_no_more_than_its_asker_sees(
    role: Role, said: set[str], asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Any] = []
    monkeypatch.setattr(action, "require_secret", lambda keys, request: Principal(by="key:server", role=role))
    preview = asked.of

    def of(*given: Any) -> Any:
        made.append(preview(*given))
        return made[-1]

    monkeypatch.setattr(asked, "of", of)
    wish = json.dumps({"person": ID, "campaign": "nudge", "to": "me@example.com"}).encode()
    answer = asked.ask("/api/test-send", "POST", None, wish, **{"Idempotency-Key": "k"})
    assert answer.status_code == 202, answer.text
    assert raw(str(made)) == said


def shop() -> ToldHouse:
    """Return a house whose every answer with personal values has the canaries."""
    line = msgspec.structs.replace(MAIL_LINE, to=ADDRESS, subject=f"Hello {NAME}")
    headers = [("From", "shop@example.com"), ("To", ADDRESS), ("Subject", f"Hello {NAME}"), ("X-Of", ID)]
    mail = _shown(
        to=ADDRESS, subject=f"Hello {NAME}", headers=headers, text=NAME, html=f"<p>{ID}</p>", raw=NAME.encode()
    )
    letters = Letters(letter(17))
    call = {"userId": ID, "traits": {"email": ADDRESS, "firstName": NAME}}

    def opened(position: int, *, open: bool) -> Any:
        told = letters.answers["letter"](position, open=open)
        return msgspec.structs.replace(told, call=call) if open else told

    def preview(view: Any, campaign: str, sight: Sight) -> RenderedMail:
        name = sight.shown("Identified.first_name", NAME)
        return RenderedMail(subject=f"Hello {name}", html=f"<p>{name}</p>", text=str(name))

    return ToldHouse(
        **ANSWERS
        | {
            "people": [PersonLine(person=ADA.hex(), name=name, segments=(), at=START) for name in (ID, ADDRESS)],
            "mails": MailPage(mails=[line], older=None, looked_at=1),
            "mail": mail,
            "letter": opened,
            "preview": preview,
            "replay": Replayed(position=17),
        }
    )


def looked_at(role: Role) -> str:
    """Return all bytes that a role gets of the console, the forms that open something with them."""
    browser = Browser(shop(), role=role)
    told = ""
    for one in (*PAGES, *PAPERS):
        url = path_of(one.path, getattr(one, "name", "mail"))
        told += browser.get(url, {"person": ADA.hex(), "campaign": "reminder"} if "preview" in url else None).text
    told += browser.post("/dead/17", {"act": "open"}).text
    told += browser.post("/dead/17", {"act": "try", "edits": "true", "call": "{}"}).text
    return told


def test_no_page_has_a_raw_value_for_who_is_masked() -> None:
    assert raw(looked_at("owner")) == set(CANARIES)
    assert raw(looked_at("privacy_officer")) == set(CANARIES)
    for role in MASKED:
        assert raw(looked_at(role)) == set(), role
    assert ADDRESS not in looked_at("marketer")
    assert ID not in looked_at("marketer")
    assert "c…@canary.example" in looked_at("marketer")
    assert raw(looked_at("developer")) <= {NAME}


def test_a_house_without_masks_is_found() -> None:
    line = shop().people(1)
    assert raw(str(line)) == {ID, ADDRESS}
    masked = seen_by(shop(), default_rules().sight(Principal(by="user:1", role="analyst"))).people(1)
    assert raw(str(masked)) == set()


def test_an_analyst_tells_people_apart_by_pseudonyms_that_only_this_workspace_can_make() -> None:
    who = Principal(by="user:1", role="analyst")
    here, there = (load_rules(None, key).sight(who) for key in (b"a" * 32, b"b" * 32))
    assert here.shown("user_id", ID) == here.shown("user_id", ID.upper()) != here.shown("user_id", "other")
    assert here.shown("user_id", ID) != there.shown("user_id", ID)


@pytest.mark.parametrize("house", [House, ApiHouse])
def test_whatever_a_house_answers_is_said_to_be_open_or_is_masked(house: type) -> None:
    questions = {name for name, _ in inspect.getmembers(house, inspect.isfunction) if not name.startswith("_")}
    masked = {name for name in vars(Seen) if not name.startswith("_")}
    assert questions - OPEN - masked == set()
    assert not OPEN & masked


def test_what_nobody_spoke_of_cannot_be_asked() -> None:
    sight = default_rules().sight(Principal(by="user:1", role="owner"))
    with pytest.raises(AttributeError, match="say in livepost"):
        Seen(ToldHouse(secrets=1), sight).secrets  # noqa: B018


def test_what_a_user_asks_for_goes_under_their_name() -> None:
    house = ToldHouse(broadcast=lambda *asked: asked, approve=lambda *asked: asked)
    sight = default_rules().sight(Principal(by="user:7", role="owner"))
    by_user, by_session = seen_by(house, sight, "user:7"), seen_by(house, sight)
    for seen, name in ((by_user, "user:7"), (by_session, "console")):
        assert seen.broadcast("letter", "m", "console")[-1] == name
        assert seen.approve(b"", "console")[-1] == name
