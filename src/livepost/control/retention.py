"""Runs of retention: what is under way, how far the log is, and what each run took out of which store.

In: steps that are done. Out: what is to be done next; reports. Promised: a run that was begun is there until its last
step; the last RUNS_MAX are kept, and name nobody.
"""

from __future__ import annotations

import msgspec

from livepost.control.sqlite import ControlStore

RUNS_MAX = 400


class Went(msgspec.Struct, frozen=True, kw_only=True):
    """What went, or would go, of one store.

    field, purposes   by the policy's names; what it is and () where it is no field
    count             how many values or rows
    before            all of before this time (UTC ms of the workspace)
    oldest            the time of the oldest of them; 0 where none is or it is not known
    """

    store: str
    field: str
    purposes: tuple[str, ...] = ()
    count: int = 0
    before: int = 0
    oldest: int = 0


class FoundPersonal(msgspec.Struct, frozen=True, kw_only=True):
    """What looks personal where it was not declared so, and never a value.

    field     by the event's class: `OrderCompleted.note`
    declared  whether the tracking plan has it, as one that stands open; else nobody declared it, and it is sealed
    kind, by  what it looks like (`govern.policy.personal.KINDS`), by its `value` or by its `name`
    count     how many of the values that were looked at, which are `of`
    """

    field: str
    declared: bool
    kind: str
    by: str
    count: int
    of: int


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One run; times are the host's (UTC ms), `ended_at` 0 while it is under way, `done` its steps so far.

    `as_of` is the workspace's time (UTC ms) that ages are counted from, the same for all steps. `found` is what looked
    personal among the newest events.
    """

    id: str
    by: str
    begun_at: int
    as_of: int
    ended_at: int = 0
    done: tuple[str, ...] = ()
    went: tuple[Went, ...] = ()
    found: tuple[FoundPersonal, ...] = ()


def begin(store: ControlStore, run: Run) -> None:
    """Let a run begin, durably."""
    with store.transaction():
        store.write("INSERT INTO retention_runs VALUES (?, ?, ?, ?)", (run.id, run.begun_at, 0, _encode(run)))
        store.write(
            "DELETE FROM retention_runs WHERE ended_at != 0 AND id NOT IN"
            " (SELECT id FROM retention_runs ORDER BY begun_at DESC, id LIMIT ?)",
            (RUNS_MAX,),
        )


def go_on(store: ControlStore, run: Run, place: tuple[str, int] | None = None) -> None:
    """Write down how far a run is, and up to which seq (exclusive) the log is thinned for some fields."""
    with store.transaction():
        store.write(
            "UPDATE retention_runs SET ended_at = ?, body = ? WHERE id = ?", (run.ended_at, _encode(run), run.id)
        )
        if place is not None:
            store.write(
                "INSERT INTO retention_places VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET seq = excluded.seq", place
            )


def under_way(store: ControlStore) -> Run | None:
    """Return the run that is not through, None if there is none."""
    found = store.read("SELECT body FROM retention_runs WHERE ended_at = 0 ORDER BY begun_at LIMIT 1")
    return _decode(found[0][0]) if found else None


def runs(store: ControlStore, limit: int = 10) -> list[Run]:
    """Return the newest runs, the newest first."""
    found = store.read("SELECT body FROM retention_runs ORDER BY begun_at DESC, id LIMIT ?", (limit,))
    return [_decode(body) for (body,) in found]


def place(store: ControlStore, name: str) -> int:
    """Return the seq up to which (exclusive) the log is thinned for some fields; 0 at first."""
    found = store.read("SELECT seq FROM retention_places WHERE name = ?", (name,))
    return int(found[0][0]) if found else 0


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Run).decode
