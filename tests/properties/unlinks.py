"""Hypothesis strategies for logs in which merges are undone: UNLINK at any place, made by the house's own reader.

Out: a `Case` with 1-4 undos among many links; some come twice, of another project, as live, or with a subject missing:
these change nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from hypothesis import strategies as st

from livepost.log.base import Position
from livepost.model.block import block_of
from livepost.model.compiled import Compiled
from livepost.model.record import Kind, Mention, Origin, Record
from livepost.model.unlink import Apart, Unlink
from livepost.ops.unlinks import Unlinks
from tests.oracle.unlinking import Joint, Unlinking
from tests.properties.changes import Blocks, by_definition, changing_cases, numbered
from tests.properties.driver import WORKSPACE
from tests.properties.generators import DAY, HOUR, Case, Dice, any_log, any_project


@st.composite
def unlinking_cases(draw: st.DrawFn) -> Case:
    """Return cases: a project, and a log in which merges are undone, and now and then the project changes."""
    dice = Dice(draw)
    if not dice.chance(4):
        return plain_case(dice, strays=True)
    case = draw(changing_cases())
    blocks = with_mentions(dice, case.blocks)
    with_undos(dice, blocks, case.compiled, strays=True)
    return Case(case.compiled, numbered(blocks))


@st.composite
def plain_cases(draw: st.DrawFn) -> Case:
    """Return cases in which the project stays, and each UNLINK undoes a merge."""
    return plain_case(Dice(draw), strays=False)


def plain_case(dice: Dice, *, strays: bool) -> Case:
    """Return a case in which the project stays; with `strays` there may be UNLINKs that change nothing."""
    project = by_definition(any_project(dice))
    blocks = with_mentions(dice, any_log(dice, project))
    with_undos(dice, blocks, project, strays=strays)
    return Case(project, numbered(blocks))


def with_mentions(dice: Dice, blocks: Blocks) -> Blocks:
    """Return a log in which records mention others more often."""
    cast = {r.subject: r.known for block in blocks for r in block if r.kind == Kind.EVENT}
    everybody = [Mention(subject, known) for subject, known in cast.items()]
    return [[mentioning(dice, record, everybody) for record in block] for block in blocks]


def mentioning(dice: Dice, record: Record, everybody: list[Mention]) -> Record:
    """Return an event with one more mention, now and then; copies of one another stay so."""
    others = [one for one in everybody if one.subject != record.subject and one not in record.mentions]
    if record.kind != Kind.EVENT or not others or dice.pick((True, True, False)):
        return record
    return msgspec.structs.replace(record, mentions=(*record.mentions, dice.pick(others)))


def with_undos(dice: Dice, blocks: Blocks, project: Compiled, *, strays: bool) -> None:
    """Put 1-4 undos into a log that has links, each behind the one before."""
    at = 0
    for _ in range(dice.pick((1, 2, 3, 4))):
        at += 1 + dice.pick(range(max(len(blocks) - at, 1)))
        at = min(at, len(blocks))
        numbered(blocks)
        known = [record for block in blocks[:at] for record in block]
        oracle = Unlinking(project, known, WORKSPACE)
        for record in known:
            oracle.take(record)
        if not oracle.joints:
            continue
        told = undo_of(blocks[:at], oracle, dice.pick(oracle.joints))
        for one in with_strays(dice, unlink(told)) if strays else [unlink(told)]:
            blocks.insert(at, [in_time(dice, blocks, at, one)])
            at += 1


def unlink(told: Unlink) -> Record:
    """Return an undo's record."""
    control = msgspec.msgpack.decode(msgspec.msgpack.encode(told))
    return Record(kind=Kind.UNLINK, origin=Origin.BACKFILL, control=control)


def with_strays(dice: Dice, good: Record) -> Iterator[Record]:
    """Yield an undo's record, and now and then others that change nothing."""
    control = good.control
    if dice.chance(4):
        other = {"project": "another"} if dice.pick((True, False)) else {"parts": [control["parts"][0]] * 2}
        yield msgspec.structs.replace(good, control=control | other)
    if dice.chance(6):
        yield msgspec.structs.replace(good, origin=Origin.LIVE)
    yield good
    if dice.chance(4):
        yield good


def in_time(dice: Dice, blocks: Blocks, at: int, record: Record) -> Record:
    """Return a record with a stamp that fits behind the first `at` blocks."""
    before = blocks[at - 1][0].stamp
    behind = blocks[at][0].stamp if at < len(blocks) else before + dice.pick((0, 1, HOUR, DAY))
    stamp = dice.pick((before, behind, (before + behind) // 2))
    return msgspec.structs.replace(record, stamp=stamp, effective_ts=stamp)


def undo_of(blocks: Blocks, oracle: Unlinking, joint: Joint) -> Unlink:
    """Return the undo of a link as the house reads it in the log."""
    person = oracle.person_by_subject[joint.subject]
    others = sorted(subject for subject in person.subjects if subject != person.name)
    upto = Position(blocks[-1][-1].seq, blocks[-1][0].stamp)
    with Unlinks(oracle.compiled, (person.name, *others), apart_of(oracle)) as unlinks:
        unlinks.read([block_of(some, some[0].seq, some[0].stamp) for some in blocks], upto)
        link = next(one for one in unlinks.links.links if (one.position, one.mentioned) == (joint.seq, joint.mentioned))
        return unlinks.unlink(link, {})


def apart_of(oracle: Unlinking) -> list[Apart]:
    """Return the undos that took effect, as an engine remembers them."""
    return [
        Apart(seq, told.link, told.mentioned, (told.parts[0].ids, told.parts[1].ids)) for seq, told in oracle.undone
    ]
