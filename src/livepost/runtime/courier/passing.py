"""May a webhook be told this: by the project's policy, and by what its person allowed at this moment.

In: notices. Out: yes or no. Promised: asked right before a message is sent, so that a withdrawal holds for all that
waits; of somebody whom the engine does not know, or who never said anything, nothing is told where consent is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from livepost.announce.notice import GAP, Notice
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

    def __init__(self, target: str, gate: Callable[[], Gate | None], people: People, refusals: Refusals) -> None:
        """Take whom it is for, and whom it asks."""
        self._target = target
        self._gate = gate
        self._people = people
        self._refusals = refusals

    def __call__(self, notice: Notice) -> bool:
        """Say whether a notice may be sent; raise StoreError where a store is away."""
        gate = self._gate()
        if gate is None or notice.kind == GAP:
            return True
        told = msgspec.json.decode(notice.data, type=_Told)
        field = gate.purposes.feature(told.segment) if told.segment else CAMPAIGN + told.campaign
        if not gate.may(self._target, field):
            return False
        purposes = gate.consents(self._target)
        return not purposes or self._allowed(bytes.fromhex(told.person), purposes)

    def _allowed(self, person: bytes, purposes: Sequence[str]) -> bool:
        """Ask both that know of consents: the stricter holds."""
        if any(self._refusals([Permit(person=person, purpose=one) for one in purposes])):
            return False
        view = self._people.people([person], -1).get(person)
        return view is not None and all(view.consents.get(one) is True for one in purposes)


class _Told(msgspec.Struct):
    """What of a message says what it is about."""

    person: str = ""
    segment: str = ""
    campaign: str = ""
