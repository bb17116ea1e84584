"""The naive engine through changes of its project: docs/reference/semantics.md, "Changes", in plain Python.

A feature that is new at a cut counts a record behind the cut, or one whose subject a seed brought history for: what a
seed says of that history is not read here, so that an engine that reads it wrong is found.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from livepost.model.change import Cut, Ready, Seed, told_by
from livepost.model.compiled import CampaignSpec, Compiled
from livepost.model.decision import Cancellation
from livepost.model.record import Kind, Origin, Record
from tests.oracle.naive import DAY, Ending, Naive, Occasion, OracleResult, Person, Standing
from tests.oracle.values import passings

OF_THE_RUN = ("log", "workspace", "person_by_subject", "remembered", "transitions", "outbox", "floors", "broadcasts")
"""What a change of the project leaves as it is."""


class Settling(Occasion):
    """The evaluation at which another project begins to serve."""

    @property
    def origin(self) -> Origin:
        """It is of the past."""
        return Origin.BACKFILL


class Changing(Naive):
    """Takes control records, too."""

    def __init__(self, compiled: Compiled, records: Sequence[Record], workspace: str) -> None:
        super().__init__(compiled, records, workspace)
        self.cut: Cut | None = None
        self.next_seed = 0
        self.begun: dict[str, int] = {}
        self.seeded: set[tuple[str, bytes]] = set()
        self.uses = {segment.name: 1 for segment in compiled.segments}

    def take(self, record: Record) -> Ending | None:
        """Take the next record of the log."""
        match record.kind:
            case Kind.CUT:
                self.begin(record.seq, told_by(record, Cut))
            case Kind.SEED:
                self.sow(told_by(record, Seed))
            case Kind.READY:
                self.make_ready(record, told_by(record, Ready))
        return super().take(record)

    def begin(self, seq: int, cut: Cut) -> None:
        """Let the new features count from here on, whatever they had counted before."""
        self.cut, self.next_seed = cut, 0
        for version in self.new_versions(cut.coming):
            self.begun[version] = seq
            self.seeded = {each for each in self.seeded if each[0] != version}

    def new_versions(self, coming: Compiled) -> set[str]:
        """Return the versions of features that do not serve."""
        return {each.version for each in coming.features} - {each.version for each in self.compiled.features}

    def sow(self, seed: Seed) -> None:
        """Count what was before the cut for the seed's subjects."""
        if self.cut is None or (seed.run, seed.number) != (self.cut.run, self.next_seed):
            return
        self.next_seed += 1
        if seed.feature in self.new_versions(self.cut.coming):
            self.seeded |= {(seed.feature, subject) for subject, _ in seed.people}

    def refold(self, person: Person) -> None:
        """Fold anew, without what does not count for a feature."""
        super().refold(person)
        for name, feature in self.features.items():
            fed = [record for record in person.fed[name] if self.counts(feature.version, record)]
            person.fed[name] = fed
            person.due_times.update(passings(self.durations.get(name, ()), fed))

    def counts(self, version: str, record: Record) -> bool:
        """Say whether a record that feeds a feature counts for it."""
        begun = self.begun.get(version, -1)
        return record.seq > begun or (version, record.subject) in self.seeded

    def make_ready(self, record: Record, ready: Ready) -> None:
        """Serve what is due under the old project; then evaluate everybody under the new one."""
        if self.cut is None or ready.run != self.cut.run:
            return
        people = list({id(each): each for each in self.person_by_subject.values()}.values())
        for person in people:
            self.serve(person, record.stamp)
        before, cut = self.compiled, self.cut
        self.use(cut.coming)
        self.raise_floors(before, cut)
        for person in people:
            occasion = Settling(at=record.stamp, position=record.seq, record=None, lateness=0)
            self.carry(person, before, cut, occasion)
            self.refold(person)
            self.evaluate(person, occasion)
        self.cut = None

    def use(self, compiled: Compiled) -> None:
        """Serve another project."""
        fresh = Naive(compiled, self.log, self.workspace)
        vars(self).update({name: value for name, value in vars(fresh).items() if name not in OF_THE_RUN})

    def raise_floors(self, before: Compiled, cut: Cut) -> None:
        """Let numbers go on from a million for each other segment that had a name before."""
        names = [each.name for each in cut.coming.segments]
        olds = heirs([each.name for each in before.segments], names, cut.carried.get("segment", {}))
        floors = {name: self.floors.get(olds[name], 0) if name in olds else 0 for name in names}
        for name in names:
            if olds.get(name) != name:
                floors[name] = max(floors[name], 1_000_000 * self.uses.get(name, 0))
                self.uses[name] = self.uses.get(name, 0) + 1
        self.floors = floors

    def carry(self, person: Person, before: Compiled, cut: Cut, occasion: Occasion) -> None:
        """Keep of a person what still has a name; end the journeys of campaigns that have none."""
        segments, campaigns = (
            heirs([each.name for each in old], [each.name for each in new], cut.carried.get(kind, {}))
            for old, new, kind in (
                (before.segments, cut.coming.segments, "segment"),
                (before.campaigns, cut.coming.campaigns, "campaign"),
            )
        )
        for spec in before.campaigns:
            if spec.name not in campaigns.values():
                self.kill(person, spec, occasion)
        person.bits = {new: person.bits.get(old, False) for new, old in segments.items()}
        person.numbers = {
            new: max(person.numbers.get(segments.get(new, ""), 0), floor) for new, floor in self.floors.items()
        }
        person.standings = {new: person.standings.get(old, Standing()) for new, old in campaigns.items()}

    def kill(self, person: Person, campaign: CampaignSpec, occasion: Occasion) -> None:
        """End what waits in a campaign, and cancel what it decided in the last 24 h."""
        standing = person.standing(campaign.name)
        for at, decision in standing.watched:
            if occasion.at - at < DAY:
                when = {"at": occasion.at, "position": occasion.position}
                self.outbox.append(Cancellation(decision=decision, reason="kill", detail="", **when))
        if standing.journey is not None:
            self.decide(person, campaign, standing.journey, occasion, "kill")

    def start(self, person: Person, campaign: CampaignSpec, occasion: Occasion) -> None:
        """Nothing starts where a project begins to serve."""
        if not isinstance(occasion, Settling):
            super().start(person, campaign, occasion)


def heirs(before: list[str], after: list[str], carried: dict[str, str]) -> dict[str, str]:
    """Return whose memory each name has: new name -> old name."""
    found: dict[str, Any] = {}
    for new in after:
        named = [old for old, to in carried.items() if to == new and old in before]
        if named or (new in before and new not in carried):
            found[new] = named[-1] if named else new
    return found


def run(compiled: Compiled, records: Sequence[Record], workspace: str) -> OracleResult:
    """Return what the log means; `compiled` serves from its beginning."""
    engine = Changing(compiled, records, workspace)
    endings = [engine.take(record) for record in records]
    return engine.finish(endings)
