"""Which records are behind an answer: behind each term now, and behind a journey or a mail as it was then.

In: the compiled project, what is known of one person. Out: `Behind` for each feature. Promised: where the log was not
asked, or a segment was another one then, nothing is told rather than something else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from livepost.ids import event_id
from livepost.model.compiled import CampaignSpec, Compiled
from livepost.model.decision import Decision, Transition
from livepost.model.person import JourneyView
from livepost.model.record import Record
from livepost.ops.behind import Behind, behind, folded_by, of_then, told, value_over
from livepost.ops.condition import Reading, Term
from livepost.ops.evidence import Evidence


class Records:
    """The records behind answers about one person."""

    def __init__(self, compiled: Compiled, evidence: Evidence) -> None:
        """Take what the project says and what is known; without `counted` in it nothing is behind anything."""
        self._compiled = compiled
        self._evidence = evidence
        self._counted = evidence.counted
        self._reading = Reading(compiled, evidence.view)
        self._segments = {spec.name: spec for spec in compiled.segments}

    @property
    def reach(self) -> str:
        """How far the log was searched, in words; "" if it was not."""
        return self._counted.reach if self._counted else ""

    def of_terms(self, terms: Iterable[Term]) -> tuple[Term, ...]:
        """Return terms with what is behind them now."""
        return tuple(msgspec.structs.replace(term, behind=self._now(term.values)) for term in terms)

    def of_audience(self, spec: CampaignSpec) -> tuple[Behind, ...]:
        """Return what is behind a campaign's audience now."""
        return self._now([spec.audience]) if spec.audience else ()

    def of_journey(self, spec: CampaignSpec, journey: JourneyView) -> tuple[Behind, ...]:
        """Return what was behind the audience when a journey began, or the event that began it."""
        if spec.audience is None:
            return self._events(lambda one: one.name == spec.on and one.stamp == journey.entered_at)
        began = (one for one in self._evidence.transitions if one.segment == spec.audience)
        return self._then(next((one for one in began if one.entered and one.at == journey.entered_at), None))

    def of_decision(self, decision: Decision) -> tuple[Behind, ...]:
        """Return what was behind the segment that the person entered, or the event that caused a decision."""
        cause = next((one for one in self._evidence.transitions if one.id == decision.cause), None)
        if cause is not None:
            return self._then(cause)
        return self._events(lambda one: event_id(one.source, one.message_id) == decision.cause)

    def _now(self, names: Iterable[str]) -> tuple[Behind, ...]:
        if self._counted is None:
            return ()
        at, records = self._evidence.view.as_of, self._counted.records
        return tuple(behind(spec, records, at) for spec in self._reading.features(names))

    def _then(self, cause: Transition | None) -> tuple[Behind, ...]:
        if self._counted is None or cause is None:
            return ()
        segment = self._segments.get(cause.segment)
        if segment is None or segment.version != cause.version:
            return ()  # it was another segment then
        records = of_then(list(folded_by(self._counted.records, cause.at, cause.position)), cause.person)
        specs = self._reading.features([cause.segment])
        found = tuple(behind(spec, records, cause.at) for spec in specs)
        if not self._counted.whole:
            return found  # nobody can tell the values
        values = {spec.name: value_over(spec, records, cause.at) for spec in specs if not spec.personal}
        then = Reading(self._compiled, msgspec.structs.replace(self._evidence.view, features=values))
        return tuple(
            msgspec.structs.replace(one, value=values[one.feature], was=then.worded(one.feature))
            if one.feature in values
            else one
            for one in found
        )

    def _events(self, is_it: Callable[[Record], bool]) -> tuple[Behind, ...]:
        found = [one for one in (self._counted.records if self._counted else ()) if is_it(one)]
        return tuple(Behind(feature=one.name, records=(told(one),)) for one in found[:1])
