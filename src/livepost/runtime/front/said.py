"""What a person said about purposes and choices, for those who look: the ledger's proofs with the words shown."""

from __future__ import annotations

import msgspec

from livepost.govern.consent.records import export_of
from livepost.ledger.base import Ledger
from livepost.model.choice import Said
from livepost.model.consent_record import ConsentExport
from livepost.settings.policy import Policy

HISTORY_MAX = 1_000
"""Words of a person that an export tells, the newest."""


def exported(ledger: Ledger, person: bytes, policy: Policy | None, now_ms: int) -> ConsentExport:
    """Return a person's consent records, in the words of the project's `policy`; raise StoreError."""
    history = ledger.consent_history(person, HISTORY_MAX)
    return export_of(person, history, policy, ledger.shown_words, now_ms)


def said_by(ledger: Ledger, person: bytes, limit: int) -> list[Said]:
    """Return up to `limit` of a person's words, newest first; raise StoreError if the ledger does not answer."""
    proofs = ledger.proofs(person, limit)
    words = {name: ledger.shown_words(name) for name in {proof.words for proof in proofs}}
    return [
        Said(
            purpose=one.purpose,
            channel=one.channel,
            allowed=one.allowed,
            at=one.at,
            how=one.how,
            source=one.source,
            message_id=one.message_id,
            words=msgspec.json.decode(words[one.words]) if words[one.words] else None,
        )
        for one in proofs
    ]
