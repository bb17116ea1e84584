"""The stage: a person's moments in order, each as docs/reference/semantics.md says: consents, ends, steps, starts.

A pure function of (name, journal, moments). Journeys that fall due between the moments are served there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from livepost.decide.campaigns import Campaign, campaigns_of, names_of
from livepost.decide.joining import join_journals
from livepost.decide.verdict import Verdict, judge
from livepost.ids import decision_id
from livepost.model import journal as journals
from livepost.model.compiled import Compiled
from livepost.model.decision import Cancellation, ConsentChange, Decision, OutboxItem, Transition
from livepost.model.journal import WATCH_MS, Consent, Journal, Journey, Memory, Watched
from livepost.model.moment import NO_DUE, Decided, Moment

Position = Callable[[int], tuple[int, int]]

STEP = 0
"""The only step of a campaign there is so far; drips will have more."""


class Campaigns:
    """The project's campaigns, ready to decide."""

    def __init__(self, compiled: Compiled, workspace: str) -> None:
        self.campaigns = campaigns_of(compiled)
        self.names = names_of(self.campaigns)
        self.audiences = frozenset(c.spec.audience for c in self.campaigns if c.spec.audience)
        self._workspace = workspace
        self._profile = compiled.profile

    def decide(
        self, person: bytes, journal: bytes, moments: Sequence[Moment], until: int, position: Position
    ) -> Decided:
        """Decide a person's moments in order, before each the journeys due by then, and at last those due by `until`.

        `until` is in ms; `position` says which record (seq, stamp) is the first not before a due time.
        """
        book = journals.read(journal)
        outbox: list[OutboxItem] = []
        for moment in moments:
            self._pass_time(person, book, moment.at if moment.event else moment.at - 1, position, outbox)
            self._live_through(person, book, moment, outbox)
        self._pass_time(person, book, until, position, outbox)
        return Decided(journals.write(book), outbox, _due(book))

    def join(self, winner: bytes, loser: bytes) -> bytes:
        """Return the journal of two people become one, called as the winner was."""
        return journals.write(join_journals(journals.read(winner), journals.read(loser)))

    def due(self, journal: bytes) -> int:
        """Return the earliest due time (ms) among the journal's journeys, NO_DUE if none is under way."""
        return _due(journals.read(journal))

    def _pass_time(
        self, person: bytes, book: Journal, until: int, position: Position, outbox: list[OutboxItem]
    ) -> None:
        """Serve the journeys that are due by `until` (ms), each at its time."""
        while (due := _due(book)) <= until:
            seq, stamp = position(due)
            self._live_through(person, book, Moment(due, seq, lateness_ms=stamp - due), outbox)

    def _live_through(self, person: bytes, book: Journal, moment: Moment, outbox: list[OutboxItem]) -> None:
        _hear(book, moment)
        outbox += _tell(person, book, moment)
        for campaign in self.campaigns:
            memory = book.campaigns.get(campaign.name)
            if memory is not None:
                outbox += self._end(person, book, campaign, memory, moment)
        for campaign in self.campaigns:
            memory = book.campaigns.get(campaign.name)
            if memory is not None and memory.journey is not None and memory.journey.due <= moment.at:
                outbox.append(self._decision(person, book, campaign, memory, memory.journey, moment))
        for campaign in self.campaigns:
            journey = self._start(campaign, book.campaigns.get(campaign.name), moment)
            if journey is not None:
                memory = book.campaigns.setdefault(campaign.name, Memory())
                memory.journey, memory.entered = journey, moment.at
                if journey.due <= moment.at:
                    outbox.append(self._decision(person, book, campaign, memory, journey, moment))

    def _end(
        self, person: bytes, book: Journal, campaign: Campaign, memory: Memory, moment: Moment
    ) -> list[OutboxItem]:
        """End a waiting journey, and cancel what was decided lately, if `until` came or the person left."""
        verdict = _ending(campaign, moment)
        if verdict is None:
            return []
        ended: list[OutboxItem] = []
        if memory.journey is not None:
            ended.append(self._decided(person, campaign, memory.journey, moment, verdict))
            memory.journey = None
        watched = [w for w in memory.watched if moment.at - w.at < WATCH_MS]
        ended += [
            Cancellation(
                decision=w.decision,
                reason=verdict.skip,
                detail=verdict.detail,
                at=moment.at,
                position=moment.position,
            )
            for w in watched
        ]
        memory.watched = []
        return ended

    def _start(self, campaign: Campaign, memory: Memory | None, moment: Moment) -> Journey | None:
        """Return the journey that begins now, if one does."""
        spec = campaign.spec
        if not moment.live or (moment.name and moment.age_ms > spec.fresh_ms):
            return None
        if memory is not None and not _may_enter(spec.reentry_ms, memory, moment.at):
            return None
        entered = _transition(moment, spec.audience, entered=True)
        if entered is not None:
            cause, text = entered.id, f"entered {self._profile}.{entered.segment}"
        elif spec.on and moment.name == spec.on and (campaign.where is None or campaign.where(moment.properties)):
            cause, text = moment.event, f"{moment.name} happened"
        else:
            return None
        return Journey(moment.at, moment.at + spec.wait_ms, cause, text)

    def _decision(
        self,
        person: bytes,
        book: Journal,
        campaign: Campaign,
        memory: Memory,
        journey: Journey,
        moment: Moment,
    ) -> Decision:
        """Decide a journey that is due, and remember it."""
        verdict = judge(campaign.spec, person, book, memory, moment)
        decision = self._decided(person, campaign, journey, moment, verdict)
        memory.journey = None
        if not verdict.skip:
            per = campaign.spec.cap.per_ms if campaign.spec.cap else 0
            memory.decided = [at for at in memory.decided if moment.at - at < per] + ([moment.at] if per else [])
            alive = [w for w in memory.watched if moment.at - w.at < WATCH_MS]
            memory.watched = [*alive, Watched(moment.at, decision.id)]
        return decision

    def _decided(
        self, person: bytes, campaign: Campaign, journey: Journey, moment: Moment, verdict: Verdict
    ) -> Decision:
        spec = campaign.spec
        return Decision(
            id=decision_id(self._workspace, spec.name, STEP, person, journey.cause),
            campaign=spec.name,
            version=spec.version,
            step=STEP,
            person=person,
            cause=journey.cause,
            cause_text=journey.cause_text,
            at=moment.at,
            position=moment.position,
            purpose=spec.purpose,
            class_=spec.class_,
            lane=spec.lane,
            skip=verdict.skip,
            detail=verdict.detail,
            variant="holdout" if verdict.skip == "holdout" else "",
            cap_times=spec.cap.times if spec.cap else 0,
            cap_per_ms=spec.cap.per_ms if spec.cap else 0,
        )


