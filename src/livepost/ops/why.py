"""Why a person got a mail, did not, is in a segment or is not: reasons that others recorded, put into words.

In: the compiled project and what stores know of one person (`Evidence`). Out: structs fit for JSON, and `spoken` for
people. Promised: nothing is decided anew and no seal is opened; the words carry no personal value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from livepost.errors import ProjectError
from livepost.expr import And, Compare, Const, Expr, Feature, Not, Or
from livepost.expr.evaluate import holds
from livepost.ledger.base import Delivery, Move, Note
from livepost.model.compiled import CampaignSpec, Compiled, FeatureSpec, SegmentSpec
from livepost.model.decision import REASONS, Transition
from livepost.model.person import JourneyView, MembershipView, PersonView
from livepost.project.money import Money

UNITS = ((86_400_000, "day"), (3_600_000, "hour"), (60_000, "minute"), (1_000, "second"), (1, "ms"))
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


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What the stores know of one person, each newest first; `history` and `notes` by decision id."""

    view: PersonView
    deliveries: Sequence[Delivery] = ()
    history: Mapping[bytes, Sequence[Move]] = {}
    notes: Mapping[bytes, Sequence[Note]] = {}
    transitions: Sequence[Transition] = ()


class Happened(msgspec.Struct, frozen=True):
    """Something that happened at a time (ms), in words."""

    at: int
    text: str


class MailReason(msgspec.Struct, frozen=True, kw_only=True):
    """A decision and what became of it: the ledger's state and reason, and each move on the way."""

    decision: str
    state: str
    reason: str
    detail: str
    cause: str
    at: int
    text: str
    moves: tuple[Happened, ...]


class CampaignReason(msgspec.Struct, frozen=True, kw_only=True):
    """Where a person stands in a campaign.

    `state` is `waiting` for a journey under way, else that of the newest delivery, else `none`; `due` (ms) only while
    waiting; `mails` newest first.
    """

    campaign: str
    state: str
    text: str
    due: int | None = None
    mails: tuple[MailReason, ...] = ()


class Term(msgspec.Struct, frozen=True, kw_only=True):
    """A comparison of a segment's condition: the features' values, whether it holds, and both in words."""

    values: dict[str, Any]
    holds: bool
    text: str


class SegmentReason(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a person is in a segment, since when (ms; None: always so), and the values that say so."""

    segment: str
    inside: bool
    since: int | None
    text: str
    condition: str
    terms: tuple[Term, ...]
    moves: tuple[Happened, ...]


class PersonReason(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about a person: all segments and campaigns in the project's order."""

    person: str
    as_of: int
    consents: dict[str, bool]
    segments: tuple[SegmentReason, ...]
    campaigns: tuple[CampaignReason, ...]
    text: str


Reason = CampaignReason | SegmentReason | PersonReason


def why(compiled: Compiled, name: str, evidence: Evidence) -> CampaignReason | SegmentReason:
    """Return the reasons for a campaign or segment by its name; raise ProjectError if there is neither."""
    for campaign in compiled.campaigns:
        if campaign.name == name:
            return _campaign(compiled, campaign, evidence)
    for segment in compiled.segments:
        if segment.name == name:
            return _segment(compiled, segment, evidence)
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
        campaigns=tuple(_campaign(compiled, spec, evidence) for spec in compiled.campaigns),
        text=f"person {view.person.hex()} as of {_time(view.as_of)}: {_consents(view)}",
    )


def spoken(reason: Reason) -> str:
    """Return the reasons as text: one sentence, then a line for each thing behind it."""
    return "\n".join(_lines(reason))


def _lines(reason: Reason) -> Iterator[str]:
    yield reason.text
    match reason:
        case CampaignReason():
            for mail in reason.mails:
                if mail.text != reason.text:
                    yield f"  {mail.text}"
                yield from (f"    {_time(one.at)}  {one.text}" for one in mail.moves)
        case SegmentReason():
            yield f"  condition: {reason.condition}"
            yield from (f"    {'yes' if term.holds else 'no '}  {term.text}" for term in reason.terms)
            yield from (f"    {_time(one.at)}  {one.text}" for one in reason.moves)
        case PersonReason():
            yield from (f"  segment {one.segment}: {one.text}" for one in reason.segments)
            yield from (f"  campaign {one.campaign}: {one.text}" for one in reason.campaigns)


