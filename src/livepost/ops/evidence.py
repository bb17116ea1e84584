"""What the stores know of one person: what reasons are made of.

In: a person's view, the ledger, the engine's transitions. Out: `Evidence`. Promised: at most MAX_LISTED deliveries, and
transitions of each subject; nothing is changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from livepost.ledger.base import MAX_LISTED, Delivery, Ledger, Move, Note, Outcome
from livepost.model.decision import Transition
from livepost.model.person import PersonView
from livepost.ops.behind import Counted


class Transitions(Protocol):
    """The engine, as far as it tells of transitions."""

    def transitions(self, person: bytes | None, segment: str | None, limit: int) -> list[Transition]:
        """Return transitions, newest first."""
        ...


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What the stores know of one person, newest first; `history`, `notes` and `outcomes` by decision id, oldest
    first.

    `counted` are the events behind what is known, None where the log was not asked.
    """

    view: PersonView
    deliveries: Sequence[Delivery] = ()
    history: Mapping[bytes, Sequence[Move]] = {}
    notes: Mapping[bytes, Sequence[Note]] = {}
    outcomes: Mapping[bytes, Sequence[Outcome]] = {}
    transitions: Sequence[Transition] = ()
    counted: Counted | None = None


def gather(view: PersonView, ledger: Ledger, engine: Transitions) -> Evidence:
    """Return what ledger and engine know of a person; raises StoreError if one of them does not answer."""
    deliveries = ledger.deliveries(person=view.person, limit=MAX_LISTED)
    transitions = [one for name in view.subjects for one in engine.transitions(name, None, MAX_LISTED)]
    ids = [delivery.decision.id for delivery in deliveries]
    return Evidence(
        view=view,
        deliveries=deliveries,
        history={id: ledger.history(id) for id in ids},
        notes={id: ledger.notes(id) for id in ids},
        outcomes={id: ledger.outcomes(id) for id in ids},
        transitions=sorted(transitions, key=lambda one: one.position, reverse=True),
    )
