"""Hypothesis strategies for logs with broadcasts: BROADCAST at any place, told twice, of nothing, and beside changes.

Out: a `Case` whose project has campaigns to broadcast, and whose log has 1-5 broadcasts.
"""

from __future__ import annotations

import msgspec
from hypothesis import strategies as st

from livepost.model.broadcast import broadcast_record
from livepost.model.compiled import CampaignSpec, Compiled
from livepost.model.record import Record
from tests.properties.changes import Blocks, by_definition, changing, numbered
from tests.properties.generators import DAY, Case, Dice, any_log, any_project


@st.composite
def broadcast_cases(draw: st.DrawFn) -> Case:
    """Return cases with broadcasts; in some the project changes as well."""
    dice = Dice(draw)
    project = with_broadcasts(dice, by_definition(any_project(dice)))
    blocks = any_log(dice, project)
    if dice.chance(3):
        blocks = changing(dice, project, blocks).blocks
    names = [spec.name for spec in project.campaigns if spec.broadcast]
    for number in range(dice.pick((1, 2, 3, 5))):
        name = dice.pick((*names * 4, "nobody's"))
        broadcast = broadcast_record(name, f"b{number}")
        for _ in range(dice.pick((1, 1, 1, 2))):
            insert(dice, blocks, broadcast)
    return Case(project, numbered(blocks))


def with_broadcasts(dice: Dice, project: Compiled) -> Compiled:
    """Return a project in which some campaigns, the first at least, are broadcast to a segment."""
    first, *others = project.campaigns
    campaigns = [as_broadcast(dice, project, first)]
    campaigns += [as_broadcast(dice, project, one) if dice.chance(2) else one for one in others]
    return msgspec.structs.replace(project, campaigns=tuple(campaigns))


def as_broadcast(dice: Dice, project: Compiled, spec: CampaignSpec) -> CampaignSpec:
    """Return a campaign that is broadcast."""
    audience = spec.audience or dice.pick(project.segments).name
    return msgspec.structs.replace(
        spec, audience=audience, on=None, where=None, broadcast=True, over_ms=dice.pick((0, 3_600_000))
    )


def insert(dice: Dice, blocks: Blocks, record: Record) -> None:
    """Put a record into a log, alone in its block, at a time between its neighbours'."""
    place = dice.pick(range(len(blocks) + 1))
    before = blocks[max(place - 1, 0)][0].stamp
    behind = blocks[place][0].stamp if place < len(blocks) else before + dice.pick((0, 1, 3_600_000, DAY))
    stamp = dice.pick((before, behind, (before + behind) // 2)) if place else behind
    blocks.insert(place, [msgspec.structs.replace(record, stamp=stamp, effective_ts=stamp)])
