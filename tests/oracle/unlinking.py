"""The naive engine through undone merges: docs/reference/semantics.md, "Undoing a merge", in plain Python.

What an UNLINK says of history, consents and events is not read here: all is told by the records of each part, so that
an engine that reads it wrong is found. Its parts are compared with what the links of this log leave.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from livepost.ids import event_id
from livepost.model.change import told_by
from livepost.model.compiled import CampaignSpec, Compiled
from livepost.model.decision import Parting
from livepost.model.record import KeyKind, Kind, Mention, Origin, Record
from livepost.model.unlink import Unlink
from tests.oracle.changing import Changing, Settling
from tests.oracle.naive import Ending, Journey, OracleResult, Person, Standing

Side = frozenset[bytes]


@dataclass(frozen=True)
class Joint:
    """A record that made one person of two: its seq, its subject, and whom it mentions."""

    seq: int
    subject: bytes
    mentioned: bytes


class Unlinking(Changing):
    """Takes UNLINK records, too."""

    def __init__(self, compiled: Compiled, records: Sequence[Record], workspace: str) -> None:
        super().__init__(compiled, records, workspace)
        self.joints: list[Joint] = []
        self.apart: list[tuple[Side, Side]] = []
        self.undone: list[tuple[int, Unlink]] = []

    def take(self, record: Record) -> Ending | None:
        """Take the next record of the log."""
        if record.kind == Kind.UNLINK and record.origin == Origin.BACKFILL:
            self.unlink(record, told_by(record, Unlink))
        return super().take(record)

    def link(self, record: Record, mention: Mention) -> None:
        """Merge where that is allowed, and remember what made it."""
        person, other = self.person_by_subject[record.subject], self.seen(mention.subject, mention.known)
        by_alias = record.name == "$alias" and record.key == KeyKind.SECRET
        if person is other or (self.are_kept_apart(person, other) and not by_alias):
            return
        super().link(record, mention)
        if self.person_by_subject[record.subject] is self.person_by_subject[mention.subject]:
            self.joints.append(Joint(record.seq, record.subject, mention.subject))

    def are_kept_apart(self, one: Person, other: Person) -> bool:
        """Say whether an undo has somebody of each on another side."""
        mine, theirs = one.subjects.keys(), other.subjects.keys()
        return any((a & mine and b & theirs) or (b & mine and a & theirs) for a, b in self.apart)

    def sides_of(self, person: Person, joint: Joint) -> tuple[Side, Side]:
        """Return who is linked to either end of a joint by the others."""
        left = [one for one in self.joints if one != joint]

        def linked(subject: bytes) -> Side:
            found = {subject}
            for _ in person.subjects:
                for one in left:
                    if {one.subject, one.mentioned} & found:
                        found |= {one.subject, one.mentioned}
            return frozenset(found)

        return linked(joint.subject), linked(joint.mentioned)

    def unlink(self, record: Record, told: Unlink) -> None:
        """Make two of one."""
        one, other = (frozenset(part.ids) for part in told.parts)
        person = self.person_by_subject.get(next(iter(one), b""))
        if person is None or not other or one & other or one | other != person.subjects.keys():
            return
        if self.cut is not None or told.project != self.compiled.hash():
            return
        joint = next((each for each in self.joints if (each.seq, each.mentioned) == (told.link, told.mentioned)), None)
        if joint is None:
            return
        assert {one, other} == set(self.sides_of(person, joint)), "the parts are not those that the log has"
        self.joints.remove(joint)
        self.apart.append((one, other))
        self.undone.append((record.seq, told))
        self.serve(person, record.stamp)
        self.part(person, one if person.name in one else other, record, told.upto)

    def part(self, person: Person, staying: Side, record: Record, upto: int) -> None:
        """Let `staying` go on under the person's name, and the others be another person."""
        waiting = {name: each.journey for name, each in person.standings.items() if each.journey is not None}
        kept, other = (
            Person(
                subjects={each: known for each, known in person.subjects.items() if (each in staying) == stays},
                records=[each for each in person.records if (each.subject in staying) == stays and each.seq <= upto],
                bits=dict(person.bits) if stays else {},
                numbers=dict(person.numbers),
                standings={name: without_journey(each) for name, each in person.standings.items()},
                evaluated_at=person.evaluated_at,
                zone=person.zone,
                capped=list(person.capped),
            )
            for stays in (True, False)
        )
        allowed = kept.consents()
        lost = tuple(sorted(purpose for purpose, said in person.told.items() if said and purpose not in allowed))
        kept.told = {purpose: said for purpose, said in person.told.items() if purpose not in lost}
        names = {"person": kept.name, "other": other.name, "subjects": tuple(sorted(other.subjects))}
        self.outbox.append(Parting(**names, lost=lost, at=record.stamp, position=record.seq))
        self.seeded |= {(feature.version, each) for feature in self.features.values() for each in person.subjects}
        for each in (kept, other):
            self.person_by_subject.update(dict.fromkeys(each.subjects, each))
            self.refold(each)
            self.evaluate(each, at_record(record))
        for campaign in self.compiled.campaigns:
            if campaign.name in waiting:
                self.share(campaign, waiting[campaign.name], kept, other, record)

    def share(self, campaign: CampaignSpec, journey: Journey, kept: Person, other: Person, record: Record) -> None:
        """Give a journey to whose event began it, else to who is inside; else end it."""
        for person in (kept, other):
            if journey.cause in {event_id(each.source, each.message_id) for each in person.records}:
                person.standing(campaign.name).journey = journey
                return
        for person in (kept, other):
            if person.bits.get(campaign.audience or "", False):
                person.standing(campaign.name).journey = journey
                return
        self.decide(kept, campaign, journey, at_record(record), "unlink")


def at_record(record: Record) -> Settling:
    """Return the evaluation at an UNLINK: nothing starts."""
    return Settling(at=record.stamp, position=record.seq, record=None, lateness=0)


def without_journey(standing: Standing) -> Standing:
    """Return what else is remembered."""
    return Standing(None, standing.last_entry, list(standing.taken), list(standing.watched), standing.assignment)


def run(compiled: Compiled, records: Sequence[Record], workspace: str) -> OracleResult:
    """Return what the log means; `compiled` serves from its beginning."""
    engine = Unlinking(compiled, records, workspace)
    endings = [engine.take(record) for record in records]
    return engine.finish(endings)
