"""Mails as the ledger has them, kept or not: those of a state, and the story of one.

`/mails` lists those that need a look first: unknown, held, failed, skipped. The mailbox shows what mails say, where
they are kept; these pages show what became of them, whoever carried them.
"""

from __future__ import annotations

from collections import Counter
from http import HTTPStatus
from typing import Annotated, Literal

import msgspec

from livepost.audit.deed import Deed, named, people_of
from livepost.console.campaign import CONSOLE
from livepost.console.house import House
from livepost.console.live import SELDOM_S
from livepost.console.page import ANY, Form, Page
from livepost.console.segment import NAME_MAX
from livepost.console.state import COLOURS, state_word
from livepost.errors import RejectedError
from livepost.govern.access.permission import Permission
from livepost.ledger.base import MAX_LISTED, AskedBroadcast, Delivery, Verdict
from livepost.ledger.moves import State
from livepost.model.decision import reason_words
from livepost.ops.by_hand import NOTE_CHARS, OF_STATE, WORDS
from livepost.ops.mail_story import MailStory, todo

SHOWN = 50
"""Mails listed unless more are asked for."""

ID_CHARS = 32
FIRST: tuple[State, ...] = ("unknown", "held", "failed", "skipped")
"""States that are looked at first, in this order; the others follow as they are listed elsewhere."""

CLASSES = ("marketing", "transactional")


class MailsAsked(msgspec.Struct, frozen=True, kw_only=True):
    """`state` is that of the mails listed; `campaign` is "" for all; `limit` how many."""

    state: State = "unknown"
    campaign: Annotated[str, msgspec.Meta(max_length=NAME_MAX)] = ""
    limit: Annotated[int, msgspec.Meta(ge=1, le=MAX_LISTED)] = SHOWN


class MailLine(msgspec.Struct, frozen=True, kw_only=True):
    """A mail: its decision and person in hex, when it changed last (UTC ms), why it is as it is."""

    id: str
    person: str
    campaign: str
    at: int
    cause: str
    why: str


class MailsView(msgspec.Struct, frozen=True, kw_only=True):
    """What the list shows.

    states      (state, word, how many) of all campaigns, or of the chosen one
    todo        by class, what can be done about the state that is listed
    waiting     broadcasts that wait for approval
    more        how many mails may be asked for next, 0 if there are no more
    """

    states: list[tuple[str, str, int]]
    campaigns: list[str]
    mails: list[MailLine]
    todo: list[tuple[str, str]]
    waiting: list[AskedBroadcast]
    more: int


class StoryAsked(msgspec.Struct, frozen=True, kw_only=True):
    """Which mail: its decision's id in hex."""

    id: Annotated[str, msgspec.Meta(max_length=NAME_MAX)]


class StoryTold(msgspec.Struct, frozen=True):
    """The form of one mail: what somebody says of it, and why."""

    verdict: Verdict
    note: Annotated[str, msgspec.Meta(max_length=NOTE_CHARS)] = ""


class StoryView(msgspec.Struct, frozen=True, kw_only=True):
    """What the page of one mail shows; `kept` says whether the mailbox has it, `verdicts` are what can be said of it,
    with the words of their buttons.
    """

    story: MailStory
    kept: bool
    verdicts: list[tuple[Verdict, str]]


class MailsTold(msgspec.Struct, frozen=True):
    """The form of held mails: those that were listed, in hex with commas between, go out or are dropped."""

    verdict: Literal["release", "drop"]
    ids: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}(,[0-9a-f]{32})*$", max_length=33 * SHOWN)]


def _mails(house: House, asked: MailsAsked) -> MailsView:
    standings = house.campaigns()
    counts: Counter[str] = Counter()
    for one in standings:
        if asked.campaign in ("", one.campaign):
            counts.update(one.by_state)
    found = house.deliveries(None, asked.campaign or None, asked.state, asked.limit)
    return MailsView(
        states=[(state, state_word(state), counts[state]) for state in dict.fromkeys((*FIRST, *COLOURS))],
        campaigns=[one.campaign for one in standings],
        mails=[_line(one) for one in found],
        todo=_todo(asked.state, found),
        waiting=[one for one in house.broadcasts(MAX_LISTED) if one.waits],
        more=min(asked.limit * 4, MAX_LISTED) if len(found) == asked.limit < MAX_LISTED else 0,
    )


def _line(one: Delivery) -> MailLine:
    return MailLine(
        id=one.decision.id.hex(),
        person=one.person.hex(),
        campaign=one.decision.campaign,
        at=one.changed_at,
        cause=one.decision.cause_text,
        why=reason_words(one.reason, one.detail),
    )


def _todo(state: State, found: list[Delivery]) -> list[tuple[str, str]]:
    """Return what to do: a sentence a class, or, of skipped mails, a reason."""
    told: dict[str, str] = {}
    for one in found:
        about = (reason_words(one.reason) if state == "skipped" else one.decision.class_) or state_word(state)
        told[about] = todo(state, one.decision.class_, one.reason)
    return [(about, words) for about, words in told.items() if words]


def _story(house: House, asked: StoryAsked) -> StoryView:
    story = house.mail_story(asked.id)
    if story is None:
        raise RejectedError(
            "the ledger knows no mail of this id: it has "
            f"{ID_CHARS} hexadecimal digits, as lists of mails link it; /mails lists mails by state",
            code="no_delivery",
            status=HTTPStatus.NOT_FOUND,
        )
    verdicts = [(verdict, WORDS[verdict]) for verdict in OF_STATE.get(story.reason.state, ())]
    return StoryView(story=story, kept=house.mail(asked.id) is not None, verdicts=verdicts)


def _say(house: House, asked: StoryAsked, told: StoryTold) -> StoryView:
    _story(house, asked)  # refuses a mail that there is not
    house.say([bytes.fromhex(asked.id)], told.verdict, CONSOLE, told.note)
    return _story(house, asked)


def _say_all(house: House, asked: MailsAsked, told: MailsTold) -> MailsView:
    house.say([bytes.fromhex(id_) for id_ in told.ids.split(",")], told.verdict, CONSOLE, "")
    return _mails(house, asked)


MAILS = Page(
    path="/mails",
    needs=Permission("read", "mails"),
    name="mails",
    title="Mails by state",
    asked=MailsAsked,
    show=_mails,
    sees=lambda asked, view: Deed("mails.read", people_of(one.person for one in view.mails)),
    rail="campaigns",
    every_s=SELDOM_S,
    form=Form(
        told=MailsTold,
        needs={ANY: Permission("change", "mails")},
        does=lambda asked, told: Deed(f"mails.{told.verdict}"),
        take=_say_all,
    ),
)
STORY = Page(
    path="/mails/{id}",
    needs=Permission("read", "mails"),
    name="delivery",
    title="The story of a mail",
    asked=StoryAsked,
    show=_story,
    sees=lambda asked, view: Deed("mail.read", people_of([view.story.person]), named(asked.id)),
    rail="campaigns",
    every_s=SELDOM_S,
    form=Form(
        told=StoryTold,
        needs={ANY: Permission("change", "mails")},
        does=lambda asked, told: Deed(f"mail.{told.verdict}", about=named(asked.id)),
        take=_say,
    ),
)
