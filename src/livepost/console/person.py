"""One person: their line of time, and beside it what is known of them and why they get mails or do not."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from livepost.audit.deed import Deed
from livepost.clock import DAY_MS, moment
from livepost.console.feature import FeatureLine, feature_lines
from livepost.console.house import House
from livepost.console.live import SELDOM_S
from livepost.console.page import Page
from livepost.console.people import ID_MAX, found_person
from livepost.console.story import KINDS, Entry, entry, kind_of
from livepost.console.words import counted
from livepost.govern.access.permission import Permission
from livepost.model.choice import Said
from livepost.model.compiled import Compiled
from livepost.model.person import PersonView
from livepost.model.story import PersonStory
from livepost.ops.why import PersonReason

SHOWN = 100
"""Entries of the line of time that are shown unless more are asked for."""

SAID_SHOWN = 50
"""Proofs of consent that are shown."""

SHOWN_MAX = 1_000
"""Entries the house is asked for at most."""


class PersonAsked(msgspec.Struct, frozen=True, kw_only=True):
    """`id` is any id of the person; `kind` is the kind of entries shown, "" for all; `limit` how many."""

    id: Annotated[str, msgspec.Meta(max_length=ID_MAX)]
    kind: Literal["", "event", "transition", "decision", "delivery", "outcome"] = ""
    limit: Annotated[int, msgspec.Meta(ge=1, le=SHOWN_MAX)] = SHOWN


class TimeView(msgspec.Struct, frozen=True, kw_only=True):
    """The line of time by days, the newest first; how far it reaches; how many may be asked for next (0: no more)."""

    days: list[list[Entry]]
    reach: str
    more: int


class PersonPage(msgspec.Struct, frozen=True, kw_only=True):
    """What the page shows; consents are a purpose each, with a word and its class."""

    person: PersonView
    hex: str
    features: list[FeatureLine]
    consents: list[tuple[str, str, str]]
    said: list[Said]
    reasons: PersonReason
    time: TimeView
    kinds: dict[str, str]


def _person(house: House, asked: PersonAsked) -> PersonPage:
    view = found_person(house, asked.id)
    project = house.project()
    story = house.story(view, SHOWN_MAX if asked.kind else asked.limit)
    return PersonPage(
        person=view,
        hex=view.person.hex(),
        features=feature_lines(project, view),
        consents=_consents(project, view),
        said=house.said(view.person, SAID_SHOWN),
        reasons=house.reasons(view, records=True),
        time=_time(story, asked),
        kinds=KINDS,
    )


def _consents(project: Compiled, view: PersonView) -> list[tuple[str, str, str]]:
    """Return each purpose of the project and of the person's own consents."""
    words = {True: ("allowed", "good"), False: ("not allowed", "bad"), None: ("never said", "soft")}
    purposes = dict.fromkeys([one.purpose for one in project.campaigns] + sorted(view.consents))
    return [(purpose, *words[view.consents.get(purpose)]) for purpose in purposes]


def _time(story: PersonStory, asked: PersonAsked) -> TimeView:
    fitting = [one for one in story.entries if asked.kind in ("", kind_of(one))]
    shown = fitting[: asked.limit]
    days: dict[int, list[Entry]] = {}
    for one in map(entry, shown):
        days.setdefault(one.at // DAY_MS, []).append(one)
    is_cut = len(fitting) > len(shown) or (not story.complete and len(story.entries) >= asked.limit)
    more = min(asked.limit * 3, SHOWN_MAX) if is_cut and asked.limit < SHOWN_MAX else 0
    return TimeView(days=list(days.values()), reach=_reach(story, asked, len(shown)), more=more)


def _reach(story: PersonStory, asked: PersonAsked, shown: int) -> str:
    """Say how far the line of time looked back."""
    kinds = KINDS.get(asked.kind, "")
    looked = f" of the newest {counted(len(story.entries), 'entry', 'entries')}, {kinds}s only" if kinds else ""
    count = counted(shown, "entry", "entries")
    if story.complete:
        return f"{count}{looked}; nothing is known that is older."
    back = moment(story.looked_back_to)
    return f"{count}{looked}; the log was searched back to {back}, what is older may be missing."


PERSON = Page(
    path="/people/{id}",
    needs=Permission("read", "people"),
    name="person",
    title="Person",
    asked=PersonAsked,
    show=_person,
    sees=lambda asked, view: Deed("person.read", tuple(view.person.subjects)),
    rail="people",
    every_s=SELDOM_S,
)
