"""Iterable: users in bulk, then lists.

Source: Iterable's reference of /api/users/bulkUpdate, /api/lists/subscribe, /api/lists/unsubscribe. Lists are numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from livepost.sync.card import Change, Ident
from livepost.sync.vendor.base import Account, Limits, Pushed, Request, Talk, numbered, post, removals, told, words

NOT_FOUND = frozenset((404,))

FAILED = ("invalidEmails", "invalidUserIds", "invalidDataEmails", "invalidDataUserIds", "conflictEmails")
"""Where an answer lists people whom it did not take, by what it knows them by."""


class Iterable:
    """See `base.Vendor`."""

    name = "iterable"
    contract_checked = False
    limits = Limits(people=1_000, bytes=4_000_000, per_s=5.0, burst=5)
    """1,000 users and 4 MB a request, 5 requests a second ("Bulk update user data", "Add subscribers to list")."""

    def headers(self, account: Account) -> dict[str, str]:
        """Return what every request carries."""
        return {"Api-Key": account.key, "Content-Type": "application/json"}

    def push(self, account: Account, changes: Sequence[Change]) -> Talk[Pushed]:
        """Update, put into lists, take out of lists, delete."""
        places = {change.ident.value.casefold(): place for place, change in enumerate(changes)}
        refused: dict[int, str] = {}
        upserts = [change for _, change in numbered(changes, lambda one: one.upserts and not one.delete)]
        if upserts:
            answer = yield post("/api/users/bulkUpdate", {"users": [_user(one) for one in upserts]})
            refused |= _refused(told(answer), places)
        for name, group in _joining(upserts).items():
            answer = yield post("/api/lists/subscribe", _members(name, group))
            refused |= _refused(told(answer), places)
        for name, group in removals(changes).items():
            yield post("/api/lists/unsubscribe", _members(name, group))
        for one in changes:
            if one.delete:
                way = "" if one.ident.kind == "email" else "byUserId/"
                path = f"/api/users/{way}{quote(one.ident.value, safe='')}"
                yield Request(method="DELETE", path=path, fine=NOT_FOUND)
        return Pushed(refused=refused)

    def look(self, account: Account, job: str, idents: Sequence[Ident]) -> Talk[Mapping[int, str] | None]:
        """Iterable's updates are no jobs."""
        yield from ()
        return {}

    def size(self, account: Account, name: str) -> Talk[int | None]:
        """Ask for a list's size, which is a number as text."""
        answer = yield Request(method="GET", path=f"/api/lists/{quote(name, safe='')}/size")
        text = answer.body.strip()
        return int(text) if text.isdigit() else None


def _user(change: Change) -> dict[str, Any]:
    return {**_key(change), "dataFields": dict(change.values), "preferUserId": change.ident.kind == "user_id"}


def _key(change: Change) -> dict[str, str]:
    return {"email" if change.ident.kind == "email" else "userId": change.ident.value}


def _joining(changes: Sequence[Change]) -> dict[str, list[Change]]:
    found: dict[str, list[Change]] = {}
    for change in changes:
        for name in change.add:
            found.setdefault(name, []).append(change)
    return found


def _members(name: str, group: Sequence[Change]) -> dict[str, Any]:
    return {"listId": int(name) if name.isdigit() else name, "subscribers": [_key(one) for one in group]}


def _refused(answer: Mapping[str, Any], places: Mapping[str, int]) -> dict[int, str]:
    failed = answer.get("failedUpdates") or {}
    refused = {}
    for why, listed in [*((key, answer.get(key)) for key in FAILED), *failed.items()]:
        for value in listed if isinstance(listed, list) else []:
            if str(value).casefold() in places:
                refused[places[str(value).casefold()]] = words(why)
    return refused
