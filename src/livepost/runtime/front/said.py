"""What a person said about purposes and choices, for those who look: the ledger's proofs with the words shown."""

from __future__ import annotations

import msgspec

from livepost.ledger.base import Ledger
from livepost.model.choice import Said


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
