"""The stage: a person's moments in order, each as docs/reference/semantics.md says: consents, ends, steps, starts.

A pure function of (name, journal, moments). Journeys that fall due between the moments are served there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

from livepost.decide.campaigns import Campaign, Roster, names_of
from livepost.decide.hours import asks_for_zone, due_of, zone_of
from livepost.decide.joining import join_journals
from livepost.decide.parting import Said, part_journal
from livepost.decide.verdict import Verdict, judge
from livepost.ids import decision_id
from livepost.model import journal as journals
from livepost.model.change import Switch
from livepost.model.compiled import CampaignSpec, Compiled
from livepost.model.decision import Cancellation, ConsentChange, Decision, OutboxItem, Transition
from livepost.model.hours import quiet_until
from livepost.model.journal import WATCH_MS, Consent, Journal, Journey, Memory, Watched, Zone
from livepost.model.moment import NO_DUE, Decided, Half, Moment, Parted

Position = Callable[[int], tuple[int, int]]

_KILLED = Verdict("kill", "the project has the campaign no more")
_NO_MAIL = Verdict("kill", "the project has this mail of the campaign no more")
_UNLINKED = Verdict("unlink", "whose journey it was, nobody can tell")


class _Case(msgspec.Struct, gc=False):
    """A person under decision: name, journal, what goes to the outbox, campaigns for which a trigger was not fresh."""

    person: bytes
    book: Journal
    outbox: list[OutboxItem] = []
    not_fresh: list[str] = []


class Campaigns:
    """The project's campaigns, ready to decide."""

    def __init__(self, compiled: Compiled, workspace: str, switch: Switch | None = None) -> None:
        """Make a project's campaigns ready; `switch` is how it began to serve, for those who have not settled yet."""
        self._removed = tuple(Campaign(spec, None) for spec in switch.removed) if switch else ()
        self._renamed = switch.renamed if switch else {}
        self.settles = bool(self._removed or self._renamed)
        self._roster = Roster(compiled)
        self.names = names_of(self._roster.all)
        self.conditions = frozenset(c.spec.on for c in self._roster.all if c.spec.on and c.where is not None)
        self.audiences = frozenset(c.spec.audience for c in self._roster.all if c.spec.audience)
        self.zoned = any(asks_for_zone(c.spec) for c in self._roster.all)
        self._overall_ms = max((cap.per_ms for c in self._roster.all for cap in c.spec.overall), default=0)
        self._workspace = workspace
        self._profile = compiled.profile

    def decide(
        self, person: bytes, journal: bytes, moments: Sequence[Moment], until: int, position: Position
    ) -> Decided:
        """Decide a person's moments in order, before each the journeys due by then, and at last those due by `until`.

        `until` is in ms; `position` says which record (seq, stamp) is the first not before a due time.
        """
        case = _Case(person, journals.read(journal))
        for moment in moments:
            if case.book.campaigns:
                self._pass_time(case, moment.at if moment.event else moment.at - 1, position)
            self._live_through(case, moment)
        due = self._pass_time(case, until, position)
        return Decided(journals.write(case.book), case.outbox, due, case.not_fresh)

    def join(self, winner: bytes, loser: bytes) -> bytes:
        """Return the journal of two people become one, called as the winner was."""
        return journals.write(join_journals(journals.read(winner), journals.read(loser)))

    def part(self, journal: bytes, kept: Said, other: Said) -> Parted:
        """Return the journals of two people who were one, with what the log says of the consents of each; whose the
        journeys that wait are, `share` says.
        """
        mine, theirs, waiting, lost = part_journal(journals.read(journal), kept, other)
        return Parted(journals.write(mine), journals.write(theirs), waiting, tuple(lost))

    def share(self, waiting: Mapping[str, Journey], halves: tuple[Half, Half], moment: Moment) -> list[OutboxItem]:
        """Give each journey to the one whose event it began with, else to who is in the campaign's audience by now, the
        one who keeps the name (the first) before the other; end what is nobody's. Changes the journals of the halves.
        """
        books = [journals.read(half.journal) for half in halves]
        case = _Case(halves[0].name, books[0])
        for campaign in self._roster.ordered(waiting):
            journey, audience = waiting[campaign.name], campaign.spec.audience
            heirs = [place for place, half in enumerate(halves) if journey.cause in half.events]
            heirs += [place for place, half in enumerate(halves) if audience in half.inside]
            if heirs:
                books[heirs[0]].campaigns[campaign.name].journey = journey
            else:
                case.outbox.append(self._decided(case, campaign, journey, moment, _UNLINKED))
        for half, book in zip(halves, books, strict=True):
            half.journal = journals.write(book)
        return case.outbox

    def due(self, journal: bytes) -> int:
        """Return the earliest due time (ms) among the journal's journeys, NO_DUE if none is under way."""
        return self._due(journals.read(journal))

    def _pass_time(self, case: _Case, until: int, position: Position) -> int:
        """Serve the journeys that are due by `until` (ms), each at its time; return when the next one is."""
        while (due := self._due(case.book)) <= until:
            seq, stamp = position(due)
            self._live_through(case, Moment(due, seq, lateness_ms=stamp - due))
        return due

    def _due(self, book: Journal) -> int:
        """Return when the next journey is due; one in a campaign that there is not is never decided, so it never is."""
        earliest = NO_DUE
        for name, memory in book.campaigns.items():
            if memory.journey is not None and memory.journey.due < earliest and name in self._roster:
                earliest = memory.journey.due
        return earliest

    def _live_through(self, case: _Case, moment: Moment) -> None:
        if moment.settles:
            self._settle(case, moment)
        if moment.consent:
            _hear(case.book, moment)
        if moment.zone:
            _note_zone(case.book, moment)
        if case.book.consents:
            _tell(case, moment)
        if case.book.campaigns:
            self._end_journeys(case, moment)
            self._decide_what_is_due(case, moment)
        if moment.live:
            self._start_journeys(case, moment)

    def _settle(self, case: _Case, moment: Moment) -> None:
        """End what the project that served before had and this one has not, and call the rest by its new names."""
        memories = case.book.campaigns
        for campaign in self._removed:
            memory = memories.pop(campaign.name, None)
            if memory is not None:
                self._end(case, campaign, memory, moment, _KILLED)
        case.book.campaigns = {self._renamed.get(name, name): memory for name, memory in memories.items()}

    def _end_journeys(self, case: _Case, moment: Moment) -> None:
        """End what waits, and cancel what was decided lately, where `until` came or the person left."""
        for campaign in self._roster.ended_by(moment):
            memory = case.book.campaigns.get(campaign.name)
            if memory is not None:
                self._end(case, campaign, memory, moment, _ending(campaign, moment))

    def _end(self, case: _Case, campaign: Campaign, memory: Memory, moment: Moment, verdict: Verdict) -> None:
        if memory.journey is not None:
            case.outbox.append(self._decided(case, campaign, memory.journey, moment, verdict))
        case.outbox += [_cancellation(w, verdict, moment) for w in memory.watched if moment.at - w.at < WATCH_MS]
        memory.journey, memory.watched = None, []

    def _decide_what_is_due(self, case: _Case, moment: Moment) -> None:
        memories = case.book.campaigns
        due = {name: m.journey for name, m in memories.items() if m.journey is not None and m.journey.due <= moment.at}
        if not due:
            return
        for campaign in self._roster.ordered(due):
            self._decide_journey(case, campaign, memories[campaign.name], due[campaign.name], moment)

    def _start_journeys(self, case: _Case, moment: Moment) -> None:
        for campaign in self._roster.started_by(moment):
            spec, memories = campaign.spec, case.book.campaigns
            memory = memories.get(spec.name)
            cause = self._cause(campaign, moment)
            if cause is None or not _may_enter(spec, memory, moment):
                continue
            if moment.age_ms > spec.fresh_ms:
                case.not_fresh.append(spec.name)
                continue
            if memory is None:
                memory = memories[spec.name] = Memory()
            due = due_of(spec, zone_of(spec, case.book), 0, moment.at)
            journey = Journey(moment.at, due, *cause)
            memory.journey, memory.entered = journey, moment.at
            if due <= moment.at:
                self._decide_journey(case, campaign, memory, journey, moment)

    def _cause(self, campaign: Campaign, moment: Moment) -> tuple[bytes, str] | None:
        """Return what of the moment starts a journey in the campaign: its id, and in words."""
        spec = campaign.spec
        if moment.broadcast:
            return moment.event, f"broadcast to {self._profile}.{spec.audience}"
        entered = _transition(moment, spec.audience, entered=True)
        if entered is not None:
            return entered.id, f"entered {self._profile}.{entered.segment}"
        if spec.on and moment.name == spec.on and (campaign.where is None or campaign.where(moment.properties)):
            return moment.event, f"{moment.name} happened"
        return None

    def _decide_journey(
        self, case: _Case, campaign: Campaign, memory: Memory, journey: Journey, moment: Moment
    ) -> None:
        """Decide a journey that is due, and remember it; in quiet hours it waits until they end."""
        spec, zone = campaign.spec, zone_of(campaign.spec, case.book)
        if spec.quiet is not None and (until := quiet_until(spec.quiet, zone, moment.at)) > moment.at:
            journey.due = until
            return
        verdict = judge(spec, case.person, case.book, memory, moment) if journey.step <= len(spec.steps) else _NO_MAIL
        decision = self._decided(case, campaign, journey, moment, verdict)
        case.outbox.append(decision)
        memory.journey = _next(spec, zone, journey, moment, verdict)
        if not verdict.skip:
            if spec.cap is not None:
                memory.decided = _noted(memory.decided, moment.at, spec.cap.per_ms)
            if spec.overall:
                case.book.decided = _noted(case.book.decided, moment.at, self._overall_ms)
            alive = [w for w in memory.watched if moment.at - w.at < WATCH_MS]
            memory.watched = [*alive, Watched(moment.at, decision.id)]

    def _decided(self, case: _Case, campaign: Campaign, journey: Journey, moment: Moment, verdict: Verdict) -> Decision:
        """Return the decision; its fields are given by place, for their names take longer than all the rest."""
        spec = campaign.spec
        return Decision(
            decision_id(self._workspace, spec.name, journey.step, case.person, journey.cause),
            spec.name,
            spec.version,
            journey.step,
            case.person,
            journey.cause,
            journey.cause_text,
            moment.at,
            moment.position,
            spec.purpose,
            spec.class_,
            spec.lane,
            verdict.skip,
            verdict.detail,
            "holdout" if verdict.skip == "holdout" else "",
            spec.cap.times if spec.cap else 0,
            spec.cap.per_ms if spec.cap else 0,
            journey.entered_at,
            spec.reentry_ms,
            tuple((cap.times, cap.per_ms) for cap in spec.overall) if spec.overall else (),
            (spec.quiet.start, spec.quiet.end, zone_of(spec, case.book)) if spec.quiet is not None else None,
            spec.over_ms,
            spec.topic,
        )


