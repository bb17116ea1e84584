"""Step after step over people, under the definitions that the log names.

In: blocks of the log, and what a step is given beside them. Out: what the step makes. Promises: nothing is changed
until it is taken over, which is after it is committed; the same step done again comes out the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from livepost.decide.stage import Campaigns
from livepost.engine.program import Program
from livepost.engine.seen import DAY_MS
from livepost.identity import Separation
from livepost.model.block import Block, first_of
from livepost.model.change import Definitions, Seed
from livepost.model.compiled import Compiled
from livepost.model.record import Record
from livepost.model.unlink import Unlink
from livepost.process.changing import Kept, begun, broadcast_of, changed, control_of, seed_of, unlink_of
from livepost.process.forgetting import forgotten_by
from livepost.process.parting import applies
from livepost.process.people import Delta, People
from livepost.process.stage import step
from livepost.process.timeline import Timeline, empty_timeline


@dataclass(frozen=True)
class Given:
    """What a step is given beside its blocks: most people of a wave, records to leave out, by seq with the reason.

    until   where due times alone are served, up to this stamp (ms): the blocks are only looked at
    """

    wave: int
    failing: Mapping[int, str] = field(default_factory=dict)
    until: int | None = None


@dataclass(frozen=True)
class Made:
    """What a step makes. `kept` is what is computed with from it on, None where that is as before; `program` is its
    program, where people are to be brought under another one.
    """

    delta: Delta
    timeline: Timeline
    kept: Kept | None = None
    program: Program | None = None


class Stepper:
    """People, and what is computed with."""

    def __init__(self, kept: Kept, workspace: str) -> None:
        """Begin with nobody; whoever has people brings them in."""
        self.kept = kept
        self.people = People(kept.program(), kept.layouts)
        self.people.ready_at = _ready_at(kept)
        self.people.apart = _separation(kept)
        self.timeline: Timeline = empty_timeline()
        self._campaigns = Campaigns(kept.definitions.serving, workspace, kept.switch)
        self._workspace = workspace

    @property
    def definitions(self) -> Definitions:
        """What is computed with."""
        return self.kept.definitions

    def is_complete(self) -> bool:
        """Say whether every due time up to the last stamp is served."""
        return self.people.complete_to == self.people.position

    def to_serve_before(self, blocks: Sequence[Block]) -> int | None:
        """Return up to which stamp (ms) due times are to be served before blocks; None if blocks can be taken now.

        They are where a record changes what serves: what was due before it belongs to what served before it. And where
        one is a broadcast: who is in its audience is known when nobody is due before it.
        """
        control = control_of(blocks[0]) if blocks else None
        if control is None or (changed(self.kept, control) is None and broadcast_of(self.kept, control) is None):
            return None
        drained = self.is_complete() and self.people.next_due() > control.stamp
        return None if drained else control.stamp

    def step(self, blocks: Sequence[Block], given: Given) -> Made:
        """Return what blocks make, or the due times before them (`Given.until`); changes nothing."""
        timeline = self.timeline.extended(list(blocks), keep_from=self.people.complete_to + 1)
        if given.until is not None:
            return Made(self._delta([], timeline, given), self.timeline)
        control = control_of(blocks[0]) if blocks else None
        made = None if control is None else self._changed_by(control, blocks, timeline, given)
        return made or Made(self._delta(blocks, timeline, given), timeline)

    def take(self, made: Made) -> None:
        """Take over what a step made."""
        self.people.apply(made.delta)
        self.timeline = made.timeline
        if made.kept is not None and made.kept.apart != self.kept.apart:
            self.people.apart = _separation(made.kept)
        heard, self.kept = self.kept.broadcast, made.kept or self.kept
        if self.kept.broadcast != heard:
            self.people.hear(self.kept.broadcast)
        if made.program is not None:
            self.people.adopt(made.program, _ready_at(self.kept))
            self._campaigns = Campaigns(self.definitions.serving, self._workspace, self.kept.switch)

    def _changed_by(self, control: Record, blocks: Sequence[Block], timeline: Timeline, given: Given) -> Made | None:
        """Return what the only record of the blocks makes, None where it changes nothing."""
        if (seed := seed_of(self.kept, control)) is not None:
            return Made(self._delta(blocks, timeline, given, seed[1]), timeline, seed[0])
        if (unlink := self._unlink_of(control, given)) is not None:
            return Made(self._delta(blocks, timeline, given, unlink=unlink[1]), timeline, unlink[0])
        if (forgotten := forgotten_by(control)) is not None:
            return Made(self._delta(blocks, timeline, given, forgotten=forgotten), timeline)
        if (after := changed(self.kept, control)) is not None:
            return Made(self._passed(control), timeline, *after)
        if (asking := broadcast_of(self.kept, control)) is not None:
            return Made(self._passed(control), timeline, asking)
        return None

    def _unlink_of(self, control: Record, given: Given) -> tuple[Kept, Unlink] | None:
        """Return the undo that a record is, if it applies to people as they are; one on which a step fails does not."""
        found = unlink_of(self.kept, control)
        return found if found and applies(found[1], self.people) and control.seq not in given.failing else None

    def _delta(
        self,
        blocks: Sequence[Block],
        timeline: Timeline,
        given: Given,
        seed: Seed | None = None,
        unlink: Unlink | None = None,
        forgotten: Sequence[bytes] = (),
    ) -> Delta:
        return step(
            self.people,
            blocks,
            self._campaigns,
            timeline,
            self._workspace,
            given.wave,
            given.failing,
            until=given.until,
            seed=seed,
            unlink=unlink,
            forgotten=forgotten,
        )

    def _passed(self, control: Record) -> Delta:
        """Return what is changed of people at a record that changes what is computed with: nothing but their place."""
        return Delta(position=control.seq, as_of=control.stamp, complete_to=self.people.complete_to)


def begin(serving: Compiled, workspace: str) -> Stepper:
    """Return a stepper of a project, with nobody."""
    return Stepper(begun(serving)[0], workspace)


def first_step(blocks: list[Block], at_most: int | None = None) -> list[Block]:
    """Return the first blocks that make one step: they span at most a day of stamps, and a change is alone.

    Of these `at_most` records, where that is said: the last block may be cut.
    """
    near = [block for block in blocks if block.stamp - blocks[0].stamp <= DAY_MS]
    change = next((place for place, block in enumerate(near) if control_of(block) is not None), len(near))
    near = near[: max(change, 1)]
    return near if at_most is None else first_records(near, at_most)


def first_records(blocks: Sequence[Block], at_most: int) -> list[Block]:
    """Return what the blocks have of the first `at_most` records; the last block may be cut."""
    kept: list[Block] = []
    for block in blocks:
        room = at_most - sum(one.count for one in kept)
        if room > 0:
            kept.append(first_of(block, room))
    return kept


def _ready_at(kept: Kept) -> int:
    return kept.switch.position if kept.switch else -1


def _separation(kept: Kept) -> Separation:
    return Separation(apart.sides for apart in kept.apart)
