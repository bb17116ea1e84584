"""Dead letters as calls: what a letter told, what is still wrong with it, and the record that replays it.

In come a letter's record and the vault, and maybe a corrected call; out goes a sentence or a record. Nothing is
written. Promised: the verdict is that of any call (`verdict.judge`), by today's tracking plan; a replay keeps source,
kind of key, person and times, folds once however often it is made, and triggers nothing; a corrected call names whom
the letter named, unless that was nobody or it is said that another is meant.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol

import msgspec

from livepost.errors import SealError
from livepost.ids import digest
from livepost.intake.call import TOO_DEEP, Call, json_name, read_call
from livepost.intake.plan import TrackingPlan
from livepost.intake.record import PUBLIC_ALIAS, Arrival, Recorder, declared_ids, ids_of
from livepost.intake.seal import CALL, CONTEXT, UNDECLARED, open_value
from livepost.intake.timestamp import parse_timestamp
from livepost.intake.verdict import judge
from livepost.model.compiled import Compiled, FieldSpec
from livepost.model.letter import Letter, LetterDetail
from livepost.model.record import REPLAYS, Origin, Record, Verdict
from livepost.project.money import minor_digits
from livepost.vault.base import ANONYMOUS, USER, ExternalId, SubjectKeys

ORIGIN = Origin.IMPORT
"""A replay is history that comes in late, by a person's hand, as an import is; `BACKFILL` is what the house computes
anew of events that count already. Neither triggers anything.
"""

FORGOTTEN = "expected a person who can be replayed, got one who was forgotten; nothing of the letter can be opened"
OTHER_PERSON = (
    "expected the corrected call to name whom the letter named, got others; "
    "leave its ids (and an address from a secret key) as they were, or say that another person is meant"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ALIAS = "$alias"
_WITH_TRAITS = ("identify", "group")


class Opener(Protocol):
    """What of a vault letters are opened with."""

    def keys(self, subject: bytes) -> SubjectKeys:
        """Return a subject's keys; raise SealError if it is unknown or was forgotten."""
        ...

    def external_ids(self, subjects: Sequence[bytes]) -> list[ExternalId]:
        """Return the opened external ids of those subjects that still exist."""
        ...


class Letters:
    """Opens the letters of one workspace."""

    def __init__(self, vault: Opener, workspace: str, compiled: Compiled) -> None:
        """`compiled` says of which types the values of ordinary records are."""
        self._vault = vault
        self._workspace = workspace
        self._events = {event.name: event for event in compiled.events}

    def told(self, letter: Record) -> Any:
        """Return what the client told, as JSON values: a call that is broken may be of any form.

        A call that broke the plan was sealed whole. One that was late, or in conflict, is an ordinary record, and is
        put together again from its values. Raises SealError if its person was forgotten.
        """
        sealed = letter.sealed_value(CALL)
        if sealed is None:
            return self._rebuilt(letter)
        whole = open_value(self._vault.keys(letter.subject), self._workspace, sealed)
        if letter.reason == TOO_DEEP:
            whole.pop("fault", None)  # ours, not the client's
        return whole

    def detail(self, row: Letter, letter: Record, *, open: bool) -> LetterDetail:
        """Return all that there is to know of a letter, its call as it was told or masked."""
        try:
            told, forgotten = self.told(letter), False
        except SealError:
            told, forgotten = None, True
        return LetterDetail(
            **msgspec.structs.asdict(row),
            replays=letter.replays,
            key=letter.key.name.lower(),
            origin=letter.origin.name.lower(),
            subject=letter.subject.hex(),
            known=letter.known,
            message_id=letter.message_id,
            timestamp=letter.timestamp,
            sent_at=letter.sent_at,
            received_at=letter.received_at,
            effective_ts=letter.effective_ts,
            forgotten=forgotten,
            opened=open and not forgotten,
            call=told if open or forgotten else masked(told),
        )

    def _rebuilt(self, letter: Record) -> dict[str, Any]:
        """Return a call of which intake makes this record again."""
        values = {**letter.properties, **self._opened(letter)}
        context = {**_context_told(letter.context), **values.pop(CONTEXT, {})}
        undeclared = values.pop(UNDECLARED, {})
        told = {**undeclared, **self._values_told(letter.name, values)}
        type_ = letter.name.removeprefix("$") if letter.name.startswith("$") else "track"
        call = {
            "type": type_,
            **self._ids_told(letter),
            "event": letter.name if type_ == "track" else None,
            "groupId": told.get("groupId") if type_ == "group" else None,
            "timestamp": None if letter.timestamp is None else _iso(letter.timestamp),
            "traits" if type_ in _WITH_TRAITS else "properties": told or None,
            "context": context or None,
        }
        return {name: value for name, value in call.items() if value is not None}

    def _opened(self, letter: Record) -> dict[str, Any]:
        keys = self._vault.keys(letter.subject)
        sealed = filter(None, map(letter.sealed_value, letter.sealed))
        return {value.field: open_value(keys, self._workspace, value) for value in sealed}

    def _ids_told(self, letter: Record) -> dict[str, str]:
        """Return the ids as keys of a call; an address is among the traits. An alias mentions whom it joins last."""
        ids = self._vault.external_ids([letter.subject, *(mention.subject for mention in letter.mentions)])
        told = {"previousId": ids.pop().value if len(ids) > 1 else ids[0].value} if letter.name == _ALIAS else {}
        words = {USER: "userId", ANONYMOUS: "anonymousId"}
        return {**{words[id.kind]: id.value for id in reversed(ids) if id.kind in words}, **told}

    def _values_told(self, name: str, values: dict[str, Any]) -> dict[str, Any]:
        """Return normalised values under the names, and in the form, in which a client tells them."""
        event = self._events.get(name)
        fields = {} if event is None else {field.name: field for field in event.fields}
        told: dict[str, Any] = {}
        for field, value in values.items():
            told.update(_told(fields[field], value) if field in fields else {field: value})
        return told


