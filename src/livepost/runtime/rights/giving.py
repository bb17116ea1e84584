"""What each store gives to a person who asks what is held on them: all of it, opened.

In: a reach, the person's subjects. Out: things held, store by store. Promised: nothing is bounded and nothing is left
out for being old: the log has no index by person, so it is read from its end to its beginning; a value that no key
opens any more is named, not passed over; nothing of anybody else is given.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

import msgspec

from livepost.announce.book import Book as Announced
from livepost.announce.book import Told
from livepost.audit.deed import EVERYBODY, OF_ALL
from livepost.audit.entry import decoded
from livepost.audit.sqlite import SqliteAudit
from livepost.control.approvals import Approvals
from livepost.control.requests import Requests
from livepost.deliver.keep import each_of
from livepost.errors import SealError
from livepost.expr import Expr
from livepost.govern.rights.store import Held
from livepost.intake.letter import Letters
from livepost.intake.seal import open_value
from livepost.log.base import LogReader
from livepost.model.compiled import ADDRESS_FEATURE, Compiled, FeatureSpec
from livepost.model.letter import Letter
from livepost.model.person import PersonView
from livepost.model.record import KeyKind, Kind, Origin, Record, SealedValue, Verdict
from livepost.ops.condition import Reading
from livepost.runtime.engine.asking import Engine, engine_of
from livepost.runtime.rights.reach import Reach, audiences_of
from livepost.sync.book import Told as TookOver
from livepost.vault.base import EMAIL

LOG_AT_ONCE = 50_000
"""Records looked at by one question to the log."""

TRANSITIONS_MAX = 10_000
"""Transitions of a subject and segment that the engine tells at once."""

PAGE = 1_000
UNOPENED = "its key is gone"


def log(reach: Reach, subjects: Sequence[bytes]) -> Iterator[Held]:
    """Give every record of the log that is about the person, the newest first."""
    with closing(reach.folder.log_reader()) as reader:
        for record in records(reader, subjects):
            yield Held(store="log", what=_kind(record), at=record.stamp, values=_told(reach, record))


def records(reader: LogReader, subjects: Sequence[bytes]) -> Iterator[Record]:
    """Go through all records of some subjects, from the log's end to the oldest that it keeps."""
    before = reader.last().seq + 1
    while True:
        found = reader.records_of(subjects, before, LOG_AT_ONCE)
        yield from found.records
        if found.first.seq >= before:
            return
        before = found.first.seq


def state(reach: Reach, subjects: Sequence[bytes]) -> Iterator[Held]:
    """Give what the engine made of the records: features, segments, journeys, transitions, dead letters."""
    compiled = reach.project.compiled
    with engine_of(reach.folder, reach.project) as engine, closing(reach.folder.log_reader()) as reader:
        views = {view.person: view for view in engine.people(list(subjects), -1).values()}
        for view in views.values():
            yield from _features(reach, compiled, view)
            yield from _segments(compiled, view)
            yield from _journeys(compiled, view)
        for subject in subjects:
            for segment in [one.name for one in compiled.segments]:
                for one in engine.transitions(subject, segment, TRANSITIONS_MAX):
                    yield Held(store="state.db", what="transition", at=one.at, values=_plain(one))
        yield from _letters(reach, engine, reader, subjects)


def ledger(reach: Reach, subjects: Sequence[bytes]) -> Iterator[Held]:
    """Give the ledger's rows: mails with their reasons and outcomes, consents with proofs, suppressions, wishes."""
    given: set[bytes] = set()
    with closing(reach.folder.ledger()) as open_ledger:
        addresses = sorted(_addresses(reach, subjects))
        for subject in subjects:
            for one in open_ledger.holdings(subject, addresses):
                mark = msgspec.msgpack.encode([one.table, one.values])
                if mark not in given:
                    given.add(mark)
                    yield Held(store="ledger.db", what=one.table, at=one.at, values=_row(reach, one.values))


