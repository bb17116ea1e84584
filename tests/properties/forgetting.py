"""Hypothesis strategies for logs in which people are forgotten: FORGET at any place, of anybody's subjects."""

from __future__ import annotations

from hypothesis import strategies as st

from livepost.model.record import Kind, Record
from tests.properties.changes import Blocks, by_definition, numbered
from tests.properties.generators import Case, Dice, any_log, any_project
from tests.properties.unlinks import in_time, with_mentions


@st.composite
def forgetting_cases(draw: st.DrawFn) -> Case:
    """Return cases: a project, and a log with many links in which people are forgotten, and some come again."""
    dice = Dice(draw)
    project = by_definition(any_project(dice))
    blocks = with_mentions(dice, any_log(dice, project))
    with_forgets(dice, blocks)
    return Case(project, numbered(blocks))


def with_forgets(dice: Dice, blocks: Blocks) -> None:
    """Put 1-4 FORGETs into a log; now and then one is of nobody."""
    cast = sorted({record.subject for block in blocks for record in block if record.kind == Kind.EVENT})
    for _ in range(dice.pick((1, 2, 3, 4))):
        at = 1 + dice.pick(range(len(blocks)))
        subjects = [bytes(16)] if dice.chance(6) or not cast else [dice.pick(cast) for _ in range(dice.pick((1, 2)))]
        record = Record(kind=Kind.FORGET, control={"subjects": subjects})
        blocks.insert(at, [in_time(dice, blocks, at, record)])


@st.composite
def ended_cases(draw: st.DrawFn) -> Case:
    """Return cases as a house writes them: nothing of anybody comes behind the FORGET that takes them away."""
    return ended_case(Dice(draw))


def ended_case(dice: Dice) -> Case:
    """Return a case at whose end people are forgotten."""
    project = by_definition(any_project(dice))
    blocks = with_mentions(dice, any_log(dice, project))
    cast = sorted({record.subject for block in blocks for record in block if record.kind == Kind.EVENT})
    for _ in range(dice.pick((1, 2))):
        subjects = [dice.pick(cast)] if cast else []
        record = Record(kind=Kind.FORGET, control={"subjects": subjects})
        blocks.append([in_time(dice, blocks, len(blocks), record)])
    return Case(project, numbered(blocks))
