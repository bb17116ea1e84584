"""Mailchimp Marketing: members of one list, put by the md5 of their address; segments are static segments of the list.

Source: Mailchimp's reference of PUT /lists/{id}/members/{hash} and POST /lists/{id}/segments/{id}. A member is put
with `status_if_new`: whoever left the list at Mailchimp is not subscribed again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import md5
from typing import Any
from urllib.parse import quote

from livepost.fetch.fetcher import Answer
from livepost.sync.card import Change, Ident
from livepost.sync.vendor.base import (
    Account,
    Limits,
    Pushed,
    Request,
    Talk,
    numbered,
    post,
    removals,
    rows,
    told,
    words,
)

REFUSED = frozenset((400,))
"""What one member is refused with: the address cannot be written to, or may not be subscribed again."""


class Mailchimp:
    """See `base.Vendor`."""

    name = "mailchimp"
    contract_checked = False
    limits = Limits(people=100, bytes=1_000_000, per_s=10.0, burst=10)
    """500 members a segment's request; 10 connections at once, of which one is taken."""

    def headers(self, account: Account) -> dict[str, str]:
        """Return what every request carries."""
        return {"Authorization": f"Bearer {account.key}", "Content-Type": "application/json"}

    def push(self, account: Account, changes: Sequence[Change]) -> Talk[Pushed]:
        """Put members one by one, then let segments be joined and left, then delete for good."""
        base = f"/3.0/lists/{quote(account.account, safe='')}"
        refused: dict[int, str] = {}
        upserts = numbered(changes, lambda one: one.upserts and not one.delete)
        for place, change in upserts:
            answer = yield post(f"{base}/members/{_hash(change)}", _member(change), method="PUT", fine=REFUSED)
            if answer.status in REFUSED:
                refused[place] = words(_title(answer))
        joining: dict[str, list[Change]] = {}
        for place, change in upserts:
            for name in () if place in refused else change.add:
                joining.setdefault(name, []).append(change)
        leaving = removals(changes)
        places = {change.ident.value.casefold(): place for place, change in enumerate(changes)}
        for name in sorted({*joining, *leaving}):
            body = {
                "members_to_add": [one.ident.value for one in joining.get(name, [])],
                "members_to_remove": [one.ident.value for one in leaving.get(name, [])],
            }
            answer = yield post(f"{base}/segments/{quote(name, safe='')}", body)
            refused |= _not_joined(told(answer), places, {*body["members_to_add"]})
        for one in changes:
            if one.delete:
                path = f"{base}/members/{_hash(one)}/actions/delete-permanent"
                yield Request(method="POST", path=path, fine=frozenset((404,)))
        return Pushed(refused=refused)

    def look(self, account: Account, job: str, idents: Sequence[Ident]) -> Talk[Mapping[int, str] | None]:
        """No job is made."""
        yield from ()
        return {}

    def size(self, account: Account, name: str) -> Talk[int | None]:
        """Ask for a segment's count of members."""
        path = f"/3.0/lists/{quote(account.account, safe='')}/segments/{quote(name, safe='')}?fields=member_count"
        count = told((yield Request(method="GET", path=path))).get("member_count")
        return count if isinstance(count, int) else None


def _hash(change: Change) -> str:
    """Return Mailchimp's id of a member: the md5 of the address in lower case."""
    return md5(change.ident.value.lower().encode(), usedforsecurity=False).hexdigest()


def _member(change: Change) -> dict[str, Any]:
    fields = {name: _field(value) for name, value in change.values.items()}
    body: dict[str, Any] = {"email_address": change.ident.value, "status_if_new": "subscribed"}
    return {**body, "merge_fields": fields} if fields else body


def _field(value: Any) -> str | int | float:
    """Return a merge field: text or a number; several values are told with commas, nothing as an empty text."""
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, int | float) else "" if value is None else str(value)


def _title(answer: Answer) -> str:
    return str(told(answer).get("title", "")).replace(" ", "_")


def _not_joined(answer: Mapping[str, Any], places: Mapping[str, int], joining: set[str]) -> dict[int, str]:
    """Return who could not be put into a segment; who could not be taken out was not in it."""
    emails = [str(one) for error in rows(answer.get("errors")) for one in error.get("email_addresses") or []]
    return {places[one.casefold()]: "it is not in the list" for one in emails if one in joining}
