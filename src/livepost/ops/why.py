"""Why a person got a mail, did not, is in a segment or is not: reasons that others recorded, put into words.

In: the compiled project and what stores know of one person (`Evidence`). Out: structs fit for JSON, whose
`str` is for people. Promised: nothing is decided anew and no seal is opened; the words carry no personal value.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from livepost.errors import ProjectError
from livepost.expr import Expr
from livepost.ledger.base import Delivery, Move, Note, Outcome
from livepost.model.compiled import CampaignSpec, Compiled, SegmentSpec
from livepost.model.decision import REASONS, reason_words
from livepost.model.person import JourneyView, MembershipView, PersonView
from livepost.ops.behind import Behind
from livepost.ops.condition import Reading, Term
from livepost.ops.evidence import Evidence
from livepost.ops.records import Records

STATES = {
    "pending": "not yet: {cause}, decided {at}, waiting to be sent",
    "claimed": "not yet: {cause}, decided {at}, being made",
    "in_flight": "not yet: {cause}, decided {at}, no answer from the sender so far",
    "sent": "sent: {cause}, decided {at}, sent {changed}",
    "failed": "failed: {detail}; {cause}, decided {at}",
    "unknown": "unknown: nobody can know whether it was sent; {cause}, decided {at}",
    "skipped": "no mail: {reason}; {cause}, decided {at}",
    "held": "held: waits for a person since a restore; {cause}, decided {at}",
}
"""What each state of a delivery is called."""


MAILS_WITH_RECORDS = 5
"""Of so many mails of a campaign, the newest, the records behind are told."""


class Happened(msgspec.Struct, frozen=True):
    """Something that happened at a time (ms), in words."""

    at: int
    text: str

    def __str__(self) -> str:
        """Return it as an indented line."""
        return f"    {_time(self.at)}  {self.text}"


class MailReason(msgspec.Struct, frozen=True, kw_only=True):
    """A decision and what became of it: the ledger's state and reason, each move on the way, and what happened to the
    mail later; `behind` are the records that brought it about, as they were counted then. `provider` is who answered,
    with its own id for the mail, "" if nobody did.
    """

    decision: str
    state: str
    reason: str
    detail: str
    cause: str
    at: int
    text: str
    moves: tuple[Happened, ...]
    behind: tuple[Behind, ...] = ()
    outcomes: tuple[Happened, ...] = ()
    provider: str = ""
    provider_id: str = ""


class CampaignReason(msgspec.Struct, frozen=True, kw_only=True):
    """Where a person stands in a campaign; `audience` is the segment that starts it, None for one that an event starts;
    `declared` says whether the project has it today: it has no sends, and none of the campaigns it once had.

    `state` is `waiting` for a journey under way, else that of the newest delivery, else `none`; `due` (ms) only while
    waiting; `mails` newest first. `behind` are the records behind a journey under way as they were when it began, or,
    where there is no mail, behind the audience now; `reach` says how far the log was searched for records, "" if not.
    """

    campaign: str
    state: str
    text: str
    due: int | None = None
    mails: tuple[MailReason, ...] = ()
    audience: str | None = None
    declared: bool = True
    behind: tuple[Behind, ...] = ()
    reach: str = ""

    def __str__(self) -> str:
        """Return the answer in a line, then each mail with what happened to it, and the records behind."""
        lines = [self.text, *map(str, self.behind)]
        for mail in self.mails:
            lines += [f"  {mail.text}"] if mail.text != self.text else []
            lines += [*map(str, mail.behind), *map(str, mail.moves), *map(str, mail.outcomes)]
        return "\n".join([*lines, *_indented(self.reach)])


class SegmentReason(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a person is in a segment, since when (ms; None: always so), and the values that say so.

    `unknown`: nobody can tell at the moment, so `inside` is as it last was. `reach` says how far the log was searched
    for the records behind the terms, "" if it was not.
    """

    segment: str
    inside: bool
    since: int | None
    text: str
    condition: str
    terms: tuple[Term, ...]
    moves: tuple[Happened, ...]
    unknown: bool = False
    reach: str = ""

    def __str__(self) -> str:
        """Return the answer in a line, then the condition, its comparisons, and when the person came and went."""
        lines = [self.text, f"  condition: {self.condition}", *map(str, self.terms), *_indented(self.reach)]
        return "\n".join([*lines, *map(str, self.moves)])