def _campaign(compiled: Compiled, spec: CampaignSpec, evidence: Evidence) -> CampaignReason:
    mails = tuple(_mail(one, evidence) for one in evidence.deliveries if one.decision.campaign == spec.name)
    journey = next((one for one in evidence.view.journeys if one.campaign == spec.name), None)
    if journey is not None:
        text = _waiting(spec, journey, evidence.view)
        return CampaignReason(campaign=spec.name, state="waiting", text=text, due=journey.due, mails=mails)
    if mails:
        return CampaignReason(campaign=spec.name, state=mails[0].state, text=mails[0].text, mails=mails)
    return CampaignReason(campaign=spec.name, state="none", text=f"no mail: {_not_started(compiled, spec, evidence)}")


def _waiting(spec: CampaignSpec, journey: JourneyView, view: PersonView) -> str:
    text = f"not yet: {journey.cause_text} {_time(journey.entered_at)}, due {_time(journey.due)}"
    if spec.class_ == "marketing" and not view.consents.get(spec.purpose, False):
        return f"{text}; as things stand it will be skipped: {dict(REASONS)['consent']}, {spec.purpose}"
    return text


def _not_started(compiled: Compiled, spec: CampaignSpec, evidence: Evidence) -> str:
    if spec.audience is None:
        where = " so that `where` holds" if spec.where is not None else ""
        return f"{spec.on} has not happened{where}, or only late or by import"
    segment = next(one for one in compiled.segments if one.name == spec.audience)
    reason = _segment(compiled, segment, evidence)
    if not reason.inside:
        return reason.text
    return f"{reason.text}; what brought the person in came late or by import, which starts nothing"


def _mail(delivery: Delivery, evidence: Evidence) -> MailReason:
    decision = delivery.decision
    moves = [_move(one) for one in evidence.history.get(decision.id, ())]
    moves += [
        Happened(n.at, f"{_reason(n.reason, n.detail)}, too late to stop it") for n in _notes(decision.id, evidence)
    ]
    return MailReason(
        decision=decision.id.hex(),
        state=delivery.state,
        reason=delivery.reason,
        detail=delivery.detail,
        cause=decision.cause_text,
        at=decision.at,
        text=STATES[delivery.state].format(
            cause=decision.cause_text,
            at=_time(decision.at),
            changed=_time(delivery.changed_at),
            reason=_reason(delivery.reason, delivery.detail),
            detail=delivery.detail or "the sender refused it for good",
        ),
        moves=tuple(moves),
    )


def _notes(decision: bytes, evidence: Evidence) -> Sequence[Note]:
    return evidence.notes.get(decision, ())


def _move(move: Move) -> Happened:
    why = _reason(move.reason, move.detail)
    return Happened(move.at, f"{move.after}: {why}" if why else move.after)


def _reason(reason: str, detail: str) -> str:
    words = dict(REASONS).get(reason, reason)
    return ", ".join(part for part in (words, detail) if part)


def _segment(compiled: Compiled, spec: SegmentSpec, evidence: Evidence) -> SegmentReason:
    condition: Expr = msgspec.convert(spec.condition, Expr)
    reader = _Reader(compiled, evidence.view)
    membership = next(
        (one for one in evidence.view.memberships if one.segment == spec.name),
        MembershipView(segment=spec.name, inside=False, since=0, number=0),
    )
    place = f"in {spec.name}" if membership.inside else f"not in {spec.name}"
    since = f" since {_time(membership.since)}" if membership.since else ""
    values = reader.said(condition) if membership.inside else reader.missing(condition)
    moves = (one for one in evidence.transitions if one.segment == spec.name)
    return SegmentReason(
        segment=spec.name,
        inside=membership.inside,
        since=membership.since or None,
        text=f"{place}{since}: {values}",
        condition=spec.text,
        terms=tuple(reader.terms(condition)),
        moves=tuple(Happened(one.at, f"{_verb(one)}, because of record {one.position}") for one in moves),
    )


def _verb(transition: Transition) -> str:
    return "entered" if transition.entered else "left"


