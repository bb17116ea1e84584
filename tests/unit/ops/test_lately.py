"""Who moved lately, over an engine that is told."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from livepost.model.decision import Transition
from livepost.model.person import MembershipView, PersonView
from livepost.ops.lately import PEOPLE_MAX, TRANSITIONS_MAX, called, people_lately
from livepost.vault.base import ANONYMOUS, EMAIL, USER, ExternalId
from livepost.vault.memory import MemoryVault


class Engine:
    """Transitions, the newest first, of people; `merged` says who is part of whom by now."""

    def __init__(self, moved: Sequence[bytes], merged: dict[bytes, bytes] | None = None) -> None:
        self.moved = moved
        self.merged = merged or {}
        self.asked: list[int] = []

    def transitions(self, person: bytes | None, segment: str | None, limit: int) -> list[Transition]:
        self.asked.append(limit)
        newest = len(self.moved)
        return [transition(one, newest - place) for place, one in enumerate(self.moved[:limit])]

    def people(self, ids: Sequence[bytes], at_least: int) -> dict[bytes, PersonView]:
        return {id: view(self.merged.get(id, id)) for id in ids if id != GONE}


ADA, BOB, CLEO, GONE = (letter * 16 for letter in (b"a", b"b", b"c", b"g"))


def transition(person: bytes, at: int) -> Transition:
    return Transition(
        id=bytes(16), person=person, segment="vip", version="1", number=1, entered=True, at=at, position=at, origin=0
    )


def view(person: bytes) -> PersonView:
    memberships = [MembershipView(segment=name, inside=name != "idle", since=0, number=1) for name in ("vip", "idle")]
    return PersonView(
        person=person,
        subjects=(person,),
        position=0,
        as_of=0,
        features={},
        sealed={},
        memberships=tuple(memberships),
        journeys=(),
        consents={},
        next_due=None,
    )


def lines(engine: Engine, limit: int) -> list[tuple[str, int]]:
    return [(one.person[:2], one.at) for one in people_lately(engine, MemoryVault(), limit)]


def test_who_moved_last_comes_first_and_nobody_twice() -> None:
    engine = Engine([BOB, ADA, BOB, CLEO, ADA])
    assert lines(engine, 10) == [("62", 5), ("61", 4), ("63", 2)]
    assert lines(engine, 2) == [("62", 5), ("61", 4)]
    assert people_lately(engine, MemoryVault(), 1)[0].segments == ("vip",)


def test_who_became_part_of_another_is_told_as_that_one_once_at_the_later_time() -> None:
    assert lines(Engine([BOB, ADA, CLEO], {BOB: CLEO}), 10) == [("63", 3), ("61", 2)]


def test_who_is_not_known_any_more_is_left_out() -> None:
    assert lines(Engine([GONE, ADA]), 10) == [("61", 1)]


def test_more_transitions_are_looked_at_until_there_are_people_enough_within_a_bound() -> None:
    engine = Engine([ADA] * 30 + [BOB])
    assert lines(engine, 2) == [("61", 31), ("62", 1)]
    assert engine.asked == [8, 32]
    busy = Engine([ADA] * 2 * TRANSITIONS_MAX + [BOB])
    assert lines(busy, 2) == [("61", 2 * TRANSITIONS_MAX + 1)]
    assert busy.asked[-1] == TRANSITIONS_MAX


@pytest.mark.parametrize("limit", [0, PEOPLE_MAX + 1])
def test_a_limit_beyond_the_bounds_is_refused(limit: int) -> None:
    with pytest.raises(ValueError, match=f"limit of 1 to {PEOPLE_MAX}, got {limit}"):
        people_lately(Engine([]), MemoryVault(), limit)


def test_a_person_is_called_by_what_names_them_most_surely() -> None:
    ids = [ExternalId(ANONYMOUS, "x1"), ExternalId(EMAIL, "a@example.com"), ExternalId("loyalty", "77")]
    assert called(ids) == "77"
    assert called(ids[:2]) == "a@example.com"
    assert called([*ids, ExternalId(USER, "ada")]) == "ada"
    assert called([]) is None


def test_a_name_is_what_the_vault_opens_and_none_once_the_person_is_forgotten() -> None:
    vault = MemoryVault(new_id=lambda: ADA)
    vault.admit([ExternalId(USER, "ada")])
    vault.commit()
    assert [one.name for one in people_lately(Engine([ADA]), vault, 1)] == ["ada"]
    vault.forget([ADA])
    assert [one.name for one in people_lately(Engine([ADA]), vault, 1)] == [None]
