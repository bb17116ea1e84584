"""A naive engine: docs/reference/semantics.md in plain Python, slow and obviously right.

In: a compiled project, the whole log, the workspace's name. Out: where each event ended, the transitions, the
outbox, and every person as at the log's last stamp. It promises to share nothing with the real engine but
`livepost.model` and the id formulas of `livepost.ids`: whole lists of records are kept per person and every
value is computed anew.

What the reference does not define is left at its default: `Transition.triggers`, `cause_text`, `detail`,
`variant` (`essence` leaves them out of a comparison).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from livepost.ids import decision_id, digest, event_id, transition_id
from livepost.model.compiled import CampaignSpec, Compiled, Tree
from livepost.model.decision import Cancellation, ConsentChange, Decision, Merge, OutboxItem, Parting, Transition
from livepost.model.record import KeyKind, Kind, Mention, Origin, Record, Verdict
from tests.oracle.conditions import UNKNOWN, Truth, Unknown, durations_of, leaf, truth
from tests.oracle.hours import asks_for_zones, comes_after, due, is_quiet
from tests.oracle.values import DAY, expiries, feeds, moment, passings, value_of, where_holds

Ending: TypeAlias = tuple[str, str]
"""Where an event ended and why: ("processed", ""), ("duplicate", ""), ("filtered", reason), ("quarantined",
reason), ("dead", "late"), ("dead", "id conflict"), ("dead", the reason of its verdict)."""

CHOICES = ("topic:", "frequency:")
"""How what people choose beside purposes is called in consents."""

VERDICTS = {Verdict.FILTERED: "filtered", Verdict.QUARANTINED: "quarantined", Verdict.DEAD: "dead"}


@dataclass(frozen=True)
class PersonResult:
    """A person at the end. `memberships`: segment -> (inside, transition number); `journeys`: campaign ->
    (entered_at, due, cause); `features` at T = the log's last stamp, a personal one as its `SealedValue`, None for
    never and for unknown; `unknown` are the segments whose condition is unknown then."""

    name: bytes
    subjects: tuple[bytes, ...]
    features: dict[str, Any]
    consents: dict[str, bool]
    memberships: dict[str, tuple[bool, int]]
    journeys: dict[str, tuple[int, int, bytes]]
    unknown: frozenset[str]


@dataclass(frozen=True)
class OracleResult:
    """All that the log means. `endings` has one place a record (None: no event); `transitions` and `outbox`
    are in order of position, a person's own in the order they happened; `people` by name."""

    endings: list[Ending | None]
    transitions: list[Transition]
    outbox: list[OutboxItem]
    people: dict[bytes, PersonResult]


def run(compiled: Compiled, records: Sequence[Record], workspace: str) -> OracleResult:
    """Return what the log means, from its first record to its last stamp. Records have seq and stamp."""
    engine = Naive(compiled, records, workspace)
    endings = [engine.take(record) for record in records]
    return engine.finish(endings)


def essence(item: Transition | OutboxItem) -> tuple[Any, ...]:
    """Return what the reference defines of an item, position first, to compare and to sort by."""
    match item:
        case Transition():
            values: tuple[Any, ...] = (item.at, item.segment, item.version, item.number)
            return (
                item.position,
                "transition",
                item.person.hex(),
                item.id.hex(),
                *values,
                item.entered,
                item.origin,
            )
        case Decision():
            values = (item.at, item.campaign, item.version, item.step, item.cause.hex(), item.skip)
            rules = (
                item.purpose,
                item.class_,
                item.lane,
                item.cap_times,
                item.cap_per_ms,
                item.overall,
                item.quiet or (),
                item.over_ms,
                item.topic,
            )
            return (item.position, "decision", item.person.hex(), item.id.hex(), *values, *rules)
        case Cancellation():
            return (item.position, "cancel", "", item.decision.hex(), item.at, item.reason)
        case ConsentChange():
            values = (item.at, item.purpose, item.allowed, item.source, item.message_id)
            return (item.position, "consent", item.person.hex(), "", *values)
        case Merge():
            return (item.position, "merge", item.new.hex(), item.old.hex())
        case Parting():
            subjects = tuple(subject.hex() for subject in sorted(item.subjects))
            return (item.position, "part", item.person.hex(), item.other.hex(), item.at, subjects, sorted(item.lost))


# --- what is kept of a person ---------------------------------------------------------------------


