"""Consent records as ISO/IEC TS 27560:2023 names their fields (guide: w3id.org/dpv/guides/consent-27560).

In: nothing. Out: structs whose names are those of the standard, in JSON as they stand here. What the standard has no
name for (how a word came, and its proof) stands in `evidence`.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

SCHEMA = "https://w3id.org/dpv/schema/iso-27560#record"
"""The record's schema version, as DPV's guide names it."""


class Party(msgspec.Struct, frozen=True, kw_only=True):
    """Who answers for the data."""

    party_role: Literal["controller"] = "controller"
    party_name: str
    party_contact: str
    data_protection_officer: str = ""


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody was shown: a hash of the words, their language, and the words themselves."""

    notice_id: str
    notice_language: str
    notice_text: Any


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """How a word came, and where its proof is; see `livepost.model.consent.ConsentEvent`."""

    step: int
    how: str
    source: str
    message_id: str
    position: int
    recorded_as: str


class RecordedEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened to a consent: when (ISO 8601, UTC), who said it, in which way, and what stands since.

    event_type         explicit (the person did something for it alone) or implicit (a program told it)
    validity_duration  ISO 8601, None for as long as it is not withdrawn
    privacy_notice     names one of the export's notices, None where none is known
    """

    event_time: str
    event_state: str
    event_type: Literal["explicit", "implicit"]
    entity_id: str
    validity_duration: str | None
    privacy_notice: str | None
    evidence: Evidence


class ConsentRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What stands of one purpose of a person on one channel, and how it came to; events are newest first."""

    schema_version: str = SCHEMA
    record_id: str
    pii_principal_id: str
    pii_controllers: list[Party]
    purpose: str
    purpose_description: str
    lawful_basis: str
    pii_categories: list[str]
    recipient_third_parties: list[str]
    channel: str
    retention_period: str | None
    storage_locations: list[str]
    jurisdiction: str
    withdrawal_method: str
    state: str
    events: list[RecordedEvent]


class ConsentExport(msgspec.Struct, frozen=True, kw_only=True):
    """A person's consent records, and the words that they name."""

    consent_records: list[ConsentRecord]
    privacy_notices: list[Notice]
