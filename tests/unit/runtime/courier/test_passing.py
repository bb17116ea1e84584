"""A webhook is told of somebody what the policy names, while they allow it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from livepost.announce.notice import Notice
from livepost.ledger.base import Permit
from livepost.model.person import PersonView
from livepost.project.gate import Gate
from livepost.runtime.courier.passing import Passing
from tests.unit.project.test_gate import policy, project, view

ADA = b"a" * 16


class House:
    """Knows one person, and what is refused."""

    def __init__(self, **consents: bool) -> None:
        self.views: dict[bytes, PersonView] = {ADA: view(**consents)}
        self.refused: set[str] = set()
        self.kept_only: set[bytes] = set()
        self.asked = 0

    def people(self, ids: Sequence[bytes], at_least: int) -> dict[bytes, PersonView]:
        self.asked += 1
        return {id: self.views[id] for id in ids if id in self.views}

    def refusals(self, asked: Sequence[Permit]) -> list[str]:
        return ["withdrawn" if one.purpose in self.refused else "" for one in asked]

    def restricted(self, persons: Sequence[bytes]) -> set[bytes]:
        return self.kept_only & {*persons}


def gate(**destinations: Any) -> Gate:
    told = {name: {"purposes": purposes, "fields": fields} for name, (purposes, fields) in destinations.items()}
    return Gate(policy(told), project())


def notice(kind: str, **told: str) -> Notice:
    data = msgspec.json.encode({"type": kind, "person": ADA.hex(), "id": "x", **told})
    return Notice(id="n", kind=kind, at=0, data=data, cursor="c")


ENTERED = notice("transition", segment="both", state="entered")
DECIDED = notice("decision", campaign="hello", state="pending")
GAP = Notice(id="g", kind="gap", at=0, data=b'{"type":"gap","reason":"x"}', cursor="c")
LETTERS = gate(erp=(["letters"], ["P.both", "campaign.hello"]))


def passing(house: House, found: Gate | None = LETTERS, target: str = "erp") -> Passing:
    return Passing(target, lambda: found, house, house.refusals, house.restricted)


def test_what_is_named_passes_while_its_person_allows_it() -> None:
    house = House(letters=True)
    asks = passing(house)
    assert (asks(ENTERED), asks(DECIDED), asks(GAP)) == (True, True, True)
    house.refused.add("letters")
    assert not asks(ENTERED), "the ledger heard it first"
    house.refused.clear()
    house.views[ADA] = view(letters=False)
    assert not asks(ENTERED)
    house.views[ADA] = view()
    assert not asks(ENTERED), "nothing was ever said"
    house.views.clear()
    assert not asks(ENTERED), "nobody knows them"
    assert asks(GAP), "it is about nobody"


@pytest.mark.parametrize(
    "found",
    [
        gate(erp=(["letters"], ["campaign.hello"])),
        gate(erp=(["orders"], ["P.both"])),
        gate(erp=(["letters", "unheard"], ["P.both"])),
        gate(erp=([], ["P.both"])),
        gate(other=(["letters"], ["P.both"])),
    ],
)
def test_what_is_not_named_or_not_for_this_does_not(found: Gate) -> None:
    house = House(letters=True, profiling=True)
    assert not passing(house, found)(ENTERED)
    assert house.asked == 0, "nobody has to be asked for that"


def test_without_consent_to_ask_for_nobody_is_asked() -> None:
    house = House()
    bought = gate(erp=(["orders"], ["P.bought"]))
    assert not passing(house, bought)(ENTERED)
    assert passing(house, bought)(notice("transition", segment="bought", state="entered"))
    assert house.asked == 0


def test_without_a_policy_all_is_told_as_before() -> None:
    assert passing(House(), None)(ENTERED)


@pytest.mark.parametrize("found", [None, gate(erp=(["orders"], ["P.both", "P.bought", "campaign.hello"]))])
def test_of_somebody_whose_data_is_restricted_nothing_is_told_policy_or_not(found: Gate | None) -> None:
    house = House(letters=True)
    asks = passing(house, found)
    bought = notice("transition", segment="bought", state="entered")
    assert asks(bought)
    house.kept_only = {ADA}
    assert not any(map(asks, (bought, ENTERED, DECIDED)))
    erased = Notice(id="e", kind="person.erased", at=0, data=b'{"type":"person.erased"}', cursor="")
    assert asks(GAP), "it is about nobody"
    assert asks(erased), "who keeps copies has to hear that somebody is gone"
    house.kept_only = {b"b" * 16}
    assert asks(bought), "somebody else's"