@dataclass
class Journey:
    """Under way in a campaign, towards its mail number `step`."""

    entered_at: int
    due: int
    cause: bytes
    step: int = 0


@dataclass
class Standing:
    """Where a person stands in one campaign. `taken` are the decisions with empty skip as (at, id); `watched`
    those of them that can still be cancelled; `assignment` is (at, held out)."""

    journey: Journey | None = None
    last_entry: int | None = None
    taken: list[tuple[int, bytes]] = field(default_factory=list)
    watched: list[tuple[int, bytes]] = field(default_factory=list)
    assignment: tuple[int, bool] | None = None


@dataclass
class Person:
    """Subjects (id -> known), all records folded, and what records cannot tell: bits, numbers, standings.

    `told` are the consents as the outbox has told them; `fed` and `due_times` are derived from `records` anew
    after every fold; `evaluated_at` is the last T at which the person was evaluated. `zone` is the newest
    (effective_ts, message_id, name) seen while a campaign asked for zones; `capped` are the times of decisions
    that count for caps overall. `choices` are the records that say what holds of topics and frequencies.
    """

    subjects: dict[bytes, bool]
    records: list[Record] = field(default_factory=list)
    bits: dict[str, bool] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    standings: dict[str, Standing] = field(default_factory=dict)
    told: dict[str, bool] = field(default_factory=dict)
    fed: dict[str, list[Record]] = field(default_factory=dict)
    due_times: set[int] = field(default_factory=set)
    evaluated_at: int = -1
    zone: tuple[int, str, str] | None = None
    capped: list[int] = field(default_factory=list)
    choices: dict[str, Record] = field(default_factory=dict)

    @property
    def known(self) -> bool:
        """A person is known if one of its subjects is."""
        return any(self.subjects.values())

    @property
    def name(self) -> bytes:
        """The smallest id among the known subjects, else among all."""
        return min(subject for subject, known in self.subjects.items() if known or not self.known)

    def standing(self, campaign: str) -> Standing:
        """Return where the person stands in a campaign."""
        return self.standings.setdefault(campaign, Standing())

    def consents(self) -> dict[str, Record]:
        """Return, per purpose, the record with the largest (effective_ts, message_id) that speaks of it; per choice the
        one that counts."""
        said: dict[str, Record] = {}
        for record in sorted(self.records, key=moment):
            for purpose in record.context.get("consent", {}):
                said[purpose] = self.choices.get(purpose, record)
        return said

    def chooses(self, record: Record) -> None:
        """Let a record say what it says about choices, unless a later one did."""
        for name in record.context.get("consent", {}):
            if name.startswith(CHOICES) and (name not in self.choices or moment(self.choices[name]) < moment(record)):
                self.choices[name] = record

    def allows(self, purpose: str) -> bool:
        """Say whether consent for a purpose is True."""
        record = self.consents().get(purpose)
        return record is not None and record.context["consent"][purpose] is True


@dataclass(frozen=True)
class Occasion:
    """One evaluation: T, position, record (None at a due time), lateness (ms), and what was crossed; `broadcast` is
    (campaign, cause) where the person is asked about one."""

    at: int
    position: int
    record: Record | None
    lateness: int
    moved: dict[str, Transition] = field(default_factory=dict)
    broadcast: tuple[str, bytes] | None = None

    @property
    def origin(self) -> Origin:
        """The record's origin; a due time is live."""
        return Origin.LIVE if self.record is None else self.record.origin


# --- the engine -----------------------------------------------------------------------------------