class _Reader:
    """Reads a condition over one person's values."""

    def __init__(self, compiled: Compiled, view: PersonView) -> None:
        self._currency = compiled.currency
        self._specs = {spec.name: spec for spec in compiled.features}
        self._money = {(e.name, f.name) for e in compiled.events for f in e.fields if f.type == "money"}
        self._values = view.features

    def terms(self, node: Expr) -> Iterator[Term]:
        """Yield the comparisons, left to right."""
        for leaf in _leaves(node):
            names = [side.name for side in (leaf.left, leaf.right) if isinstance(side, Feature)]
            yield Term(
                values={name: self._values.get(name) for name in names},
                holds=self.holds(leaf),
                text=f"{self._is(leaf)}, needs {self._needs(leaf)}",
            )

    def said(self, node: Expr) -> str:
        """Return the values that a condition compares, in words."""
        return ", ".join(dict.fromkeys(self._is(leaf) for leaf in _leaves(node)))

    def missing(self, node: Expr) -> str:
        """Return what would have to be otherwise for a condition to hold, in words; "" if nothing."""
        if self.holds(node):
            return ""
        match node:
            case And(of):
                return "; ".join(filter(None, (self.missing(part) for part in of)))
            case Or(of):
                return ", or ".join(self.missing(part) for part in of)
            case Not(of):
                return f"{self.said(of)}, needs not: {', '.join(self._needs(leaf) for leaf in _leaves(of))}"
            case Compare():
                return f"{self._is(node)}, needs {self._needs(node)}"
        raise TypeError(f"expected a condition, got {type(node).__name__}")

    def holds(self, node: Expr) -> bool:
        """Return whether a condition holds, as the engine means it (docs/reference/semantics.md)."""
        match node:
            case And(of):
                return all(self.holds(part) for part in of)
            case Or(of):
                return any(self.holds(part) for part in of)
            case Not(of):
                return not self.holds(of)
            case Compare(op, left, right):
                a, b = self._plain(left), self._plain(right)
                return self._never_rule(node, a, b) or holds(Compare(op, Const(a), Const(b)), {})
        raise TypeError(f"expected a condition, got {type(node).__name__}")

    def _never_rule(self, leaf: Compare, left: Any, right: Any) -> bool:
        """Say whether never, being infinitely long ago, makes a comparison of two `since` true."""
        sides = (leaf.left, leaf.right)
        if not all(isinstance(side, Feature) and self._specs[side.name].kind == "since" for side in sides):
            return False
        return (leaf.op, left is None, right is None) in ((">", True, False), ("<", False, True))

    def _plain(self, side: Expr) -> Any:
        """Return a side's value as conditions compare it: money in minor units."""
        if isinstance(side, Const):
            return side.value
        assert isinstance(side, Feature)
        value = self._values.get(side.name)
        return value[0] if isinstance(value, list | tuple) else value

    def _is(self, leaf: Compare) -> str:
        sides = [side for side in (leaf.left, leaf.right) if isinstance(side, Feature)]
        return ", ".join(
            f"{side.name} is {self._say(self._values.get(side.name), self._specs[side.name])}" for side in sides
        )

    def _needs(self, leaf: Compare) -> str:
        spec = next(self._specs[side.name] for side in (leaf.left, leaf.right) if isinstance(side, Feature))
        left = "" if isinstance(leaf.left, Feature) else f"{self._side(leaf.left, spec)} "
        return f"{left}{leaf.op} {self._side(leaf.right, spec)}"

    def _side(self, side: Expr, spec: FeatureSpec) -> str:
        if isinstance(side, Feature):
            return side.name
        assert isinstance(side, Const)
        return self._say(side.value, spec)

    def _say(self, value: Any, spec: FeatureSpec) -> str:
        """Return a value of a feature, or what it is compared with, as people say it."""
        if value is None:
            return "never"
        if spec.kind == "since":
            return _duration(int(value))
        if spec.type == "money" or ((spec.event, spec.field) in self._money and spec.kind == "mean"):
            minor, currency = value if isinstance(value, list | tuple) else (value, self._currency)
            return str(Money.of_minor(round(minor), currency))
        return repr(value)


def _leaves(node: Expr) -> Iterator[Compare]:
    match node:
        case And(of) | Or(of):
            for part in of:
                yield from _leaves(part)
        case Not(of):
            yield from _leaves(of)
        case Compare():
            yield node


def _consents(view: PersonView) -> str:
    said = [
        f"{purpose} {'allowed' if allowed else 'not allowed'}" for purpose, allowed in sorted(view.consents.items())
    ]
    return ", ".join(said) or "never said what is allowed"


def _duration(ms: int) -> str:
    """Return a length of time in its two largest units.

    >>> _duration(2 * 3_600_000 + 5 * 60_000 + 7)
    '2 hours 5 minutes'
    """
    parts = []
    for unit, word in UNITS:
        whole, ms = divmod(ms, unit)
        if whole:
            parts.append(f"{whole} {word}{'s' if whole > 1 and word != 'ms' else ''}")
    return " ".join(parts[:2]) or "0 seconds"


def _time(ms: int) -> str:
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"
