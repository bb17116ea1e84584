"""No field leaves without purpose and consent: every combination, against an oracle written apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain, combinations, product
from typing import Any

import msgspec
import pytest

from livepost.model.compiled import CampaignSpec, Compiled, EventSpec, FeatureSpec, FieldSpec, SegmentSpec
from livepost.model.person import JourneyView, MembershipView, PersonView
from livepost.model.record import SealedValue
from livepost.project.gate import Gate, gate_of
from livepost.settings.policy import Policy

BASES = {"letters": "consent", "profiling": "consent", "orders": "contract"}
MADE_OF = {
    "Identified.email": ["Identified.email"],
    "Identified.phone": ["Identified.phone"],
    "Bought": ["Bought"],
    "Looked.at": ["Looked"],
    "P.phone": ["Identified.phone"],
    "P.bought": ["Bought"],
    "P.seen": ["Looked"],
    "P.both": ["Bought", "Looked"],
    "P.all": ["Bought", "Looked", "Identified.phone"],
    "campaign.hello": ["Bought", "Looked"],
    "P.nothing": [],
}
"""Names, and the fields and events of which they are made; the last is not in the project."""
SAID = {
    "Identified.email": {"letters", "orders"},
    "Identified.phone": {"orders"},
    "Bought": {"letters", "profiling", "orders"},
    "Looked": {"letters", "profiling"},
}
NAMED = ["Identified.email", "P.phone", "P.bought", "P.both", "P.all", "campaign.hello", "P.nothing", "Bought"]
"""What each destination may have by name."""
STATES = (True, False, None)
"""A consent: given, refused or withdrawn, never said."""


def subsets(names: Any) -> Iterator[tuple[str, ...]]:
    """Yield every subset."""
    return chain.from_iterable(combinations(sorted(names), size) for size in range(len(names) + 1))


def destinations() -> dict[str, Any]:
    """Return a destination for each set of purposes, one of them for a purpose that nobody declared."""
    told = {f"to_{'_'.join(purposes)}": {"purposes": purposes, "fields": NAMED} for purposes in subsets(BASES)}
    return {**told, "to_unknown": {"purposes": ["letters", "unheard"], "fields": NAMED}}


def policy(to: Mapping[str, Any] | None = None) -> Policy:
    """Return what is promised, with other destinations if some are given."""
    return msgspec.convert(
        {
            "controller": {"name": "A shop", "contact": "a@shop.example"},
            "purposes": {name: {"text": name, "basis": basis, "retention": "90d"} for name, basis in BASES.items()},
            "fields": {name: {"purposes": sorted(said)} for name, said in SAID.items() if "." in name},
            "events": {name: {"purposes": sorted(said)} for name, said in SAID.items() if "." not in name},
            "destinations": destinations() if to is None else to,
        },
        Policy,
    )


def segment(name: str, *parts: tuple[str, str]) -> SegmentSpec:
    """Return a segment of features and segments."""
    one = {"type": "const", "value": 1}
    told = [
        {"type": "compare", "op": ">", "left": {"type": kind, "name": of}, "right": one}
        if kind == "feature"
        else {"type": kind, "name": of}
        for kind, of in parts
    ]
    return SegmentSpec(name=name, condition={"type": "and", "of": told})


def project() -> Compiled:
    """Return a project with something of each kind."""
    phone = FieldSpec(name="phone", keys=("phone",), type="str", personal=True)
    email = FieldSpec(name="email", keys=("email",), type="str", personal=True)
    return Compiled(
        profile="P",
        events=(
            EventSpec(name="$identify", cls="Identified", fields=(email, phone)),
            EventSpec(name="Bought", cls="Bought", fields=()),
            EventSpec(name="Looked", cls="Looked", fields=(FieldSpec(name="at", keys=("at",), type="str"),)),
        ),
        features=(
            FeatureSpec(name="phone", kind="latest", event="$identify", field="phone", personal=True),
            FeatureSpec(name="bought", kind="count", event="Bought"),
            FeatureSpec(name="seen", kind="latest", event="Looked", field="at"),
        ),
        segments=(
            segment("both", ("feature", "bought"), ("feature", "seen")),
            segment("all", ("segment", "both"), ("feature", "phone")),
        ),
        campaigns=(CampaignSpec(name="hello", audience="both"),),
    )


def oracle(purposes: tuple[str, ...], field: str, consents: Mapping[str, bool]) -> bool:
    """Say whether a field may leave, in the plainest words."""
    if not purposes or field not in NAMED or not MADE_OF[field]:
        return False
    for purpose in purposes:
        if purpose not in BASES:
            return False
        for leaf in MADE_OF[field]:
            if purpose not in SAID[leaf]:
                return False
        if BASES[purpose] == "consent" and not consents.get(purpose, False):
            return False
    return True


def wrong(gate: Any) -> list[tuple[Any, ...]]:
    """Return every case in which a gate and the oracle say different things."""
    found = []
    for states in product(STATES, repeat=len(BASES)):
        consents = {name: state for name, state in zip(BASES, states, strict=True) if state is not None}
        for name, told in destinations().items():
            for field in MADE_OF:
                passes = not gate.refusal(name, field, consents)
                if passes != oracle(tuple(told["purposes"]), field, consents):
                    found.append((name, field, consents, passes))
    return found


def test_every_destination_field_and_consent_is_as_the_oracle_says() -> None:
    gate = Gate(policy(), project())
    assert wrong(gate) == []
    open_ = sum(
        not gate.refusal(name, field, dict.fromkeys(BASES, True)) for name in destinations() for field in MADE_OF
    )
    assert open_ > 10, "the gate opens, too"


class _ForgetsConsent(Gate):
    def refusal(self, destination: str, field: str, allowed: Mapping[str, bool]) -> Any:
        return super().refusal(destination, field, dict.fromkeys(BASES, True))


class _TakesSilenceForYes(Gate):
    def refusal(self, destination: str, field: str, allowed: Mapping[str, bool]) -> Any:
        return super().refusal(destination, field, {name: allowed.get(name, True) for name in BASES})


class _AnyPurposeWillDo(Gate):
    def refusal(self, destination: str, field: str, allowed: Mapping[str, bool]) -> Any:
        found = super().refusal(destination, field, allowed)
        declared = self.policy.destinations[destination].purposes
        return "" if found == "purpose" and self.purposes.of(field) & {*declared} else found


class _AsksForNoName(Gate):
    def refusal(self, destination: str, field: str, allowed: Mapping[str, bool]) -> Any:
        found = super().refusal(destination, field, allowed)
        return "" if found == "field" and self.purposes.of(field) else found


@pytest.mark.parametrize("fault", [_ForgetsConsent, _TakesSilenceForYes, _AnyPurposeWillDo, _AsksForNoName])
def test_a_gate_with_a_fault_is_found(fault: type[Gate]) -> None:
    assert wrong(fault(policy(), project())) != []


def test_a_destination_that_is_not_declared_gets_nothing() -> None:
    gate = Gate(policy(), project())
    assert {gate.refusal("nobody", field, dict.fromkeys(BASES, True)) for field in MADE_OF} == {"destination"}


def view(**consents: bool) -> PersonView:
    """Return a person of whom there is something of each kind."""
    sealed = SealedValue("web", b"s", "m", "phone", b"")
    return PersonView(
        person=b"p",
        subjects=(b"p",),
        position=1,
        as_of=1,
        features={"bought": 3, "seen": "pot", "$zone": "UTC"},
        sealed={"phone": sealed, "$address": sealed},
        memberships=tuple(MembershipView(segment=name, inside=True, since=0, number=1) for name in ("both", "all")),
        journeys=(JourneyView(campaign="hello", entered_at=0, due=1, cause_text=""),),
        consents=dict(consents),
        next_due=None,
    )


def test_for_a_purpose_a_person_has_what_reaches_it() -> None:
    gate = Gate(policy(), project())

    def left(purpose: str) -> tuple[Any, ...]:
        one = gate.for_purpose(purpose, view(letters=True))
        inside = [membership.segment for membership in one.memberships]
        return dict(one.features), sorted(one.sealed), inside, [journey.campaign for journey in one.journeys]

    assert left("letters") == ({"bought": 3, "seen": "pot"}, ["$address"], ["both"], ["hello"])
    assert left("profiling") == ({"bought": 3, "seen": "pot"}, [], ["both"], ["hello"])
    assert left("orders") == ({"bought": 3}, ["$address", "phone"], [], [])
    assert left("unheard") == ({}, [], [], [])
    assert gate.for_purpose("letters", view(letters=True)).consents == {"letters": True}


def test_a_project_without_a_policy_has_no_gate() -> None:
    assert gate_of(None, project()) is None


@pytest.mark.parametrize("sale", [False, True])
def test_what_is_a_sale_needs_a_yes_whatever_its_basis_is(sale: bool) -> None:
    told = policy({"ads": {"purposes": ["orders"], "fields": ["P.bought"]}})
    orders = msgspec.structs.replace(told.purposes["orders"], sale=sale)
    gate = Gate(msgspec.structs.replace(told, purposes={**told.purposes, "orders": orders}), project())
    assert gate.refusal("ads", "P.bought", {}) == ("consent" if sale else "")
    assert gate.refusal("ads", "P.bought", {"orders": False}) == ("consent" if sale else "")
    assert gate.refusal("ads", "P.bought", {"orders": True}) == ""