def _due(book: Journal) -> int:
    return min((m.journey.due for m in book.campaigns.values() if m.journey is not None), default=NO_DUE)


def _hear(book: Journal, moment: Moment) -> None:
    """Fold what the moment's record says about consent."""
    for purpose, allowed in moment.consent.items():
        said = Consent(moment.effective_ts, moment.message_id, allowed, moment.source)
        before = book.consents.get(purpose)
        if before is None or (before.effective_ts, before.message_id) < (said.effective_ts, said.message_id):
            book.consents[purpose] = said


def _tell(person: bytes, book: Journal, moment: Moment) -> Iterator[OutboxItem]:
    """Yield the consents that differ from what was told of the person of this name."""
    for purpose, said in sorted(book.consents.items()):
        if book.told.get(purpose) is not said.allowed:
            book.told[purpose] = said.allowed
            yield ConsentChange(
                person=person,
                purpose=purpose,
                allowed=said.allowed,
                at=moment.at,
                position=moment.position,
                source=said.source,
                message_id=said.message_id,
            )


def _ending(campaign: Campaign, moment: Moment) -> Verdict | None:
    spec = campaign.spec
    if moment.name in spec.until:
        return Verdict("until", f"{moment.name} came first")
    if spec.exit and _transition(moment, spec.audience, entered=False) is not None:
        return Verdict("exit", f"left {spec.audience} before the mail was due")
    return None


def _transition(moment: Moment, segment: str | None, *, entered: bool) -> Transition | None:
    return next((t for t in moment.transitions if t.segment == segment and t.entered is entered), None)


def _may_enter(reentry_ms: int | None, memory: Memory, at: int) -> bool:
    if memory.journey is not None:
        return False
    if memory.entered is None:
        return True
    return reentry_ms is not None and at - memory.entered >= reentry_ms
