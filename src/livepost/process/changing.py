"""What control records change: CUT, SEED, READY, UNLINK and BROADCAST (docs/reference/semantics.md, "Changes", "Undoing
a merge", "Broadcasts").

In: what an engine computes with (`Kept`), and a control record. Out: what it computes with afterwards, or what history
there is to fold. Pure: people are brought under it by `People.adopt`.
"""

from __future__ import annotations

import msgspec

from livepost.engine.layout import LAYOUTS_MAX, Layout
from livepost.engine.program import Program
from livepost.errors import ProjectError
from livepost.ids import event_id
from livepost.model.block import Block
from livepost.model.broadcast import REMEMBERED, Broadcast, LastBroadcast
from livepost.model.change import Cut, Definitions, Seed, Switch, taken_over, told_by
from livepost.model.compiled import Compiled
from livepost.model.record import Kind, Origin, Record
from livepost.model.unlink import UNLINKS_MAX, Apart, Unlink

CHANGING = (Kind.CUT, Kind.SEED, Kind.READY, Kind.UNLINK, Kind.BROADCAST, Kind.FORGET)
"""Kinds of the records that change what an engine computes with, bring history, make two people of one, concern
everybody, or take somebody away: each alone in its block.
"""


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What an engine computes with, as its state keeps it.

    layouts   all that rows of the state may have been written under, the newest last
    switch    the last READY, if there was one
    refused   why the last change did not happen, "" if it did
    apart     the merges that were undone, in log order
    broadcast   the last one; `broadcasts` the ids of those before it and its own, the newest last
    """

    definitions: Definitions
    layouts: tuple[Layout, ...] = ()
    switch: Switch | None = None
    refused: str = ""
    apart: tuple[Apart, ...] = ()
    broadcast: LastBroadcast | None = None
    broadcasts: tuple[bytes, ...] = ()

    def program(self) -> Program:
        """Return the program of the project that serves, and of what is to come."""
        cut, layout = self.definitions.cut, self.layouts[-1] if self.layouts else None
        return Program(self.definitions.serving, cut.coming if cut else None, layout)

    def packed(self) -> bytes:
        """Return it as bytes."""
        return msgspec.msgpack.encode(self)


def begun(serving: Compiled) -> tuple[Kept, Program]:
    """Return what an engine begins with."""
    program = Program(serving)
    return Kept(definitions=Definitions(serving=serving), layouts=(program.layout,)), program


def kept_of(raw: bytes) -> Kept:
    """Return what `Kept.packed` gave."""
    return msgspec.msgpack.decode(raw, type=Kept)


def first_project(block: Block) -> Compiled | None:
    """Return the project that a block names first, None if it names none."""
    for place, control in sorted(block.control.items()):
        if block.kind[place] == Kind.PROJECT and "project" in control:
            return msgspec.convert(control["project"], Compiled)
    return None


def control_of(block: Block) -> Record | None:
    """Return the record of a change that a block is, None if it is none."""
    return block.record(0) if block.kind[0] in CHANGING else None


def changed(kept: Kept, record: Record) -> tuple[Kept, Program] | None:
    """Return what a CUT or READY makes of it, with its program; None for a record that changes nothing."""
    if record.kind is Kind.CUT:
        return _cut(kept, record)
    if record.kind is Kind.READY and kept.definitions.cut is not None:
        return _ready(kept, kept.definitions.cut, record)
    return None


def broadcast_of(kept: Kept, record: Record) -> Kept | None:
    """Return what is computed with after a BROADCAST; None for another record, and for a broadcast told before."""
    if record.kind is not Kind.BROADCAST:
        return None
    id_ = event_id(record.source, record.message_id)
    if id_ in kept.broadcasts:
        return None
    try:
        name = told_by(record, Broadcast).campaign
    except msgspec.ValidationError:
        return None
    audience = next((c.audience for c in kept.definitions.serving.campaigns if c.broadcast and c.name == name), None)
    if audience is None:
        return None
    number = 1 if kept.broadcast is None else kept.broadcast.number + 1
    broadcast = LastBroadcast(
        number=number, at=record.stamp, position=record.seq, campaign=name, audience=audience, id=id_
    )
    return msgspec.structs.replace(kept, broadcast=broadcast, broadcasts=(*kept.broadcasts, id_)[-REMEMBERED:])


def seed_of(kept: Kept, record: Record) -> tuple[Kept, Seed] | None:
    """Return the history that a SEED brings, with what is computed with once it is in; None if it is not the next."""
    cut = kept.definitions.cut
    if record.kind is not Kind.SEED or cut is None:
        return None
    run, number = record.control.get("run"), record.control.get("number")
    if (run, number) != (cut.run, kept.definitions.seeded):
        return None
    try:
        seed = told_by(record, Seed)
    except msgspec.ValidationError:
        return None
    definitions = msgspec.structs.replace(kept.definitions, seeded=kept.definitions.seeded + 1)
    return msgspec.structs.replace(kept, definitions=definitions), seed


def unlink_of(kept: Kept, record: Record) -> tuple[Kept, Unlink] | None:
    """Return what an UNLINK makes two people of, if it applies to them, with what is computed with from there on; None
    where it changes nothing.
    """
    if record.kind is not Kind.UNLINK or record.origin is not Origin.BACKFILL or len(kept.apart) >= UNLINKS_MAX:
        return None
    try:
        unlink = msgspec.convert(record.control, Unlink)
    except msgspec.ValidationError:
        return None
    if kept.definitions.cut is not None or kept.definitions.serving.hash() != unlink.project:
        return None
    if any((undo.link, undo.mentioned) == (unlink.link, unlink.mentioned) for undo in kept.apart):
        return None
    one, two = unlink.parts
    apart = Apart(record.seq, unlink.link, unlink.mentioned, (one.ids, two.ids))
    return msgspec.structs.replace(kept, apart=(*kept.apart, apart)), unlink


def _cut(kept: Kept, record: Record) -> tuple[Kept, Program]:
    """Let what is to come count; what a change before this one had counted is dropped: its slots become holes."""
    serving = kept.definitions.serving
    alone = _alone(kept)
    try:
        cut = told_by(record, Cut)
        Program(cut.coming)
        program = Program(serving, cut.coming, alone)
        if program.layout.number > LAYOUTS_MAX:
            raise ProjectError(f"expected at most {LAYOUTS_MAX} changes of one state; `livepost replay` begins anew")
    except (ProjectError, msgspec.ValidationError) as error:
        refused = f"the change at {record.seq} did not happen: {error}"
        definitions = Definitions(serving=serving)
        return _with(kept, Program(serving, layout=alone), definitions, kept.switch, refused)
    definitions = Definitions(serving=serving, cut=cut, cut_at=record.seq)
    return _with(kept, program, definitions, kept.switch)


def _alone(kept: Kept) -> Layout:
    """Return the layout of the project that serves, with nothing beside it."""
    return Program(kept.definitions.serving, layout=kept.layouts[-1]).layout


def _ready(kept: Kept, cut: Cut, record: Record) -> tuple[Kept, Program] | None:
    if record.control.get("run") != cut.run:
        return None
    before, coming = kept.definitions.serving, cut.coming
    names = [one.name for one in coming.segments]
    heirs = taken_over([one.name for one in before.segments], names, cut.carried.get("segment", {}))
    sources = {name: heirs.get(name, "") for name in names}
    program = Program(coming, None, kept.layouts[-1], sources, record.stamp)
    return _with(kept, program, Definitions(serving=coming), _switch(before, cut, record))


def _switch(before: Compiled, cut: Cut, record: Record) -> Switch:
    names = [one.name for one in before.campaigns]
    heirs = taken_over(names, [one.name for one in cut.coming.campaigns], cut.carried.get("campaign", {}))
    return Switch(
        at=record.stamp,
        position=record.seq,
        removed=tuple(one for one in before.campaigns if one.name not in heirs.values()),
        renamed={old: new for new, old in heirs.items() if old != new},
    )


def _with(
    kept: Kept, program: Program, definitions: Definitions, switch: Switch | None, refused: str = ""
) -> tuple[Kept, Program]:
    older = tuple(layout for layout in kept.layouts if layout.number != program.layout.number)
    layouts = (*older, program.layout)
    after = msgspec.structs.replace(kept, definitions=definitions, layouts=layouts, switch=switch, refused=refused)
    return after, program
