"""The gate: may this travel to whom, of a person who allowed what.

In: a project's purposes, a destination's name, names of fields, a person's consents. Out: why not, or "". Promised: it
is open only where all is said: the destination is declared, it is allowed the field by name, each of its purposes is
among the field's, and the person allowed each one whose basis is consent. A consent that is missing is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, TypeAlias

from livepost.model.compiled import Compiled
from livepost.model.person import PersonView
from livepost.project.purposes import CAMPAIGN, Purposes
from livepost.settings.policy import Policy

Refusal: TypeAlias = Literal["", "destination", "field", "purpose", "consent"]
"""Why something does not travel: its destination is not declared, may not have it, not for this, or not of this
person.
"""


class Gate:
    """What may travel where, by a project's policy."""

    def __init__(self, policy: Policy, compiled: Compiled) -> None:
        """Take what is promised, and what serves."""
        self.policy = policy
        self.purposes = Purposes(compiled, policy)
        self._views: dict[str, frozenset[str]] = {}

    def consents(self, destination: str) -> tuple[str, ...]:
        """Return the purposes of a destination that a person has to have allowed."""
        declared = self.policy.destinations.get(destination)
        return self._on_consent(declared.purposes) if declared else ()

    def refusal(self, destination: str, field: str, allowed: Mapping[str, bool]) -> Refusal:
        """Return why a field does not travel, "" if it does; `allowed` are consents by purpose."""
        declared = self.policy.destinations.get(destination)
        if declared is None or not declared.purposes:
            return "destination"
        if field not in declared.fields:
            return "field"
        if not self.purposes.of(field).issuperset(declared.purposes):
            return "purpose"
        consented = all(allowed.get(purpose) is True for purpose in self._on_consent(declared.purposes))
        return "" if consented else "consent"

    def may(self, destination: str, field: str) -> bool:
        """Say whether a field may travel of somebody who allowed everything."""
        return not self.refusal(destination, field, dict.fromkeys(self.policy.purposes, True))

    def for_purpose(self, purpose: str, view: PersonView) -> PersonView:
        """Return a person as a mail of a purpose may speak of them: what does not reach it is not there.

        Whether they allow the mail is looked at where it is claimed.
        """
        reached = self._reached(purpose)
        return PersonView(
            person=view.person,
            subjects=view.subjects,
            position=view.position,
            as_of=view.as_of,
            features={name: value for name, value in view.features.items() if self._feature(name) in reached},
            sealed={name: value for name, value in view.sealed.items() if self._feature(name) in reached},
            memberships=tuple(one for one in view.memberships if self._feature(one.segment) in reached),
            journeys=tuple(one for one in view.journeys if CAMPAIGN + one.campaign in reached),
            consents=view.consents,
            next_due=view.next_due,
        )

    def _feature(self, name: str) -> str:
        return self.purposes.feature(name)

    def _reached(self, purpose: str) -> frozenset[str]:
        if purpose not in self.policy.purposes:
            return frozenset()
        if purpose not in self._views:
            names = self.purposes.names
            self._views[purpose] = frozenset(name for name in names if purpose in self.purposes.of(name))
        return self._views[purpose]

    def _on_consent(self, purposes: Iterable[str]) -> tuple[str, ...]:
        known = self.policy.purposes
        return tuple(one for one in purposes if one not in known or known[one].on_consent)


def gate_of(policy: Policy | None, compiled: Compiled) -> Gate | None:
    """Return the gate of a project; None for one without a policy."""
    return None if policy is None else Gate(policy, compiled)