class Naive:
    """Takes records one by one; `finish` serves what is still due and tells all."""

    def __init__(self, compiled: Compiled, records: Sequence[Record], workspace: str) -> None:
        self.compiled = compiled
        self.log = records
        self.workspace = workspace
        self.person_by_subject: dict[bytes, Person] = {}
        self.remembered: dict[bytes, tuple[int, bytes]] = {}
        self.transitions: list[Transition] = []
        self.outbox: list[OutboxItem] = []
        self.floors: dict[str, int] = {}
        self.broadcasts: set[bytes] = set()
        self.campaigns = sorted(compiled.campaigns, key=lambda campaign: -campaign.priority)
        self.zoned = any(asks_for_zones(campaign) for campaign in compiled.campaigns)
        self.conditions = {segment.name: segment.condition for segment in compiled.segments}
        self.features = {feature.name: feature for feature in compiled.features}
        self.sinces = frozenset(feature.name for feature in compiled.features if feature.kind == "since")
        self.durations = {name: durations_of(name, self.conditions.values()) for name in self.sinces}

    def take(self, record: Record) -> Ending | None:
        """Take the next record of the log; return where it ended, None for what is no event."""
        if record.kind == Kind.BROADCAST:
            self.broadcast(record)
        if record.kind != Kind.EVENT:
            return None
        ending = self.ending(record)
        if ending[0] == "processed":
            self.process(record)
        return ending

    def broadcast(self, record: Record) -> None:
        """Start a journey of each person in the audience of a campaign, unless this broadcast was done before."""
        cause = event_id(record.source, record.message_id)
        named = [each for each in self.campaigns if each.broadcast and each.name == record.control.get("campaign")]
        if cause in self.broadcasts or not named:
            return
        self.broadcasts.add(cause)
        for person in {id(each): each for each in self.person_by_subject.values()}.values():
            self.serve(person, record.stamp)
            if person.bits.get(named[0].audience or ""):
                told = (named[0].name, cause)
                self.start(person, named[0], Occasion(record.stamp, record.seq, None, 0, broadcast=told))

    def finish(self, endings: list[Ending | None]) -> OracleResult:
        """Serve every due time up to the log's last stamp, and return the result."""
        last = self.log[-1].stamp if self.log else 0
        people = {person.name: person for person in self.person_by_subject.values()}
        for person in people.values():
            self.serve(person, last)
        return OracleResult(
            endings=endings,
            transitions=sorted(self.transitions, key=lambda item: (item.position, item.at)),
            outbox=sorted(self.outbox, key=lambda item: item.position),
            people={name: self.told_of(people[name], last) for name in sorted(people)},
        )

    # --- which records count

    def ending(self, record: Record) -> Ending:
        """Return where an event ends, by the first rule that applies; remember the id of a processed one."""
        if record.verdict in VERDICTS:
            return VERDICTS[record.verdict], record.reason
        if record.origin == Origin.LIVE and record.stamp - record.effective_ts > 30 * DAY:
            return "dead", "late"
        key = event_id(record.source, record.message_id)
        first_stamp, content_hash = self.remembered.get(key, (None, b""))
        if first_stamp is not None and record.stamp // DAY - first_stamp // DAY <= 30:
            return ("duplicate", "") if content_hash == record.content_hash else ("dead", "id conflict")
        self.remembered[key] = (record.stamp, record.content_hash)
        return "processed", ""

    def process(self, record: Record) -> None:
        """Serve what was due before, merge, fold, evaluate once."""
        person = self.seen(record.subject, record.known)
        self.serve(person, record.stamp)
        for mention in record.mentions:
            self.link(record, mention)
        person = self.person_by_subject[record.subject]
        person.records.append(record)
        person.chooses(record)
        if self.zoned and "context.zone" in record.facets:
            said = (record.effective_ts, record.message_id, record.facets["context.zone"])
            person.zone = said if person.zone is None else max(person.zone, said)
        self.refold(person)
        self.evaluate(person, Occasion(at=record.stamp, position=record.seq, record=record, lateness=0))

    # --- persons

    def seen(self, subject: bytes, known: bool) -> Person:
        """Return the person a subject belongs to; one seen for the first time is a person of its own."""
        person = self.person_by_subject.setdefault(
            subject, Person(subjects={subject: known}, numbers=dict(self.floors))
        )
        person.subjects[subject] = person.subjects[subject] or known
        return person

    def link(self, record: Record, mention: Mention) -> None:
        """Merge the persons of a record's subject and a mentioned one, where that is allowed."""
        person, other = self.person_by_subject[record.subject], self.seen(mention.subject, mention.known)
        said = record.key == KeyKind.SECRET and (record.name == "$alias" or mention.known)
        if person is not other and (said or not (person.known and other.known)):
            self.serve(other, record.stamp)
            self.merge(person, other, record)

    def merge(self, one: Person, other: Person, record: Record) -> None:
        """Make one person of two; the one whose name stays is the one whose consents were told under it."""
        merged = Person(subjects={**one.subjects, **other.subjects})
        stays, goes = (one, other) if merged.name == one.name else (other, one)
        merged.records = sorted(one.records + other.records, key=lambda each: each.seq)
        merged.told = {
            purpose: allowed
            for purpose, allowed in stays.told.items()
            if purpose not in goes.consents() or goes.told.get(purpose) == allowed
        }
        merged.evaluated_at = max(one.evaluated_at, other.evaluated_at)
        for name in self.conditions:
            merged.bits[name] = one.bits.get(name, False) or other.bits.get(name, False)
            merged.numbers[name] = max(one.numbers.get(name, 0), other.numbers.get(name, 0))
        for campaign in self.compiled.campaigns:
            pair = one.standing(campaign.name), other.standing(campaign.name)
            merged.standings[campaign.name] = merge_standings(*pair)
        merged.zone = max((each.zone for each in (one, other) if each.zone is not None), default=None)
        merged.capped = sorted(one.capped + other.capped)
        merged.choices = stricter(one.choices, other.choices)
        for subject in merged.subjects:
            self.person_by_subject[subject] = merged
        self.outbox.append(Merge(old=goes.name, new=stays.name, position=record.seq))

    def refold(self, person: Person) -> None:
        """Derive anew from all records what feeds each feature and when a value can change by itself."""
        person.due_times = set()
        for name, feature in self.features.items():
            person.fed[name] = [record for record in person.records if feeds(feature, record)]
            person.due_times.update(expiries(feature, person.fed[name]))
            person.due_times.update(passings(self.durations.get(name, ()), person.fed[name]))

    def told_of(self, person: Person, at: int) -> PersonResult:
        """Return a person as at `at`, the log's last stamp."""
        waiting = {name: each.journey for name, each in person.standings.items() if each.journey is not None}
        bits, numbers = person.bits, person.numbers
        values = {name: self.value(person, name, at) for name in self.features}
        truths = {name: self.inside(person, condition, at) for name, condition in self.conditions.items()}
        return PersonResult(
            name=person.name,
            subjects=tuple(sorted(person.subjects)),
            features={name: None if value is UNKNOWN else value for name, value in values.items()},
            consents={purpose: person.allows(purpose) for purpose in person.consents()},
            memberships={name: (bits.get(name, False), numbers.get(name, 0)) for name in self.conditions},
            journeys={name: (each.entered_at, each.due, each.cause) for name, each in waiting.items()},
            unknown=frozenset(name for name, told in truths.items() if told is UNKNOWN),
        )

    # --- evaluation

    def serve(self, person: Person, up_to: int) -> None:
        """Evaluate a person at every due time <= `up_to`, in order."""
        while True:
            journeys = {each.journey.due for each in person.standings.values() if each.journey is not None}
            due = [time for time in person.due_times | journeys if person.evaluated_at < time <= up_to]
            if not due:
                return
            record = next(record for record in self.log if record.stamp >= min(due))
            lateness = record.stamp - min(due)
            self.evaluate(person, Occasion(at=min(due), position=record.seq, record=None, lateness=lateness))

    def evaluate(self, person: Person, occasion: Occasion) -> None:
        """Transitions, consents, then all ends, all steps, all starts."""
        person.evaluated_at = occasion.at
        self.cross(person, occasion)
        self.tell_consents(person, occasion)
        for act in (self.end, self.step, self.start):
            for campaign in self.campaigns:
                act(person, campaign, occasion)

    def value(self, person: Person, name: str, at: int) -> Any:
        """Return a feature's value at T."""
        return value_of(self.features[name], person.fed.get(name, []), at)

    def inside(self, person: Person, condition: Tree, at: int) -> Truth:
        """Return whether a condition holds for a person at T."""

        def look(node: Tree) -> Any:
            if node["type"] == "segment":
                return self.inside(person, self.conditions[node["name"]], at)
            return self.value(person, node["name"], at) if node["type"] == "feature" else leaf(node)

        return truth(condition, look, self.sinces)

    def cross(self, person: Person, occasion: Occasion) -> None:
        """Record a transition for each segment whose membership differs from the stored bit; where it is unknown, the
        bit stays."""
        for segment in self.compiled.segments:
            inside = self.inside(person, segment.condition, occasion.at)
            if isinstance(inside, Unknown) or inside == person.bits.get(segment.name, False):
                continue
            number = person.numbers.get(segment.name, 0) + 1
            person.bits[segment.name], person.numbers[segment.name] = inside, number
            occasion.moved[segment.name] = Transition(
                id=transition_id(self.workspace, person.name, segment.name, segment.version, number),
                person=person.name,
                segment=segment.name,
                version=segment.version,
                number=number,
                entered=inside,
                at=occasion.at,
                position=occasion.position,
                origin=int(occasion.origin),
            )
        self.transitions.extend(occasion.moved.values())

    def tell_consents(self, person: Person, occasion: Occasion) -> None:
        """Tell the outbox each consent that differs from what it was told of the person of this name."""
        for purpose, record in sorted(person.consents().items()):
            allowed = record.context["consent"][purpose]
            if person.told.get(purpose) == allowed:
                continue
            person.told[purpose] = allowed
            change = ConsentChange(
                person=person.name,
                purpose=purpose,
                allowed=allowed,
                at=record.effective_ts,
                position=occasion.position,
                source=record.source,
                message_id=record.message_id,
            )
            self.outbox.append(change)

    # --- journeys

    def end(self, person: Person, campaign: CampaignSpec, occasion: Occasion) -> None:
        """(a) End a waiting journey and cancel what was taken in the last 24 h, if there is a reason to."""
        reason = ending_reason(campaign, occasion)
        if not reason:
            return
        standing = person.standing(campaign.name)
        for at, decision in standing.watched:
            if occasion.at - at < DAY:
                when = {"at": occasion.at, "position": occasion.position}
                self.outbox.append(Cancellation(decision=decision, reason=reason, detail="", **when))
        standing.watched = []
        if standing.journey is not None:
            self.decide(person, campaign, standing.journey, occasion, reason)

    def step(self, person: Person, campaign: CampaignSpec, occasion: Occasion) -> None:
        """(b) Decide a waiting journey that is due."""
        journey = person.standing(campaign.name).journey
        if journey is not None and journey.due <= occasion.at:
            self.arrive(person, campaign, journey, occasion)

    def start(self, person: Person, campaign: CampaignSpec, occasion: Occasion) -> None:
        """(c) Start a journey, if something starts it and re-entry allows; without a wait decide at once."""
        cause = starting_cause(campaign, occasion)
        standing = person.standing(campaign.name)
        if cause is None or standing.journey is not None or not may_enter(campaign, standing, occasion.at):
            return
        journey = Journey(occasion.at, due(campaign, zone_of(person, campaign), 0, occasion.at), cause)
        standing.journey, standing.last_entry = journey, occasion.at
        if journey.due == occasion.at:
            self.arrive(person, campaign, journey, occasion)

    def arrive(self, person: Person, campaign: CampaignSpec, journey: Journey, occasion: Occasion) -> None:
        """Decide a journey that is due, unless hours are quiet; go on to the next mail, if there is one."""
        zone = zone_of(person, campaign)
        if is_quiet(campaign, zone, occasion.at):
            assert campaign.quiet is not None
            journey.due = comes_after(campaign.quiet.end, zone, occasion.at)
            return
        gone = journey.step > len(campaign.steps)
        skip = "kill" if gone else self.skip(person, campaign, occasion)
        self.decide(person, campaign, journey, occasion, skip)
        step = journey.step + 1
        if step <= len(campaign.steps) and skip != "holdout":
            later = Journey(journey.entered_at, due(campaign, zone, step, occasion.at), journey.cause, step)
            person.standing(campaign.name).journey = later

    def skip(self, person: Person, campaign: CampaignSpec, occasion: Occasion) -> str:
        """(d) Return the first reason that applies not to mail, else empty."""
        standing = person.standing(campaign.name)
        if campaign.class_ == "marketing" and not person.allows(campaign.purpose):
            return "consent"
        said = person.choices.get(f"topic:{campaign.topic}")
        if (
            campaign.class_ == "marketing"
            and said is not None
            and not said.context["consent"][f"topic:{campaign.topic}"]
        ):
            return "topic"
        if standing.assignment is None:
            standing.assignment = (occasion.at, drawn(campaign, person.name))
        if standing.assignment[1]:
            return "holdout"
        cap = campaign.cap
        if cap and sum(occasion.at - at < cap.per_ms for at, _ in standing.taken) >= cap.times:
            return "cap"
        if any(sum(occasion.at - at < cap.per_ms for at in person.capped) >= cap.times for cap in campaign.overall):
            return "cap"
        return "stale" if occasion.lateness > campaign.fresh_ms else ""

    def decide(self, person: Person, campaign: CampaignSpec, journey: Journey, occasion: Occasion, skip: str) -> None:
        """Put a decision into the outbox; the journey is over."""
        decision = Decision(
            id=decision_id(self.workspace, campaign.name, journey.step, person.name, journey.cause),
            campaign=campaign.name,
            version=campaign.version,
            step=journey.step,
            person=person.name,
            cause=journey.cause,
            cause_text="",
            at=occasion.at,
            position=occasion.position,
            purpose=campaign.purpose,
            class_=campaign.class_,
            lane=campaign.lane,
            skip=skip,
            cap_times=campaign.cap.times if campaign.cap else 0,
            cap_per_ms=campaign.cap.per_ms if campaign.cap else 0,
            overall=tuple((cap.times, cap.per_ms) for cap in campaign.overall),
            quiet=hours_of(person, campaign),
            over_ms=campaign.over_ms,
            topic=campaign.topic,
        )
        self.outbox.append(decision)
        standing = person.standing(campaign.name)
        standing.journey = None
        if not skip:
            standing.taken.append((occasion.at, decision.id))
            standing.watched.append((occasion.at, decision.id))
            if campaign.overall:
                person.capped.append(occasion.at)


