"""Calls into records: verdict, subject, mentions, facets, seals, content hash. Nothing is written; the vault
only learns of new subjects, which `Vault.commit` makes durable.

In come decoded calls and how they arrived, out go records without seq and stamp. Promised: every call gives
exactly one record, whatever is wrong with it, and no personal value stands open in one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeAlias
from uuid import uuid4

import msgspec

from livepost.intake.call import BrokenCall, Call
from livepost.intake.context import CONSENT_EVENT, Opening, consent_in, split_context
from livepost.intake.erased import Erased
from livepost.intake.facet import facets_of
from livepost.intake.plan import FieldPlan, TrackingPlan
from livepost.intake.seal import CALL, CONTEXT, UNDECLARED, Sealer
from livepost.intake.signal import UNREAD, signals_in
from livepost.intake.timestamp import effective_ms, parse_timestamp
from livepost.intake.verdict import (
    MAX_ID_CHARS,
    MAX_MESSAGE_ID_CHARS,
    Judgement,
    judge,
    judge_plain,
    record_name,
    values_told,
)
from livepost.model.block import Columns
from livepost.model.consent import SignalRules
from livepost.model.record import KeyKind, Kind, Mention, Origin, Record, Verdict
from livepost.vault.base import ANONYMOUS, EMAIL, USER, ExternalId, SubjectKeys

PUBLIC_ALIAS = (
    "expected an alias of a userId from a secret key, got one from a public write key, which cannot make one person of "
    "two users; send it from the server"
)
"""Why an alias from a public key waits among the dead letters if its previousId is known as a user."""

NewId = Callable[[], str]
_Values: TypeAlias = tuple[dict[str, Any], dict[str, Any], dict[str, str], dict[str, Any]]
"""Open properties, open context, facets, and the fields of a call that are to be sealed."""

NOBODY_ERASED = Erased(lambda purpose, value: b"", {})
"""The erasure list of whom nobody asked to be erased."""

_NOTHING = Opening({}, {}, frozenset())
_CANONICAL = msgspec.json.Encoder(order="deterministic")


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """How calls came: by which source and key, when (`received_at`, `sent_at` in ms), and as what.

    gpc   whether the request said `Sec-GPC: 1`
    """

    source: str
    key: KeyKind
    received_at: int
    sent_at: int | None = None
    origin: Origin = Origin.LIVE
    gpc: bool = False

    def sent(self, at: int | None) -> Arrival:
        """Return the same, sent `at` (ms) by the client's clock; itself if that is not known."""
        return self if at is None else msgspec.structs.replace(self, sent_at=at)


class Subjects(Protocol):
    """What of a vault records are made with."""

    def admit(self, ids: Sequence[ExternalId]) -> Sequence[SubjectKeys]:
        """Return each id's subject, making new ones where an id is first seen."""
        ...

    def find(self, id: ExternalId) -> SubjectKeys | None:
        """Return the id's subject or None; makes nothing."""
        ...


def new_message_id() -> str:
    """Return a fresh id for a call that came without one."""
    return str(uuid4())


