"""What happened in a round, told: transitions for everybody, and for campaigns the moments of interest to them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np

from livepost.engine.program import Program
from livepost.engine.row import Bools, Ints
from livepost.ids import transition_id
from livepost.model.decision import OutboxItem, Transition
from livepost.model.moment import Moment
from livepost.model.record import Origin
from livepost.process.batch import Batch
from livepost.process.deciding import Decider
from livepost.process.round import DUE, Round
from livepost.process.segments import Changes
from livepost.process.timeline import Timeline

NO_FIELDS: Mapping[str, Any] = MappingProxyType({})
"""What a moment carries at a record of which nobody asks for any."""


@dataclass
class Made:
    """What the rounds of a step made so far; `not_fresh` counts by campaign the triggers that came too late for it."""

    transitions: list[Transition] = field(default_factory=list)
    outbox: list[OutboxItem] = field(default_factory=list)
    not_fresh: Counter[str] = field(default_factory=Counter)


class Happenings:
    """Tells of rounds over one batch. `interesting[place]`: the record at this place is a moment, whatever it changes.

    Of interest to campaigns are records with a name that starts or ends a journey, records that speak of consent, where
    they ask for it records that say a zone, and transitions of an audience.
    """

    def __init__(
        self,
        batch: Batch,
        program: Program,
        decider: Decider,
        timeline: Timeline,
        workspace: str,
        ready_at: int = -1,
    ) -> None:
        """Tell of a batch; `ready_at` is the seq at which people who are settling are evaluated."""
        self._conditions = decider.conditions
        named = np.array([name in decider.names for name in batch.names], bool)
        self.interesting = np.append(named[batch.name], False)
        self.interesting[list(batch.consents)] = True
        self._zones = batch.zones() if decider.zoned else {}
        self.interesting[list(self._zones)] = True
        self._batch = batch
        self._rules = program.rules
        self._audience = np.array([rule.name in decider.audiences for rule in program.rules], bool)
        self._settles = decider.settles
        self._ready_at = ready_at
        self._timeline = timeline
        self._workspace = workspace
        self._seq = np.append(batch.seq, -1)
        self._origin = np.append(batch.origin, Origin.LIVE)
        self._live = (batch.origin == Origin.LIVE).tolist()
        self._names = batch.name.tolist()
        self._effective = batch.effective.tolist()

    def transitions(
        self, a_round: Round, changed: Changes, settling: Bools, names: Callable[[Ints], Sequence[bytes]]
    ) -> list[Transition]:
        """Return the transitions that the changes make; `settling` says of items whether a person settles there,
        `names` how some of the round's people are called.
        """
        items = changed.items
        if not len(items):
            return []
        positions, _ = self._positions(a_round, items, settling)
        origins = np.where(settling[items], Origin.BACKFILL, self._origin[a_round.places[items]])
        columns = (
            changed.segments,
            changed.numbers,
            changed.entered,
            a_round.moments.at[items],
            positions,
            origins,
        )
        called = names(a_round.moments.person[items])
        return [*map(self._transition, called, *(column.tolist() for column in columns))]

    def moments(
        self, a_round: Round, changed: Changes, counted: Bools, settling: Bools, transitions: list[Transition]
    ) -> dict[int, list[Moment]]:
        """Return, per person of the round, the moments at counted items; `settling` as in `transitions`, which are
        those of the changes.
        """
        shown = np.flatnonzero(self._audience[changed.segments])
        wanted = counted & self.interesting[a_round.places]
        wanted[changed.items[shown]] = True
        if self._settles:
            wanted |= settling
        items = np.flatnonzero(wanted)
        if not len(items):
            return {}
        told = self._moments(a_round, items, settling)
        of_change = np.searchsorted(items, changed.items[shown]).tolist()
        for place, change in zip(of_change, shown.tolist(), strict=True):
            told[place].transitions.append(transitions[change])
        by_person: dict[int, list[Moment]] = {}
        for person, moment in zip(a_round.moments.person[items].tolist(), told, strict=True):
            if person in by_person:
                by_person[person].append(moment)
            else:
                by_person[person] = [moment]
        return by_person

    def _moments(self, a_round: Round, items: Ints, settling: Bools) -> list[Moment]:
        positions, lateness = self._positions(a_round, items, settling)
        columns = (a_round.places[items], a_round.moments.at[items], positions, lateness, settling[items])
        rows = zip(*(column.tolist() for column in columns), strict=True)
        return [
            Moment(at, position, late, live=not settles, settles=settles)
            if place == DUE
            else self._of_record(place, at, position)
            for place, at, position, late, settles in rows
        ]

    def _of_record(self, place: int, at: int, position: int) -> Moment:
        batch = self._batch
        name, effective, consent = batch.names[self._names[place]], self._effective[place], batch.consents.get(place)
        return Moment(
            at,
            position,
            name=name,
            event=batch.event_id(place),
            live=self._live[place],
            age_ms=at - effective,
            properties=batch.fields(place) if name in self._conditions else NO_FIELDS,
            consent=consent or NO_FIELDS,
            effective_ts=effective,
            source=batch.source_of(place) if consent else "",
            message_id=batch.message_id[place],
            zone=self._zones.get(place, ""),
        )

    def _transition(
        self, person: bytes, segment: int, number: int, entered: bool, at: int, position: int, origin: int
    ) -> Transition:
        rule = self._rules[segment]
        return Transition(
            id=transition_id(self._workspace, person, rule.name, rule.version, number),
            person=person,
            segment=rule.name,
            version=rule.version,
            number=number,
            entered=entered,
            at=at,
            position=position,
            origin=origin,
        )

    def _positions(self, a_round: Round, items: Ints, settling: Bools) -> tuple[Ints, Ints]:
        """Return the log position of items, and how late each is served (ms; 0 at a record)."""
        places, at = a_round.places[items], a_round.moments.at[items]
        positions, lateness = self._seq[places], np.zeros(len(items), np.int64)
        due = np.flatnonzero(places == DUE)
        if len(due):
            positions[due], stamps = self._timeline.positions(at[due])
            lateness[due] = stamps - at[due]
        positions[settling[items]] = self._ready_at
        return positions, lateness