def webhooks(reach: Reach, subjects: Sequence[bytes]) -> Iterator[Held]:
    """Give messages about the person that a webhook's target did not take, and what each was told of them."""
    if not reach.folder.webhooks_file.exists():
        return
    names = [subject.hex().encode() for subject in subjects]
    purposes = {one.name: one.purpose for one in reach.folder.settings.webhooks}
    with closing(Announced(reach.folder.webhooks_file)) as book:
        after = 0
        while letters := book.letters(after=after, limit=PAGE):
            for one in letters:
                if any(name in one.body for name in names):
                    purpose = purposes.get(one.target, "")
                    told = {"target": one.target, "kind": one.kind, "error": one.error, "body": one.body.decode()}
                    told |= {"purpose": purpose} if purpose else {}
                    yield Held(store="webhooks.db", what="dead message", at=one.at, values=told)
            after = letters[-1].number
        for heard in book.told(subjects):
            yield _told_to("webhooks.db", "webhook", heard.target, heard)


def _told_to(store: str, kind: str, to: str, told: Told | TookOver) -> Held:
    """Return what a destination was told of a person."""
    values = {"to": to, "kind": kind, "about": told.about, "first": told.first, "last": told.last, "times": told.times}
    return Held(store=store, what="told", at=told.last, values=values)


def audiences(reach: Reach, subjects: Sequence[bytes]) -> Iterator[Held]:
    """Give what each destination of audiences has of the person."""
    if not reach.folder.audiences_file.exists():
        return
    with audiences_of(reach) as (book, destinations):
        for one, shop in destinations:
            handles = []
            for row in book.rows_of(one.name, list(subjects)).values():
                ident = shop.open(row.ident)
                handles.append(row.handle)
                told = {
                    "destination": one.name,
                    "vendor": one.vendor,
                    "purpose": one.purpose,
                    "known_there_by": {ident.kind: ident.value},
                    "lists": sorted(row.sure | row.maybe),
                    "fields": sorted(row.digests),
                }
                yield Held(store="audiences.db", what="audience", at=0, values=told)
            for handle, why in book.letters_of(one.name, handles).items() if handles else ():
                refused = {"destination": one.name, "card": why, "handle": handle.hex(), "purpose": one.purpose}
                yield Held(store="audiences.db", what="refused", at=0, values=refused)
        for took in book.told(subjects):
            yield _told_to("audiences.db", "audience", took.destination, took)


def audit(reach: Reach, subjects: Sequence[bytes]) -> Iterator[Held]:
    """Give who saw and who changed the person's data, who saw all people's, and who listened to the stream."""
    if not reach.folder.audit_file.exists():
        return
    wanted = frozenset(subjects)
    workspace = reach.folder.settings.workspace
    with closing(SqliteAudit(reach.folder.audit_file, workspace, readonly=True)) as chain:
        for stored in chain.stored():
            entry = decoded(stored.body)
            told = {"number": stored.number, "by": entry.by, "did": entry.did, "about": entry.about}
            if not wanted.isdisjoint(entry.subjects):
                yield Held(store="audit.db", what="access", at=entry.at, values=told)
            elif entry.did in OF_ALL:
                yield Held(store="audit.db", what=EVERYBODY, at=entry.at, values=told)
            elif entry.did == "stream.opened":
                yield Held(store="audit.db", what="listened", at=entry.at, values={"by": entry.by})


def control(reach: Reach, subjects: Sequence[bytes]) -> Iterator[Held]:
    """Give what the person asked for by right and what became of it, and what others asked to do with their data."""
    with closing(reach.folder.control()) as store:
        for one in Requests(store).of_person(subjects):
            yield Held(store="control.db", what="request", at=one.received_at, values=_plain(one))
        for approval in Approvals(store).of_person(subjects):
            yield Held(store="control.db", what="approval", at=approval.asked_at, values=_plain(approval))


