"""States of deliveries and fates of events as people see them: a word, and the colour that goes with it."""

from __future__ import annotations

from livepost.ledger.moves import State

COLOURS: dict[State, str] = {
    "pending": "soft",
    "claimed": "soft",
    "in_flight": "soft",
    "sent": "good",
    "failed": "bad",
    "unknown": "warn",
    "skipped": "warn",
    "held": "warn",
}
"""The class of each state's word (console.css); in the order in which states are listed."""


def state_word(state: str) -> str:
    """Return a state as it is written.

    >>> state_word("in_flight")
    'in flight'
    """
    return state.replace("_", " ")


def state_colour(state: str) -> str:
    """Return the class of a state's colour; `soft` for what is no state of the ledger (`waiting`, `none`)."""
    return {str(known): colour for known, colour in COLOURS.items()}.get(state, "soft")


def fate_word(fate: str) -> str:
    """Return what people call the fate of an event.

    >>> fate_word("dead_lettered")
    'dead-lettered'
    """
    return fate.replace("_", "-")


def fate_colour(fate: str) -> str:
    """Return the class of the fate of an event that was put aside.

    >>> fate_colour("dead_lettered"), fate_colour("quarantined")
    ('bad', 'warn')
    """
    return "bad" if fate == "dead_lettered" else "warn"


FILTERS = {
    "state_word": state_word,
    "state_colour": state_colour,
    "fate_word": fate_word,
    "fate_colour": fate_colour,
}
"""What templates call by these names."""
