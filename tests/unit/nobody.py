"""A person of whom nothing is known."""

from __future__ import annotations

from livepost.model.person import PersonView


def nobody(name: bytes) -> PersonView:
    """Return a person with one subject and no value."""
    return PersonView(
        person=name,
        subjects=(name,),
        position=0,
        as_of=0,
        features={},
        sealed={},
        memberships=(),
        journeys=(),
        consents={},
        next_due=None,
    )