class Recorder:
    """Makes records for one workspace; `plan` and the list of who was `erased` may be replaced between calls."""

    def __init__(self, workspace: str, vault: Subjects, plan: TrackingPlan, new_id: NewId = new_message_id) -> None:
        self.workspace = workspace
        self.vault = vault
        self.plan = plan
        self.erased = NOBODY_ERASED
        self._new_id = new_id
        self._sealers: dict[str, Sealer] = {}

    def records(self, calls: Sequence[Call], arrival: Arrival) -> list[Record]:
        """Return one record a call, in order."""
        calls = self._let_in(calls, arrival)
        people = self._people(calls, arrival.key)
        sealer = self._sealer(arrival.source)
        return [self._record(call, keys, arrival, sealer) for call, keys in zip(calls, people, strict=True)]

    def columns(self, calls: Sequence[Call], arrival: Arrival) -> Columns:
        """Return the values of `records` by field; costs less than these for many calls, more for one."""
        calls = self._let_in(calls, arrival)
        people = self._people(calls, arrival.key)
        keys = [one[0] for one in people]
        ids = [self._message_id(call) for call in calls]
        timestamps = [parse_timestamp(call.timestamp) if call.timestamp else None for call in calls]
        sent = [parse_timestamp(call.sent_at) if call.sent_at else arrival.sent_at for call in calls]
        sealer = self._sealer(arrival.source)
        hashes = [one.keyed_hash(_canonical(call)) for one, call in zip(keys, calls, strict=True)]
        plan = self.plan
        judged = [
            judge_plain(call, at, plan) or self._judged(call, at, one, arrival.key)
            for call, at, one in zip(calls, timestamps, keys, strict=True)
        ]
        told = [_values(call, one, plan.signals, arrival.gpc) for call, one in zip(calls, judged, strict=True)]
        properties, contexts, facets, fields = zip(*told, strict=True) if told else ((), (), (), ())
        count = len(calls)
        return {
            "kind": [Kind.EVENT] * count,
            "origin": [arrival.origin] * count,
            "key": [arrival.key] * count,
            "source": [arrival.source] * count,
            "subject": [one.subject for one in keys],
            "known": [one.known for one in keys],
            "mentions": [_mentions(one) if len(one) > 1 else () for one in people],
            "message_id": ids,
            "name": [one.name for one in judged],
            "timestamp": timestamps,
            "sent_at": sent,
            "received_at": [arrival.received_at] * count,
            "effective_ts": [
                effective_ms(at, by, arrival.received_at) for at, by in zip(timestamps, sent, strict=True)
            ],
            "verdict": [one.verdict for one in judged],
            "reason": [one.reason for one in judged],
            "properties": properties,
            "context": contexts,
            "facets": facets,
            "sealed": sealer.seal_all(keys, ids, fields),
            "content_hash": hashes,
            "control": [{} for _ in calls],
        }

    def _let_in(self, calls: Sequence[Call], arrival: Arrival) -> Sequence[Call]:
        """Return the calls, those of before an erasure without what they tell."""
        if not self.erased.ids:
            return calls
        by, at = arrival.sent_at, arrival.received_at
        return [self.erased.rest(call, ids_of(call, arrival.key, self.plan), by, at) for call in calls]

    def _sealer(self, source: str) -> Sealer:
        """Return the source's sealer; there are as few sources as keys, so they are kept."""
        sealer = self._sealers.get(source)
        if sealer is None:
            sealer = self._sealers[source] = Sealer(self.workspace, source)
        return sealer

    def _people(self, calls: Sequence[Call], key: KeyKind) -> list[list[SubjectKeys]]:
        """Return, per call, the subject and those it mentions, asking the vault once for all.

        Aliases come last: what their previousId means depends on whom the vault knows by then. Calls that
        name nobody share one fresh subject, so that dead letters cannot fill the vault.
        """
        named = [ids_of(call, key, self.plan) for call in calls]
        if len(calls) == 1 and named[0] and calls[0].type != "alias":
            return [[*self.vault.admit(named[0])]]
        if not all(named):
            nobody = ExternalId(ANONYMOUS, self._new_id())
            named = [ids or [nobody] for ids in named]
        people = _dealt(self.vault.admit([id for ids in named for id in ids]), named)
        for call, keys in zip(calls, people, strict=True):
            previous = _text_id(call.previous_id) if call.type == "alias" else ""
            if previous and not self._refused_alias(call, key):
                keys.extend(self.vault.admit(self._previous(previous, key)))
        return people

    def _refused_alias(self, call: Call, key: KeyKind) -> bool:
        """Whether a public key would make one person of two users: the previousId is known as a user, and as nobody's
        anonymous id.
        """
        previous = _text_id(call.previous_id) if call.type == "alias" and key is not KeyKind.SECRET else ""
        if not previous or self.vault.find(ExternalId(ANONYMOUS, previous)) is not None:
            return False
        return self.vault.find(ExternalId(USER, previous)) is not None

    def _previous(self, previous: str, key: KeyKind) -> list[ExternalId]:
        """Return what an alias mentions. Only a secret key can mean a user: people may share a browser, and a
        public key must not join two of them (FORMATS). A server may as well mean an anonymous id, if that is
        what we know.
        """
        user, anonymous = ExternalId(USER, previous), ExternalId(ANONYMOUS, previous)
        if key is not KeyKind.SECRET:
            return [anonymous]
        return [id for id in (user, anonymous) if self.vault.find(id) is not None] or [user]

    def _record(self, call: Call, keys: list[SubjectKeys], arrival: Arrival, sealer: Sealer) -> Record:
        subject = keys[0]
        message_id = self._message_id(call)
        timestamp = parse_timestamp(call.timestamp) if call.timestamp else None
        sent_at = parse_timestamp(call.sent_at) if call.sent_at else arrival.sent_at
        content_hash = subject.keyed_hash(_canonical(call))
        judged = self._judged(call, timestamp, subject, arrival.key)
        properties, context, facets, fields = _values(call, judged, self.plan.signals, arrival.gpc)
        return Record(
            origin=arrival.origin,
            key=arrival.key,
            source=arrival.source,
            subject=subject.subject,
            known=subject.known,
            mentions=_mentions(keys) if len(keys) > 1 else (),
            message_id=message_id,
            name=judged.name,
            timestamp=timestamp,
            sent_at=sent_at,
            received_at=arrival.received_at,
            effective_ts=effective_ms(timestamp, sent_at, arrival.received_at),
            verdict=judged.verdict,
            reason=judged.reason,
            properties=properties,
            context=context,
            facets=facets,
            sealed=sealer.seal(subject, message_id, fields),
            content_hash=content_hash,
        )

    def _judged(self, call: Call, timestamp: int | None, keys: SubjectKeys, key: KeyKind) -> Judgement:
        judgement = judge(call, timestamp, self.plan, by_key=keys.kind not in (USER, ANONYMOUS))
        if call.type == "alias" and judgement.reading is not None and self._refused_alias(call, key):
            return Judgement(judgement.name, Verdict.DEAD, PUBLIC_ALIAS)
        return judgement

    def _message_id(self, call: Call) -> str:
        told = call.message_id
        return told if told and len(told) <= MAX_MESSAGE_ID_CHARS else self._new_id()