def vault(reach: Reach, subjects: Sequence[bytes]) -> Iterator[Held]:
    """Give the ids by which the person is known."""
    for subject in subjects:
        for id in reach.vault.external_ids([subject]):
            told = {"subject": subject.hex(), "kind": id.kind, "value": id.value}
            yield Held(store="vault.db", what="id", at=0, values=told)


def mailbox(reach: Reach, subjects: Sequence[bytes]) -> Iterator[Held]:
    """Give the kept mails, as they were written."""
    folder = reach.folder
    if not folder.mailbox.exists():
        return
    for mail in each_of(folder.mailbox, reach.vault, folder.settings.workspace, subjects):
        read = message_from_bytes(mail.raw, policy=SMTP)
        assert isinstance(read, EmailMessage)
        told = {
            "decision": mail.decision.hex(),
            "headers": [[name, str(value)] for name, value in read.items()],
            "text": _part(read, "plain"),
            "html": _part(read, "html"),
        }
        yield Held(store="mailbox", what="mail", at=mail.at_ms, values=told)


def _kind(record: Record) -> str:
    return "event" if record.kind is Kind.EVENT else Kind(record.kind).name.lower()


def _told(reach: Reach, record: Record) -> dict[str, Any]:
    """Return a record as it is given: what was open, what was sealed opened, how it came and what became of it."""
    personal, lost = _opened(reach, record)
    told: dict[str, Any] = {
        "position": record.seq,
        "name": record.name,
        "message_id": record.message_id,
        "happened_at": record.effective_ts,
        "received_at": record.received_at,
        "origin": Origin(record.origin).name.lower(),
        "source": record.source,
        "key": KeyKind(record.key).name.lower(),
        "subject": record.subject.hex(),
        "verdict": Verdict(record.verdict).name.lower(),
        "reason": record.reason,
        "properties": record.properties,
        "personal": personal,
        "context": record.context,
        "facets": record.facets,
        "mentions": [one.subject.hex() for one in record.mentions],
        "control": record.control,
        "unopened": lost,
    }
    return {name: plain(value) for name, value in told.items() if value not in ("", {}, [])}


def _opened(reach: Reach, record: Record) -> tuple[dict[str, Any], dict[str, str]]:
    """Return what a record has sealed, and the names of what no key opens."""
    opened: dict[str, Any] = {}
    lost: dict[str, str] = {}
    for value in filter(None, map(record.sealed_value, record.sealed)):
        try:
            opened[value.field] = _value(reach, value)
        except SealError:
            lost[value.field] = UNOPENED
    return opened, lost


def _value(reach: Reach, value: SealedValue) -> Any:
    return open_value(reach.vault.keys(value.subject), reach.folder.settings.workspace, value)


def _features(reach: Reach, compiled: Compiled, view: PersonView) -> Iterator[Held]:
    for spec in compiled.features:
        told: dict[str, Any] = {"feature": spec.name, "made_of": _made_of(spec), "value": view.features.get(spec.name)}
        sealed = view.sealed.get(spec.name)
        if sealed is not None:
            try:
                told["value"] = _value(reach, sealed)
            except SealError:
                told["unopened"] = UNOPENED
        yield Held(store="state.db", what="feature", at=view.as_of, values=plain(told))


def _made_of(spec: FeatureSpec) -> dict[str, Any]:
    """Return what a feature is made of, as the project declares it."""
    declared: dict[str, Any] = msgspec.to_builtins(spec)
    return {name: value for name, value in declared.items() if name not in ("name", "version") and value is not None}


def _segments(compiled: Compiled, view: PersonView) -> Iterator[Held]:
    inside = {one.segment: one for one in view.memberships}
    reader = Reading(compiled, view)
    for spec in compiled.segments:
        found = inside.get(spec.name)
        condition: Expr = msgspec.convert(spec.condition, Expr)
        told = {
            "segment": spec.name,
            "inside": found is not None and found.inside,
            "unknown": found is not None and found.unknown,
            "since": found.since if found is not None else 0,
            "condition": spec.text,
            "made_of": [one.text for one in reader.terms(condition)],
        }
        yield Held(store="state.db", what="segment", at=view.as_of, values=told)


