"""How long each sealed value of the log is kept, as `policy.toml` says it.

In: a policy, and what the project's fields are. Out: terms, and which of them a seal is under. Promised: every seal is
under a term where there is a policy; one that holds several fields goes with the first of them.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from livepost.clock import DAY_MS
from livepost.intake.seal import CALL, CONTEXT, UNDECLARED
from livepost.project.purposes import Purposes
from livepost.settings.policy import Policy

OTHERS = "undeclared"
"""The policy's name for what the tracking plan does not declare, or declares no more."""

IN_CONTEXT = ("ip", "user_agent", OTHERS)
"""What the seal of the context holds."""


class Term(msgspec.Struct, frozen=True, kw_only=True):
    """A field by the policy's name, for what it may be used, how many days it is kept."""

    field: str
    purposes: tuple[str, ...]
    days: int


class Terms(msgspec.Struct, frozen=True):
    """All terms of the log; `by_seal` says which is whose, by an event's name and the name of the seal."""

    by_seal: Mapping[tuple[str, str], Term]
    context: Term | None
    others: Term | None

    def of(self, event: str, seal: str) -> Term | None:
        """Return what a seal is under; None where nothing is promised of it."""
        if seal == CONTEXT:
            return self.context
        if seal in (UNDECLARED, CALL):
            return self.others
        return self.by_seal.get((event, seal), self.others)

    @property
    def all(self) -> list[Term]:
        """Return each term once, in alphabetical order."""
        told = [*self.by_seal.values(), *(one for one in (self.context, self.others) if one)]
        return sorted(dict.fromkeys(told), key=lambda one: (one.field, one.days))


def terms_of(policy: Policy, purposes: Purposes) -> Terms:
    """Return the terms of a project's sealed fields."""
    by_seal = {seal: term for seal, name in purposes.seals.items() if (term := term_of(policy, name))}
    inside = [term for name in IN_CONTEXT if (term := term_of(policy, name))]
    shortest = min(inside, key=lambda one: one.days, default=None)
    return Terms(by_seal, shortest, term_of(policy, OTHERS))


def term_of(policy: Policy, name: str) -> Term | None:
    """Return how long a field is kept: as long as is said of it, never longer than the longest of its purposes allows;
    None where neither is said.
    """
    said = policy.of_field(name)
    longest = max((policy.purposes[one].retention_ms for one in said.purposes if one in policy.purposes), default=0)
    lengths = [length for length in (said.retention_ms, longest) if length]
    if not lengths:
        return None
    return Term(field=name, purposes=said.purposes, days=min(lengths) // DAY_MS)
