"""Who moved lately: the people of the newest transitions, with what they may be called.

In: the engine's transitions and people, the vault. Out: a line a person, the one who moved last first. Promised: at
most PEOPLE_MAX; nobody twice (fewer people, where two became one since); nothing is read of people who were forgotten.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from livepost.model.decision import Transition
from livepost.model.person import PersonView
from livepost.model.standing import PersonLine
from livepost.vault.base import ANONYMOUS, EMAIL, USER, ExternalId, Vault

PEOPLE_MAX = 100
"""People told at most."""

TRANSITIONS_A_PERSON = 4
"""Transitions looked at first for each person asked for; four times as many again as long as they are too few."""

TRANSITIONS_MAX = 6_400
"""Transitions looked at in the end."""


class Engine(Protocol):
    """The engine, as far as it tells who moved."""

    def transitions(self, person: bytes | None, segment: str | None, limit: int) -> list[Transition]:
        """Return transitions, newest first."""
        ...

    def people(self, ids: Sequence[bytes], at_least: int) -> dict[bytes, PersonView]:
        """Return persons by any of their subjects."""
        ...


def people_lately(engine: Engine, vault: Vault, limit: int) -> list[PersonLine]:
    """Return the people who entered or left a segment last; ValueError unless `limit` is 1 to PEOPLE_MAX."""
    if not 1 <= limit <= PEOPLE_MAX:
        raise ValueError(f"expected a limit of 1 to {PEOPLE_MAX}, got {limit}")
    newest = _newest(engine, limit)
    at = {one.person: one.at for one in reversed(newest)}
    names = list(dict.fromkeys(one.person for one in newest))[:limit]
    views = engine.people(names, -1)
    found: dict[bytes, PersonLine] = {}
    for name in names:
        view = views.get(name)
        if view is not None and view.person not in found:
            found[view.person] = _line(view, at[name], vault)
    return list(found.values())


def _newest(engine: Engine, people: int) -> list[Transition]:
    """Return the newest transitions, those of so many people if there are so many, within TRANSITIONS_MAX."""
    looked = TRANSITIONS_A_PERSON * people
    newest = engine.transitions(None, None, looked)
    while len({one.person for one in newest}) < people and len(newest) == looked < TRANSITIONS_MAX:
        looked = min(4 * looked, TRANSITIONS_MAX)
        newest = engine.transitions(None, None, looked)
    return newest


def called(ids: Sequence[ExternalId]) -> str | None:
    """Return what to call somebody by: the userId, else a declared key, an email address, an anonymousId."""
    kinds = (ANONYMOUS, EMAIL, *sorted({id.kind for id in ids} - {ANONYMOUS, EMAIL, USER}), USER)
    return max(ids, key=lambda id: kinds.index(id.kind)).value if ids else None


def _line(view: PersonView, at: int, vault: Vault) -> PersonLine:
    return PersonLine(
        person=view.person.hex(),
        name=called(vault.external_ids(view.subjects)),
        segments=tuple(one.segment for one in view.memberships if one.inside),
        at=at,
    )
