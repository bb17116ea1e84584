"""A person's history of consents as consent records (ISO/IEC TS 27560:2023).

In: the ledger's history, the policy, the words that were shown. Out: a record a purpose. Promised: no address, no name:
people are subject ids, mails decision ids; what has expired by `now_ms` says so, whether the ledger has seen to it yet
or not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from livepost.clock import DAY_MS
from livepost.ids import digest
from livepost.model.choice import is_choice
from livepost.model.consent import ConsentEvent
from livepost.model.consent_record import ConsentExport, ConsentRecord, Evidence, Notice, Party, RecordedEvent
from livepost.settings.policy import Policy

WITHDRAWAL = "each mail's unsubscribe link (one click), its preference page, or the shop"
"""How a person takes a consent back, in words."""

EXPLICIT = frozenset(("one-click", "page", "preferences", "confirmation", "gpc", "complained", "unsubscribed"))
"""Ways in which a person does something for this alone; the others are programs that tell of it."""

_BY_OTHERS = frozenset(("api", "console", "import", "event", "tcf"))


def export_of(
    person: bytes,
    history: Sequence[ConsentEvent],
    policy: Policy | None,
    words: Callable[[str], str],
    now_ms: int,
) -> ConsentExport:
    """Return the records of a person whose history is told newest first; `words` gives what was shown by its hash."""
    by_purpose: defaultdict[tuple[str, str], list[ConsentEvent]] = defaultdict(list)
    for event in history:
        if not is_choice(event.purpose):
            by_purpose[event.purpose, event.channel].append(event)
    shown = sorted({event.words for events in by_purpose.values() for event in events if event.words})
    return ConsentExport(
        consent_records=[
            _record(person, purpose, channel, events, policy, now_ms)
            for (purpose, channel), events in sorted(by_purpose.items())
        ],
        privacy_notices=[_notice(name, words(name)) for name in shown],
    )


def state_of(events: Sequence[ConsentEvent], valid_ms: int | None, now_ms: int) -> str:
    """Return what stands of a purpose whose events are told newest first; what is not known is "unknown"."""
    newest = next((one for one in events if one.layer != "page" and one.state != "moved"), None)
    if newest is None:
        return "unknown"
    given = max((one.at for one in events if one.allowed), default=0)
    is_over = newest.state == "given" and valid_ms is not None and given + valid_ms <= now_ms
    return "expired" if is_over else newest.state


def _record(
    person: bytes, purpose: str, channel: str, events: Sequence[ConsentEvent], policy: Policy | None, now_ms: int
) -> ConsentRecord:
    declared = policy.purposes.get(purpose) if policy else None
    valid_ms = declared.valid_ms if declared else None
    return ConsentRecord(
        record_id=digest("consent record", person, purpose, channel).hex(),
        pii_principal_id=person.hex(),
        pii_controllers=_controllers(policy),
        purpose=purpose,
        purpose_description=declared.text if declared else "",
        lawful_basis=declared.basis if declared else "consent",
        pii_categories=sorted(name for name in policy.fields if purpose in policy.of_field(name).purposes)
        if policy
        else [],
        recipient_third_parties=sorted(name for name, one in policy.destinations.items() if purpose in one.purposes)
        if policy
        else [],
        channel=channel,
        retention_period=_days(declared.retention_ms) if declared else None,
        storage_locations=[policy.home] if policy and policy.home else [],
        jurisdiction=policy.home if policy else "",
        withdrawal_method=WITHDRAWAL,
        state=state_of(events, valid_ms, now_ms),
        events=[_event(one, person, valid_ms) for one in events],
    )


def _controllers(policy: Policy | None) -> list[Party]:
    if policy is None:
        return []
    one = policy.controller
    return [Party(party_name=one.name, party_contact=one.contact, data_protection_officer=one.officer)]


def _event(one: ConsentEvent, person: bytes, valid_ms: int | None) -> RecordedEvent:
    return RecordedEvent(
        event_time=_moment(one.at) if one.allowed is not None else "",
        event_state=one.state,
        event_type="explicit" if one.how in EXPLICIT else "implicit",
        entity_id=one.source if one.how in _BY_OTHERS else person.hex(),
        validity_duration=_days(valid_ms) if one.allowed and valid_ms is not None else None,
        privacy_notice=one.words or None,
        evidence=Evidence(
            step=one.step,
            how=one.how,
            source=one.source,
            message_id=one.message_id,
            position=one.position,
            recorded_as=one.person.hex(),
        ),
    )


def _notice(name: str, text: str) -> Notice:
    told: Any = msgspec.json.decode(text) if text else None
    language = told.get("language", "") if isinstance(told, dict) else ""
    return Notice(notice_id=name, notice_language=language, notice_text=told)


def _moment(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1_000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _days(ms: int) -> str:
    return f"P{ms // DAY_MS}D"
