"""A person forgotten, as a FORGET says (docs/reference/semantics.md, "Forgetting").

In: a step's people in work, and the subjects. Out: nobody under these subjects any more. Promised: what was due before
the record is served before, so that the rest is the same however the log is cut; who is not there changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from livepost.engine.subjects import NOBODY
from livepost.model.change import told_by
from livepost.model.forget import Forget
from livepost.model.record import Kind, Record
from livepost.process.people import People
from livepost.process.rounds import Rounds
from livepost.process.working import Working


def forgotten_by(record: Record) -> tuple[bytes, ...] | None:
    """Return the subjects that a FORGET names; None for another record."""
    if record.kind is not Kind.FORGET:
        return None
    try:
        return told_by(record, Forget).subjects
    except msgspec.ValidationError:
        return ()


def bring_forgotten(subjects: Sequence[bytes], people: People, work: Working) -> list[int]:
    """Bring in the people of the subjects, as far as there are any; return their local numbers."""
    numbers = people.number.find(subjects).tolist() if subjects else []
    return work.bring(dict.fromkeys(number for number in numbers if number != NOBODY))


def forget(gone: Sequence[int], stamp: int, rounds: Rounds, work: Working) -> None:
    """Let people (local numbers) be nobody, their due times up to `stamp` (ms) served before."""
    rounds.due_times(gone, [stamp] * len(gone))
    for local in gone:
        work.forget(local)