# --- rules ----------------------------------------------------------------------------------------


def ending_reason(campaign: CampaignSpec, occasion: Occasion) -> str:
    """Return `until`, `exit` or empty."""
    if occasion.record is not None and occasion.record.name in campaign.until:
        return "until"
    crossed = occasion.moved.get(campaign.audience or "")
    return "exit" if campaign.exit and crossed is not None and not crossed.entered else ""


def starting_cause(campaign: CampaignSpec, occasion: Occasion) -> bytes | None:
    """Return the id of what starts a journey now, None if nothing does."""
    record = occasion.record
    if occasion.broadcast is not None:
        return occasion.broadcast[1] if occasion.broadcast[0] == campaign.name else None
    if record is not None and record.origin != Origin.LIVE:
        return None
    if record is not None and record.stamp - record.effective_ts > campaign.fresh_ms:
        return None
    crossed = occasion.moved.get(campaign.audience or "")
    if crossed is not None and crossed.entered and not campaign.broadcast:
        return crossed.id
    if record is None or record.name != campaign.on:
        return None
    met = campaign.where is None or where_holds(campaign.where, record)
    return event_id(record.source, record.message_id) if met else None


def may_enter(campaign: CampaignSpec, standing: Standing, at: int) -> bool:
    """Say whether re-entry allows a journey to start at T."""
    if standing.last_entry is None:
        return True
    return campaign.reentry_ms is not None and at - standing.last_entry >= campaign.reentry_ms