def _next(spec: CampaignSpec, zone: str, journey: Journey, moment: Moment, verdict: Verdict) -> Journey | None:
    """Return the journey to the next mail, as long after this one as the campaign says; None if there is none."""
    step = journey.step + 1
    if step > len(spec.steps) or verdict.skip == "holdout":
        return None
    due = due_of(spec, zone, step, moment.at)
    return Journey(journey.entered_at, due, journey.cause, journey.cause_text, step)


def _noted(decided: list[int], at: int, per_ms: int) -> list[int]:
    """Return the times of decisions within a cap's time, and this one."""
    return [*(before for before in decided if at - before < per_ms), at]


def _hear(book: Journal, moment: Moment) -> None:
    """Fold what the moment's record says about consent."""
    for purpose, allowed in moment.consent.items():
        journals.keep(book.consents, purpose, Consent(moment.effective_ts, moment.message_id, allowed, moment.source))


def _note_zone(book: Journal, moment: Moment) -> None:
    """Keep the zone that the newest record says."""
    said = Zone(moment.effective_ts, moment.message_id, moment.zone)
    if book.zone is None or (book.zone.effective_ts, book.zone.message_id) < (said.effective_ts, said.message_id):
        book.zone = said


def _tell(case: _Case, moment: Moment) -> None:
    """Tell the outbox of consents that differ from what it was told of the person of this name."""
    told, consents = case.book.told, journals.standing(case.book.consents)
    news = [purpose for purpose, said in consents.items() if told.get(purpose) is not said.allowed]
    for purpose in sorted(news):
        said = consents[purpose]
        told[purpose] = said.allowed
        case.outbox.append(_consent_change(case.person, purpose, said, moment.position))


