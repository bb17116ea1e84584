"""Customer.io: Track API v2 in batches; being in a segment is an attribute that is true or false.

Source: Customer.io's reference of POST /api/v2/batch, and Segment's mapping of a person. The key is `SITE_ID:API_KEY`.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any

from livepost.sync.card import Change, Ident
from livepost.sync.vendor.base import Account, Limits, Pushed, Talk, post, rows, told, words


class CustomerIo:
    """See `base.Vendor`."""

    name = "customerio"
    contract_checked = False
    limits = Limits(people=100, bytes=500_000, per_s=100.0, burst=100)
    """500 KB a batch, 32 KB a person in it; 3,000 requests in 3 s, of which a tenth is taken."""

    def headers(self, account: Account) -> dict[str, str]:
        """Return what every request carries."""
        return {
            "Authorization": f"Basic {b64encode(account.key.encode()).decode()}",
            "Content-Type": "application/json",
        }

    def push(self, account: Account, changes: Sequence[Change]) -> Talk[Pushed]:
        """Identify whoever changed, delete whoever is to be forgotten, in one batch."""
        answer = yield post("/api/v2/batch", {"batch": [_entry(one) for one in changes]})
        errors = [(one.get("batch_index"), one) for one in rows(told(answer).get("errors"))]
        return Pushed(
            refused={
                index: words(one.get("reason"), one.get("field"))
                for index, one in errors
                if isinstance(index, int) and 0 <= index < len(changes)
            }
        )

    def look(self, account: Account, job: str, idents: Sequence[Ident]) -> Talk[Mapping[int, str] | None]:
        """Customer.io has no jobs."""
        yield from ()
        return {}

    def size(self, account: Account, name: str) -> Talk[int | None]:
        """Customer.io does not tell how many people have an attribute."""
        yield from ()
        return None


def _entry(change: Change) -> dict[str, Any]:
    key = "id" if change.ident.kind == "user_id" else "email"
    entry = {"type": "person", "identifiers": {key: change.ident.value}}
    if change.delete:
        return {**entry, "action": "delete"}
    flags = {**dict.fromkeys(change.remove, False), **dict.fromkeys(change.add, True)}
    return {**entry, "action": "identify", "attributes": {**change.values, **flags}}
