"""Braze: /users/track with attribute objects; being in a segment is a custom attribute that is true or false.

Source: Braze's REST reference (community OpenAPI) on /users/track and /users/delete, and Segment's mapping of a user
profile. A cohort of Braze's own takes a partner's key; an attribute makes a segment of Braze in the same way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from livepost.sync.card import Change, Ident
from livepost.sync.vendor.base import Account, Limits, Pushed, Talk, numbered, parts, post, rows, told, words

DELETED_AT_ONCE = 50
"""Users a request ("Delete users")."""


class Braze:
    """See `base.Vendor`."""

    name = "braze"
    contract_checked = True
    limits = Limits(people=75, bytes=4_000_000, per_s=50.0, burst=50)
    """75 attribute objects a request; 3,000 requests in 3 s for older plans, 50 a second for newer ones."""

    def headers(self, account: Account) -> dict[str, str]:
        """Return what every request carries."""
        return {"Authorization": f"Bearer {account.key}", "Content-Type": "application/json"}

    def push(self, account: Account, changes: Sequence[Change]) -> Talk[Pushed]:
        """Track what changed, a user an object, then delete."""
        refused: dict[int, str] = {}
        tracked = numbered(changes, lambda one: not one.delete)
        if tracked:
            answer = yield post("/users/track", {"attributes": [_attributes(change) for _, change in tracked]})
            refused = _refused(rows(told(answer).get("errors")), tracked)
        for part in parts([one.ident for one in changes if one.delete], DELETED_AT_ONCE):
            yield post("/users/delete", _deletion(part))
        return Pushed(refused=refused)

    def look(self, account: Account, job: str, idents: Sequence[Ident]) -> Talk[Mapping[int, str] | None]:
        """Braze has no jobs."""
        yield from ()
        return {}

    def size(self, account: Account, name: str) -> Talk[int | None]:
        """Braze does not tell how many users have an attribute."""
        yield from ()
        return None


def _attributes(change: Change) -> dict[str, Any]:
    """Return an attributes object; who is only to go from segments is not made if Braze does not know them."""
    return {
        **change.values,
        **dict.fromkeys(change.remove, False),
        **dict.fromkeys(change.add, True),
        "external_id" if change.ident.kind == "user_id" else "email": change.ident.value,
        "_update_existing_only": not change.upserts,
    }


def _deletion(idents: Sequence[Ident]) -> dict[str, Any]:
    if idents[0].kind == "user_id":
        return {"external_ids": [one.value for one in idents]}
    order = ["unidentified", "most_recently_updated"]
    return {"email_addresses": [{"email": one.value, "prioritization": order} for one in idents]}


def _refused(errors: Sequence[Mapping[str, Any]], tracked: Sequence[tuple[int, Change]]) -> dict[int, str]:
    """Return who was refused: an error has the place in its array, and words of Braze's own."""
    indexes = [(one.get("index"), one) for one in errors if one.get("input_array") == "attributes"]
    return {
        tracked[index][0]: words(str(one.get("type", "")).replace(" ", "_"))
        for index, one in indexes
        if isinstance(index, int) and 0 <= index < len(tracked)
    }
