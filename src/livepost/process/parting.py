"""A person made two again, as an UNLINK says (docs/reference/semantics.md, "Undoing a merge").

In: a step's people in work, and the parts. Out: two people with the history that the record brings, evaluated at it as
at a record of both; what to tell others of it.
"""

from __future__ import annotations

from dataclasses import dataclass

from livepost.engine.program import key_of
from livepost.model.decision import OutboxItem, Parting
from livepost.model.moment import Half, Moment
from livepost.model.unlink import Part, Unlink
from livepost.process.deciding import Decider
from livepost.process.history import fold_states
from livepost.process.people import People
from livepost.process.rounds import Rounds
from livepost.process.working import Working

PLACE = 0
"""Where the UNLINK stands in its batch: it is alone there."""


def applies(unlink: Unlink, people: People) -> bool:
    """Say whether the parts are all of one person, and two."""
    parts = [frozenset(part.ids) for part in unlink.parts]
    number = people.number.get(unlink.parts[0].subjects[0][0]) if all(parts) else None
    if number is None or parts[0] & parts[1]:
        return False
    return parts[0] | parts[1] == frozenset(people.row(number).subjects)


@dataclass(frozen=True)
class Parts:
    """The two, by local number, each with the part of the record that is theirs; `kept` goes on under the name."""

    kept: int
    other: int
    kept_part: Part
    other_part: Part


def bring_parts(unlink: Unlink, people: People, work: Working) -> Parts:
    """Bring in the person that an UNLINK which applies is about, and a new one."""
    one, two = unlink.parts
    (whole,) = work.bring([people.number[one.ids[0]]])
    if work.name(whole) not in one.ids:
        one, two = two, one
    return Parts(whole, work.add(two.subjects), one, two)


def part(parts: Parts, stamp: int, position: int, rounds: Rounds, work: Working, decider: Decider) -> list[OutboxItem]:
    """Make the two of the one, whose due times are served, and evaluate both; return what is to be told besides what
    rounds tell.
    """
    parted = decider.part(work.journal(parts.kept), parts.kept_part.consents, parts.other_part.consents)
    work.part(parts.kept, parts.other, parts.kept_part.subjects)
    both = ((parts.kept, parts.kept_part, parted.kept), (parts.other, parts.other_part, parted.other))
    for local, theirs, journal in both:
        _fold(local, theirs, work)
        work.set_journal(local, journal)
    rounds.note(PLACE)
    rounds.records([parts.kept, parts.other], [PLACE, PLACE])
    halves = (_half(parts.kept, parts.kept_part, work), _half(parts.other, parts.other_part, work))
    ended = decider.share(parted.waiting, halves, Moment(stamp, position, live=False))
    for local, half in zip((parts.kept, parts.other), halves, strict=True):
        work.set_journal(local, half.journal)
        work.fixed["journey"][local] = decider.due(half.journal)
    told = Parting(
        person=work.name(parts.kept),
        other=work.name(parts.other),
        subjects=tuple(sorted(work.subjects(parts.other))),
        lost=parted.lost,
        at=stamp,
        position=position,
    )
    return [told, *ended]


def _fold(local: int, theirs: Part, work: Working) -> None:
    readings = {key_of(reading.spec): reading for reading in work.program.readings.values()}
    for feature, states in theirs.history.items():
        if feature in readings:
            fold_states(readings[feature], [(local, state) for state in states], work)


def _half(local: int, theirs: Part, work: Working) -> Half:
    inside = work.fixed["inside"][local]
    segments = frozenset(rule.name for rule, held in zip(work.program.rules, inside.tolist(), strict=False) if held)
    return Half(work.name(local), work.journal(local), segments, frozenset(theirs.events))
