"""An undo of a merge: what the control record UNLINK carries (docs/reference/semantics.md, "Undoing a merge").

The record holds what the log says of the two people that one person was made of, so that folding it needs nothing else.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from livepost.model.change import SeedState
from livepost.model.journal import Consent

UNLINKS_MAX = 4_096
"""Merges that one state can have undone: each is remembered for good, so that no mention makes it again."""

SUBJECTS_MAX = 1_000
"""Subjects of a person who can be made two again."""

EVENTS_MAX = 1_000
"""Events of one part by which a waiting journey is known as its own, the newest ones."""

Sides: TypeAlias = tuple[tuple[bytes, ...], tuple[bytes, ...]]
"""The subjects of two people who are kept apart."""


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One of the two people, as the counted records of the part's own subjects up to `Unlink.upto` leave them.

    subjects  each with whether it is known
    history   feature (by its version) -> the state that each subject's records leave of it, as a SEED has it
    consents  purpose -> what the part itself said last
    events    ids of the events by which a journey that waits now may have begun
    """

    subjects: tuple[tuple[bytes, bool], ...]
    history: dict[str, list[SeedState]] = {}
    consents: dict[str, Consent] = {}
    events: tuple[bytes, ...] = ()

    @property
    def ids(self) -> tuple[bytes, ...]:
        """The ids of the part's subjects."""
        return tuple(subject for subject, _ in self.subjects)


class Unlink(msgspec.Struct, frozen=True, kw_only=True):
    """Kind.UNLINK: the person of the parts' subjects is two people from here on.

    link, mentioned  the seq of the record that made them one, and whom it mentions
    upto             the seq up to which the log was read; none of the person's records stands between it and this one
    project          content hash of the project for which it was read
    """

    link: int
    mentioned: bytes
    upto: int
    project: str
    parts: tuple[Part, Part]


class Apart(msgspec.Struct, frozen=True, array_like=True):
    """An undo that took effect: the seq of its UNLINK, which link it undid, and who is kept apart since."""

    position: int
    link: int
    mentioned: bytes
    sides: Sides