def _journeys(compiled: Compiled, view: PersonView) -> Iterator[Held]:
    purposes = {one.name: one.purpose for one in compiled.campaigns}
    for one in view.journeys:
        told = {**_plain(one), "purpose": purposes.get(one.campaign, "")}
        yield Held(store="state.db", what="journey", at=one.entered_at, values=told)
    for purpose, allowed in sorted(view.consents.items()):
        told = {"purpose": purpose, "allowed": allowed}
        yield Held(store="state.db", what="consent", at=view.as_of, values=told)


def _letters(reach: Reach, engine: Engine, reader: LogReader, subjects: Sequence[bytes]) -> Iterator[Held]:
    """Give the dead letters whose record is the person's, with the call as it was told."""
    letters = Letters(reach.vault, reach.folder.settings.workspace, reach.project.compiled)
    waiting = {one.position: one for one in _all_dead(engine)}
    if not waiting:
        return
    for record in records(reader, subjects):
        if record.seq in waiting:
            yield _letter(letters, waiting[record.seq], record)


def _all_dead(engine: Engine) -> Iterator[Letter]:
    after = -1
    while found := engine.dead(after, PAGE):
        yield from found
        after = found[-1].position


def _letter(letters: Letters, letter: Letter, record: Record) -> Held:
    told = _plain(letter)
    try:
        told["call"] = plain(letters.told(record))
    except SealError:
        told["unopened"] = UNOPENED
    return Held(store="state.db", what="dead letter", at=letter.at, values=told)


def _addresses(reach: Reach, subjects: Sequence[bytes]) -> set[bytes]:
    """Return keyed hashes of every address that the person ever told, as suppressions have them."""
    told = {id.value for id in reach.vault.external_ids(list(subjects)) if id.kind == EMAIL}
    with engine_of(reach.folder, reach.project) as engine:
        for view in engine.people(list(subjects), -1).values():
            sealed = view.sealed.get(ADDRESS_FEATURE)
            told |= _texts(reach, sealed) if sealed is not None else set()
    with closing(reach.folder.log_reader()) as reader:
        for record in records(reader, subjects):
            sealed = record.sealed_value("email")
            told |= _texts(reach, sealed) if sealed is not None else set()
    return {reach.vault.blind("suppression", address.strip().casefold()) for address in told}


def _texts(reach: Reach, sealed: SealedValue) -> set[str]:
    try:
        value = _value(reach, sealed)
    except SealError:
        return set()
    return {value} if isinstance(value, str) else set()


def _row(reach: Reach, values: dict[str, Any]) -> dict[str, Any]:
    """Return a row of the ledger, what it has sealed opened; an address is a keyed hash there."""
    told = dict(values)
    for name in ("draft", "wish"):
        if isinstance(told.get(name), bytes):
            try:
                told[name] = _value(reach, msgspec.msgpack.decode(told[name], type=SealedValue))
            except SealError:
                told[name] = UNOPENED
    return {name: plain(value) for name, value in told.items()}


def _part(mail: EmailMessage, subtype: str) -> str:
    body = mail.get_body((subtype,))
    return str(body.get_content()) if body is not None else ""


def _plain(struct: msgspec.Struct) -> dict[str, Any]:
    return {name: plain(value) for name, value in msgspec.structs.asdict(struct).items()}


def plain(value: Any) -> Any:
    """Return a value as JSON has it: ids in hex, structs as objects."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, msgspec.Struct):
        return plain(msgspec.structs.asdict(value))
    if isinstance(value, dict):
        return {str(name): plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(one) for one in value]
    return value