def _dealt(keys: Sequence[SubjectKeys], named: list[list[ExternalId]]) -> list[list[SubjectKeys]]:
    """Return the keys of all ids, in their order, by call; mostly a call names one."""
    if len(keys) == len(named):
        return [[one] for one in keys]
    flat = iter(keys)
    return [[next(flat) for _ in ids] for ids in named]


def ids_of(call: Call, key: KeyKind, plan: TrackingPlan) -> list[ExternalId]:
    """Return the external ids that a call names, the strongest first; previousId of an alias is not among
    them.

    An address and a declared key count as ids only if a secret key brought them: whoever has the public key could
    claim any address, and any card's number.
    """
    user, anonymous = _text_id(call.user_id), _text_id(call.anonymous_id)
    ids = [ExternalId(USER, user)] if user else []
    if plan.has_keys:
        ids += declared_ids(call, key, plan)
    if anonymous:
        ids.append(ExternalId(ANONYMOUS, anonymous))
    if call.type == "identify" and key is KeyKind.SECRET and ids and call.traits:
        email = call.traits.get("email")
        if isinstance(email, str) and 0 < len(email.strip()) <= MAX_ID_CHARS:
            ids.append(ExternalId(EMAIL, email))
    return ids


def declared_ids(call: Call, key: KeyKind, plan: TrackingPlan) -> list[ExternalId]:
    """Return the ids that a call names by declared keys, in the order of its event's fields."""
    fields = plan.keys_of(record_name(call)) if key is KeyKind.SECRET and call.type != "alias" else ()
    if not fields:
        return []
    told = values_told(call)
    named = ((field.name, _key_told(field, told)) for field in fields)
    return [ExternalId(name, text) for name, text in named if text]


def _key_told(field: FieldPlan, told: dict[str, Any]) -> str:
    """Return a declared key as text; "" for none, and for one of another type, which the plan refuses."""
    value = next((told[name] for name in field.keys if told.get(name) is not None), None)
    return _text_id(value) if type(value) in (str, int) else ""


def _text_id(value: str | int | float | None) -> str:
    """Return an id as text; one that is missing or too long counts as none."""
    if value is None:
        return ""
    text = value if type(value) is str else str(value)
    return text if len(text) <= MAX_ID_CHARS else ""


def _mentions(keys: list[SubjectKeys]) -> tuple[Mention, ...]:
    subject = keys[0].subject
    seen = {key.subject: key.known for key in keys[1:] if key.subject != subject}
    return tuple(Mention(other, known) for other, known in seen.items())


def _values(call: Call, judgement: Judgement, rules: SignalRules, gpc: bool) -> _Values:
    """Return an accepted call's values, open ones and those to be sealed. A call that is not accepted is sealed as a
    whole, to be fixed and replayed; of a blocked one nothing is kept.
    """
    reading = judgement.reading
    if reading is None:
        aside = {} if judgement.verdict is Verdict.FILTERED else {CALL: _whole(call)}
        return {}, {}, {}, aside
    opening, rest = split_context(call.context) if call.context else (_NOTHING, {})
    context, facets = opening.parts, opening.facets
    if judgement.name == CONSENT_EVENT and "consent" not in context:
        consent = consent_in(call.properties or {})
        if consent is not None:
            context = {**context, "consent": consent}
    if rules:
        context = _with_signals(context, call, rules, gpc)
    if call.type == "identify" and call.traits:
        facets = facets_of(call.traits, context)
    fields = reading.personal
    if reading.undeclared:
        fields[UNDECLARED] = reading.undeclared
    if rest:
        fields[CONTEXT] = rest
    return reading.open, context, facets, fields


def _with_signals(context: dict[str, Any], call: Call, rules: SignalRules, gpc: bool) -> dict[str, Any]:
    """Return the open context with what signals say; the same where there are none."""
    said, unread = signals_in(call.context or {}, rules, gpc=gpc)
    if said:
        context = {**context, "consent": {**context.get("consent", {}), **said}}
    return {**context, UNREAD: unread} if unread else context


def _whole(call: Call) -> Any:
    return call.told if isinstance(call, BrokenCall) and call.told is not None else call


def _canonical(call: Call) -> bytes:
    """Return what two tellings of one event have in common, key order aside: all but sentAt, receivedAt and
    retry fields.
    """
    if isinstance(call, BrokenCall):
        return _CANONICAL.encode(call.told)
    return _CANONICAL.encode(
        (
            call.type,
            call.user_id,
            call.anonymous_id,
            call.previous_id,
            call.group_id,
            call.event,
            call.name,
            call.category,
            call.timestamp,
            call.properties,
            call.traits,
            call.context,
        )
    )