def drawn(campaign: CampaignSpec, person: bytes) -> bool:
    """Draw whether a person is held out of a campaign."""
    return int.from_bytes(digest(campaign.name, person, size=8), "big") < campaign.holdout * 2**64


def zone_of(person: Person, campaign: CampaignSpec) -> str:
    """Return the zone of a person for a campaign."""
    return campaign.zone if person.zone is None else person.zone[2]


def hours_of(person: Person, campaign: CampaignSpec) -> tuple[int, int, str] | None:
    """Return a campaign's quiet hours, as a decision has them."""
    if campaign.quiet is None:
        return None
    return campaign.quiet.start, campaign.quiet.end, zone_of(person, campaign)


def stricter(one: dict[str, Record], other: dict[str, Record]) -> dict[str, Record]:
    """Return what two people chose who are one now: a refusal of either counts, else the later word."""

    def strictness(name: str, record: Record) -> tuple[bool, tuple[int, str]]:
        return not record.context["consent"][name], moment(record)

    both = {name: [each[name] for each in (one, other) if name in each] for name in one.keys() | other.keys()}
    return {name: max(records, key=lambda record: strictness(name, record)) for name, records in both.items()}


def merge_standings(one: Standing, other: Standing) -> Standing:
    """Return the standing of a merged person in one campaign."""
    journeys = [each for each in (one.journey, other.journey) if each is not None]
    entries = [each for each in (one.last_entry, other.last_entry) if each is not None]
    assignments = [each for each in (one.assignment, other.assignment) if each is not None]
    return Standing(
        journey=min(journeys, key=lambda each: (each.entered_at, each.cause), default=None),
        last_entry=max(entries, default=None),
        taken=sorted(one.taken + other.taken),
        watched=sorted(one.watched + other.watched),
        assignment=min(assignments, default=None),
    )


def essences(items: Iterable[Transition | OutboxItem]) -> list[tuple[Any, ...]]:
    """Return the essences of items, sorted: within a position the order between people is free."""
    return sorted(essence(item) for item in items)