def still_wrong(plan: TrackingPlan, letter: Record, told: Any, edited: Call | None, *, another_person: bool) -> str:
    """Return why a letter stays one, "" if it can be replayed, as it is or as the `edited` call has it."""
    if edited is None and letter.reason == TOO_DEEP:
        return TOO_DEEP  # what is left of it would pass
    before = called(told)
    call = before if edited is None else edited
    if letter.reason == PUBLIC_ALIAS and call.type == "alias":
        return PUBLIC_ALIAS  # what is wrong is the key it came with
    timestamp = parse_timestamp(call.timestamp) if call.timestamp else None
    judgement = judge(call, timestamp, plan, by_key=bool(declared_ids(call, letter.key, plan)))
    if judgement.verdict is not Verdict.ACCEPTED:
        return judgement.reason
    named = set(_named(before, letter, plan))
    if named and not another_person and named != set(_named(call, letter, plan)):
        return OTHER_PERSON
    return ""


def replayed(recorder: Recorder, letter: Record, told: Any, edited: Call | None, *, conflict: bool) -> Record:
    """Return the record that replays a letter, which is not wrong any more; its people become durable with it.

    `conflict` says that the letter's message id belongs to another event: it gets one of its own then, always the same.
    Else it keeps its id, so that copies of a letter, and the same event sent again, count once with it.
    """
    arrival = Arrival(
        source=letter.source,
        key=letter.key,
        received_at=letter.received_at,
        sent_at=letter.sent_at,
        origin=ORIGIN,
    )
    message_id = _own_id(letter) if conflict else letter.message_id
    call = msgspec.structs.replace(called(told) if edited is None else edited, message_id=message_id)
    (record,) = recorder.records([call], arrival)
    record.effective_ts = min(record.effective_ts, letter.stamp)
    record.control = {REPLAYS: letter.seq}
    if edited is None:
        record.content_hash = letter.content_hash
    return record


def called(told: Any) -> Call:
    """Return what was told as a call, as the collector would read it."""
    return read_call(msgspec.json.encode(told))


def masked(told: Any) -> Any:
    """Return JSON with the type of each value instead of the value.

    >>> masked({"userId": "ada", "properties": {"total": 9.5}})
    {'userId': 'a string', 'properties': {'total': 'a number'}}
    """
    if isinstance(told, dict):
        return {key: masked(value) for key, value in told.items()}
    if isinstance(told, list):
        return [masked(value) for value in told]
    return json_name(told)


def _named(call: Call, letter: Record, plan: TrackingPlan) -> Iterator[ExternalId | str]:
    """Go through whom a call names with the letter's key: its ids, and whom an alias joins."""
    yield from ids_of(call, letter.key, plan)
    if call.type == "alias" and call.previous_id not in (None, ""):
        yield str(call.previous_id)


def _own_id(letter: Record) -> str:
    return f"replayed-{digest(letter.source, letter.message_id, letter.content_hash).hex()}"


def _context_told(context: dict[str, Any]) -> dict[str, Any]:
    consent = context.get("consent")
    return context if consent is None else {**context, "consent": {"categoryPreferences": consent}}


def _told(field: FieldSpec, value: Any) -> dict[str, Any]:
    """Return a declared field's value as told; one that the field had another type for stays as it is."""
    key = field.keys[0]
    if field.type == "money" and field.currency_key and isinstance(value, list) and len(value) == 2:
        minor, currency = value
        amount = Decimal(minor).scaleb(-minor_digits(currency))
        return {key: format(amount, "f"), field.currency_key: currency}
    return {key: _times_told(field, value)}


def _times_told(field: FieldSpec, value: Any) -> Any:
    if field.type == "datetime" and isinstance(value, int):
        return _iso(value)
    if field.item == "datetime" and isinstance(value, list):
        return [_iso(one) if isinstance(one, int) else one for one in value]
    return value


def _iso(ms: int) -> str:
    """Return a time as a call tells it; one that no date says (a record of before there were bounds) as its number."""
    try:
        return (_EPOCH + timedelta(milliseconds=ms)).isoformat(timespec="milliseconds")
    except OverflowError:
        return str(ms)
