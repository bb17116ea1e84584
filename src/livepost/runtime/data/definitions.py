"""What the log names, as its writer keeps it on disk: the project that serves, and the change under way.

In: control records. Out: a file beside the stores. Promised: after a crash at any moment it says what the log says. A
record that is about to be written is noted first (`intent`); the writer's next record is that one, or it was never
written. Without the file the log is read through.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from livepost.errors import StoreError
from livepost.log.base import LogReader, Position
from livepost.model.change import Cut, Ready, told_by
from livepost.model.compiled import Compiled
from livepost.model.record import Kind, Record

READ_RECORDS = 20_000

CONTROLS = (Kind.PROJECT, Kind.CUT, Kind.READY)
"""The records that change what is named."""


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """What the log names at its end.

    serving     the project that serves, or will once the engine has got as far as `ready_at`
    project_at  the seq of the newest PROJECT record; -1 before the first one
    run         of the change that brought it, and `ready_at` the seq of its READY; "" and -1 for a first project
    cut         the change under way, `cut_at` where it began
    intent      the end of the log (seq) when a control record was about to be written
    """

    serving: Compiled
    project_at: int
    run: str = ""
    ready_at: int = -1
    cut: Cut | None = None
    cut_at: Position | None = None
    intent: int | None = None


def after(named: Named | None, record: Record) -> Named | None:
    """Return what is named after one more record (docs/reference/semantics.md, "Changes")."""
    if record.kind is Kind.PROJECT and named is None:
        serving = msgspec.convert(record.control["project"], Compiled)
        return Named(serving=serving, project_at=record.seq)
    if named is None:
        return None
    if record.kind is Kind.PROJECT:
        return msgspec.structs.replace(named, project_at=record.seq)
    if record.kind is Kind.CUT:
        cut = told_by(record, Cut)
        return msgspec.structs.replace(named, cut=cut, cut_at=Position(record.seq, record.stamp))
    if record.kind is Kind.READY and named.cut is not None:
        ready = told_by(record, Ready)
        if ready.run == named.cut.run:
            return Named(serving=named.cut.coming, project_at=named.project_at, run=named.cut.run, ready_at=record.seq)
    return named


def read_named(path: Path, log: LogReader) -> Named | None:
    """Return what a log names, from the file at `path` if it is there; None if the log names nothing yet."""
    try:
        kept = msgspec.json.decode(path.read_bytes(), type=Named)
    except FileNotFoundError:
        return _searched(log)
    except ValueError as error:
        raise StoreError(f"{path} cannot be read ({error}); move it away, and it is made anew from the log") from error
    return settled(kept, log)


def settled(named: Named, log: LogReader) -> Named:
    """Return what is named once it is known whether the record that was about to be written is there."""
    if named.intent is None:
        return named
    blocks = log.read(named.intent, 1)
    named = msgspec.structs.replace(named, intent=None)
    return (after(named, blocks[0].record(0)) if blocks else named) or named


def write_named(path: Path, named: Named) -> None:
    """Put what is named on the disk, whole or not at all; it is there when this returns."""
    beside = path.with_suffix(".new")
    with beside.open("wb") as file:
        file.write(msgspec.json.encode(named))
        file.flush()
        os.fsync(file.fileno())
    beside.rename(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _searched(log: LogReader) -> Named | None:
    """Return what the records of a log name, all of them read."""
    named: Named | None = None
    read = log.first() - 1
    while blocks := log.read(read, READ_RECORDS):
        for block in blocks:
            for place in (place for place, kind in enumerate(block.kind) if kind in CONTROLS):
                named = after(named, block.record(place))
        read = blocks[-1].first + blocks[-1].count - 1
    return named
