"""May a webhook be told this: by the project's policy, and by what its person allowed and limited at this moment.

In: notices. Out: yes or no. Promised: asked right before a message is sent, so that a withdrawal holds for all that
waits; of somebody whom the engine does not know, or who never said anything, nothing is told where consent is needed;
of somebody whose data is restricted (GDPR art. 18) nothing is told at all, policy or not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from livepost.announce.notice import Notice
from livepost.api.happening import KINDS
from livepost.ledger.base import Permit
from livepost.model.person import PersonView
from livepost.project.gate import Gate
from livepost.project.purposes import CAMPAIGN
from livepost.runtime.courier.refusing import Refusals


class People(Protocol):
    """The engine, as far as it knows people."""

    def people(self, ids: Sequence[bytes], at_least: int) -> dict[bytes, PersonView]:
        """Return persons by any of their subjects."""
        ...


class Passing:
    """Says what one target may be told; `gate` returns the one of now, None for a project without a policy."""

    def __init__(
        self,
        target: str,
        gate: Callable[[], Gate | None],
        people: People,
        refusals: Refusals,
        restricted: Callable[[Sequence[bytes]], set[bytes]],
    ) -> None:
        """Take whom it is for, and whom it asks; `restricted` returns those of people whose data is only kept."""
        self._target = target
        self._gate = gate
        self._people = people
        self._refusals = refusals
        self._restricted = restricted

    def __call__(self, notice: Notice) -> bool:
        """Say whether a notice may be sent; raise StoreError where a store is away."""
        if notice.kind not in KINDS:  # a gap, or that somebody was erased
            return True
        told = msgspec.json.decode(notice.data, type=_Told)
        gate, person = self._gate(), bytes.fromhex(told.person)
        if gate is not None and not gate.may(self._target, field_of(gate, told.segment, told.campaign)):
            return False
        if self._restricted([person]):
            return False
        purposes = gate.consents(self._target) if gate else ()
        return not purposes or person in allowing(self._people, self._refusals, [person], purposes)


def field_of(gate: Gate, segment: str, campaign: str) -> str:
    """Return the policy's name for what a message is about: its segment, else its campaign."""
    return gate.purposes.feature(segment) if segment else CAMPAIGN + campaign


def allowing(people: People, refusals: Refusals, persons: Sequence[bytes], purposes: Sequence[str]) -> set[bytes]:
    """Return who of these allows all purposes, by both that know of consents: the stricter holds."""
    asked = [Permit(person=person, purpose=one) for person in persons for one in purposes]
    refused = {permit.person for permit, reason in zip(asked, refusals(asked), strict=True) if reason}
    left = [person for person in persons if person not in refused]
    views = people.people(left, -1) if left else {}
    return {
        person
        for person in left
        if (view := views.get(person)) is not None and all(view.consents.get(one) is True for one in purposes)
    }


def whom_and_what(data: bytes) -> tuple[bytes | None, str]:
    """Return whom a message is about, and about what, as `announce.notice.Notice` has them; (None, "") for nobody."""
    told = msgspec.json.decode(data, type=_Told)
    about = told.segment or (CAMPAIGN + told.campaign if told.campaign else "")
    return (bytes.fromhex(told.person) if told.person else None), about


class _Told(msgspec.Struct):
    """What of a message says what it is about."""

    person: str = ""
    segment: str = ""
    campaign: str = ""