def _consent_change(person: bytes, purpose: str, said: Consent, position: int) -> ConsentChange:
    """Return what the ledger is told, as of when it was said: a grant of before a withdrawal must never lift it,
    however late it comes, or comes to this person by a merge.
    """
    return ConsentChange(
        person=person,
        purpose=purpose,
        allowed=said.allowed,
        at=said.effective_ts,
        position=position,
        source=said.source,
        message_id=said.message_id,
    )


def _cancellation(watched: Watched, verdict: Verdict, moment: Moment) -> Cancellation:
    return Cancellation(
        decision=watched.decision,
        reason=verdict.skip,
        detail=verdict.detail,
        at=moment.at,
        position=moment.position,
    )


def _ending(campaign: Campaign, moment: Moment) -> Verdict:
    """Return how the moment, which does so, ends what waits in a campaign."""
    if moment.name in campaign.spec.until:
        return Verdict("until", f"{moment.name} came first")
    return Verdict("exit", f"left {campaign.spec.audience} before the mail was due")


def _transition(moment: Moment, segment: str | None, *, entered: bool) -> Transition | None:
    for transition in moment.transitions:
        if transition.segment == segment and transition.entered is entered:
            return transition
    return None


def _may_enter(spec: CampaignSpec, memory: Memory | None, moment: Moment) -> bool:
    """Say whether the person is not under way, and re-entry allows another journey."""
    if memory is None or (memory.journey is None and memory.entered is None):
        return True
    if memory.journey is not None or memory.entered is None or spec.reentry_ms is None:
        return False
    return moment.at - memory.entered >= spec.reentry_ms