class PersonReason(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about a person: all segments and campaigns in the project's order, then mails of no campaign of it."""

    person: str
    as_of: int
    consents: dict[str, bool]
    segments: tuple[SegmentReason, ...]
    campaigns: tuple[CampaignReason, ...]
    text: str

    def __str__(self) -> str:
        """Return who it is and a line for each segment and campaign."""
        segments = [f"  segment {one.segment}: {one.text}" for one in self.segments]
        campaigns = [f"  campaign {one.campaign}: {one.text}" for one in self.campaigns]
        return "\n".join([self.text, *segments, *campaigns])


def why(compiled: Compiled, name: str, evidence: Evidence) -> CampaignReason | SegmentReason:
    """Return the reasons for a campaign or segment by its name; raise ProjectError if there is neither."""
    for campaign in compiled.campaigns:
        if campaign.name == name:
            return _campaign(compiled, campaign, evidence)
    for segment in compiled.segments:
        if segment.name == name:
            return _segment(compiled, segment, evidence)
    for told in _beyond(compiled, evidence):
        if told.campaign == name:
            return told
    names = [one.name for one in compiled.campaigns] + [one.name for one in compiled.segments]
    known = ", ".join(names) or "none"
    raise ProjectError(f"expected a campaign or segment of this project ({known}), got {name}; was it renamed?")


def why_person(compiled: Compiled, evidence: Evidence) -> PersonReason:
    """Return the reasons for all segments and campaigns."""
    view = evidence.view
    return PersonReason(
        person=view.person.hex(),
        as_of=view.as_of,
        consents=view.consents,
        segments=tuple(_segment(compiled, spec, evidence) for spec in compiled.segments),
        campaigns=(*(_campaign(compiled, spec, evidence) for spec in compiled.campaigns), *_beyond(compiled, evidence)),
        text=f"person {view.person.hex()} as of {_time(view.as_of)}: {_consents(view)}",
    )


def mail_reason(
    delivery: Delivery,
    history: Sequence[Move],
    notes: Sequence[Note],
    behind: tuple[Behind, ...] = (),
    outcomes: Sequence[Outcome] = (),
) -> MailReason:
    """Return why a mail was decided on and what became of it; moves, notes, records and outcomes are the delivery's."""
    decision = delivery.decision
    moves = [_move(one) for one in history]
    moves += [Happened(note.at, f"{reason_words(note.reason, note.detail)}, too late to stop it") for note in notes]
    return MailReason(
        decision=decision.id.hex(),
        state=delivery.state,
        reason=delivery.reason,
        detail=delivery.detail,
        cause=decision.cause_text,
        at=decision.at,
        text=STATES[delivery.state].format(
            cause=_of_step(decision.cause_text, decision.step),
            at=_time(decision.at),
            changed=_time(delivery.changed_at),
            reason=reason_words(delivery.reason, delivery.detail),
            detail=delivery.detail or "the sender refused it for good",
        ),
        moves=tuple(moves),
        behind=behind,
        outcomes=tuple(Happened(one.at, one.outcome.replace("_", " ")) for one in outcomes),
        provider=delivery.provider,
        provider_id=delivery.provider_id,
    )


def _campaign(compiled: Compiled, spec: CampaignSpec, evidence: Evidence) -> CampaignReason:
    records = Records(compiled, evidence)
    mails = _mails(spec.name, evidence, records)
    journey = next((one for one in evidence.view.journeys if one.campaign == spec.name), None)
    if journey is not None:
        text, behind = _waiting(spec, journey, evidence.view), records.of_journey(spec, journey)
        state, due = "waiting", journey.due
    elif mails:
        state, text, due, behind = mails[0].state, mails[0].text, None, ()
    else:
        state, text, due = "none", f"no mail: {_not_started(compiled, spec, evidence)}", None
        behind = records.of_audience(spec)
    return CampaignReason(
        campaign=spec.name,
        state=state,
        text=text,
        due=due,
        mails=mails,
        audience=spec.audience,
        behind=behind,
        reach=records.reach,
    )


def _beyond(compiled: Compiled, evidence: Evidence) -> list[CampaignReason]:
    """Return where the person stands in what the project has no campaign for: sends, and campaigns it had once."""
    names = dict.fromkeys(one.decision.campaign for one in evidence.deliveries)
    known = {spec.name for spec in compiled.campaigns}
    records = Records(compiled, evidence)
    return [_delivered(name, _mails(name, evidence, records)) for name in names if name not in known]


def _mails(campaign: str, evidence: Evidence, records: Records) -> tuple[MailReason, ...]:
    deliveries = [one for one in evidence.deliveries if one.decision.campaign == campaign]
    return tuple(
        _mail(one, evidence, records.of_decision(one.decision) if place < MAILS_WITH_RECORDS else ())
        for place, one in enumerate(deliveries)
    )


def _delivered(name: str, mails: tuple[MailReason, ...]) -> CampaignReason:
    return CampaignReason(campaign=name, state=mails[0].state, text=mails[0].text, mails=mails, declared=False)


def _waiting(spec: CampaignSpec, journey: JourneyView, view: PersonView) -> str:
    entered = f"{journey.cause_text} {_time(journey.entered_at)}"
    text = f"not yet: {_of_step(entered, journey.step)}, due {_time(journey.due)}"
    if spec.class_ == "marketing" and not view.consents.get(spec.purpose, False):
        return f"{text}; as things stand it will be skipped: {dict(REASONS)['consent']}, {spec.purpose}"
    return text


def _of_step(cause: str, step: int) -> str:
    """Return a cause with which of the campaign's mails it is about, where that is not the first."""
    return f"{cause}, mail {step + 1}" if step else cause


def _not_started(compiled: Compiled, spec: CampaignSpec, evidence: Evidence) -> str:
    if spec.audience is None:
        where = " so that `where` holds" if spec.where is not None else ""
        return f"{spec.on} has not happened{where}, or only late or by import"
    segment = next(one for one in compiled.segments if one.name == spec.audience)
    reason = _segment(compiled, segment, evidence)
    if not reason.inside:
        return reason.text
    if spec.broadcast:
        return f"{reason.text}; it was not broadcast since then"
    return f"{reason.text}; what brought the person in came late or by import, which starts nothing"


def _mail(delivery: Delivery, evidence: Evidence, behind: tuple[Behind, ...]) -> MailReason:
    id = delivery.decision.id
    outcomes = evidence.outcomes.get(id, ())
    return mail_reason(delivery, evidence.history.get(id, ()), evidence.notes.get(id, ()), behind, outcomes)


def _move(move: Move) -> Happened:
    why = reason_words(move.reason, move.detail)
    return Happened(move.at, f"{move.after}: {why}" if why else move.after)


def _segment(compiled: Compiled, spec: SegmentSpec, evidence: Evidence) -> SegmentReason:
    condition: Expr = msgspec.convert(spec.condition, Expr)
    reader = Reading(compiled, evidence.view)
    membership = next(
        (one for one in evidence.view.memberships if one.segment == spec.name),
        MembershipView(segment=spec.name, inside=False, since=0, number=0),
    )
    place = f"in {spec.name}" if membership.inside else f"not in {spec.name}"
    since = f" since {_time(membership.since)}" if membership.since else ""
    values = reader.said(condition) if membership.inside else reader.missing(condition)
    doubt = ", as it last was; at the moment nobody can tell" if membership.unknown else ""
    verbs = ((one, "entered" if one.entered else "left") for one in evidence.transitions if one.segment == spec.name)
    return SegmentReason(
        segment=spec.name,
        inside=membership.inside,
        since=membership.since or None,
        text=f"{place}{since}{doubt}: {values}",
        condition=spec.text,
        terms=Records(compiled, evidence).of_terms(reader.terms(condition)),
        reach=evidence.counted.reach if evidence.counted else "",
        moves=tuple(Happened(one.at, f"{verb}, because of record {one.position}") for one, verb in verbs),
        unknown=membership.unknown,
    )


def _indented(sentence: str) -> list[str]:
    return [f"    {sentence}"] if sentence else []


def _consents(view: PersonView) -> str:
    said = [
        f"{purpose} {'allowed' if allowed else 'not allowed'}" for purpose, allowed in sorted(view.consents.items())
    ]
    return ", ".join(said) or "never said what is allowed"


def _time(ms: int) -> str:
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"
