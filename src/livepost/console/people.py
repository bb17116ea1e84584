"""People: find one by any of their ids; who entered or left a segment lately."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

import msgspec

from livepost.audit.deed import Deed, people_of
from livepost.console.house import House
from livepost.console.page import Elsewhere, Page
from livepost.errors import RejectedError
from livepost.govern.access.permission import Permission
from livepost.model.person import PersonView
from livepost.model.standing import PersonLine

LINES = 50
"""People listed."""

ID_MAX = 1_000
"""Characters of an id that is looked for."""

NOW = -1
"""The log position to ask `House.person` for where any will do."""

TAKEN = "a userId, a declared key, an email address, an anonymousId or a subject's id in hex"
"""By what a person is found."""


class PeopleAsked(msgspec.Struct, frozen=True):
    """`q` is an id of the person looked for, "" for nobody."""

    q: Annotated[str, msgspec.Meta(max_length=ID_MAX)] = ""


class PeopleView(msgspec.Struct, frozen=True):
    """What the page shows: people who moved lately; if `nobody`, none was found by the id asked for."""

    lines: list[PersonLine]
    nobody: bool
    taken: str = TAKEN


def found_person(house: House, name: str) -> PersonView:
    """Return the person of any id; raise RejectedError (404) if nobody is known by it."""
    view = house.person(name, NOW)
    if view is None:
        raise RejectedError(
            f"nobody is known as {name[:200]}: expected {TAKEN}", code="nobody", status=HTTPStatus.NOT_FOUND
        )
    return view


def _people(house: House, asked: PeopleAsked) -> PeopleView | Elsewhere:
    name = asked.q.strip()
    found = house.person(name, NOW) if name else None
    if found is not None:
        return Elsewhere(f"/people/{found.person.hex()}")
    return PeopleView(house.people(LINES), nobody=bool(name))


def _seen(asked: PeopleAsked, view: PeopleView | Elsewhere) -> Deed:
    return Deed("people.listed", people_of(one.person for one in view.lines) if isinstance(view, PeopleView) else ())


PEOPLE = Page(
    path="/people",
    needs=Permission("read", "people"),
    name="people",
    title="People",
    asked=PeopleAsked,
    show=_people,
    sees=_seen,
)
