"""What a step changed, as the state store keeps it.

In: a `Delta`. Out: a `Commit`: bytes, and columns to find them by.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from livepost.engine.seen import day_of
from livepost.model.decision import Transition
from livepost.process.people import Changed, Delta
from livepost.state.base import Commit, TransitionRow
from livepost.state.pack import NO_ROWS, Pack

_encode = msgspec.msgpack.Encoder().encode

TRANSITIONS = "transitions"
"""The name under which the store counts them, beside the fates of events."""


def commit_of(delta: Delta, program: str, hours: Sequence[tuple[int, bytes]] = (), *, rows: bool = True) -> Commit:
    """Return what a step changed as the state store keeps it, with the `hours` that ended before it; without the rows
    of people if these are kept otherwise.
    """
    return Commit(
        position=delta.position,
        as_of=delta.as_of,
        complete_to=delta.complete_to,
        program=program,
        rows=_pack(delta.changed) if rows else NO_ROWS,
        seen=delta.keys.tobytes() + delta.contents.tobytes() + delta.days.tobytes(),
        seen_day=day_of(delta.as_of),
        outbox=[(item.position, _encode(item)) for item in delta.outbox],
        transitions=[_transition_row(transition) for transition in delta.transitions],
        dead=delta.dead,
        replayed=delta.replayed,
        hours=list(hours),
        counts={**delta.counts, TRANSITIONS: len(delta.transitions)},
    )


def seen_of(blob: bytes) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return a step's dedupe entries as they were: hashes of ids and contents, and days."""
    count = len(blob) // 18
    keys = np.frombuffer(blob, "<u8", count)
    contents = np.frombuffer(blob, "<u8", count, 8 * count)
    return keys, contents, np.frombuffer(blob, "<u2", count, 16 * count)


def _pack(changed: Changed) -> Pack:
    rows = changed.rows
    return Pack(np.array(changed.numbers, np.int64), rows.lengths.astype(np.int32), rows.joined)


def _transition_row(transition: Transition) -> TransitionRow:
    return TransitionRow(transition.person, transition.segment, transition.at, _encode(transition))
