"""SendGrid Marketing Campaigns: contacts are put, also into lists; lists are left by contact id, which is asked for.

Source: SendGrid's OpenAPI v3 (sendgrid-oai) on /marketing, and Segment's mapping of an audience. A feature's name is
that of a field of SendGrid's own, or the id of a custom field (`e1_N`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from livepost.sync.card import Change, Ident
from livepost.sync.vendor.base import (
    Account,
    Job,
    Limits,
    Pushed,
    Request,
    Talk,
    grouped,
    numbered,
    parts,
    post,
    removals,
    told,
)

FOUND_AT_ONCE = 100
"""Addresses a search takes ("Get Contacts by Emails")."""

NOT_FOUND = frozenset((404,))

OWN = frozenset(
    (
        *("first_name", "last_name", "address_line_1", "address_line_2", "city", "state_province_region"),
        *("postal_code", "country"),
    )
)
"""Fields of a contact that are SendGrid's own; all others are custom fields, by their ids."""


class SendGrid:
    """See `base.Vendor`."""

    name = "sendgrid"
    contract_checked = True
    limits = Limits(people=1_000, bytes=6_000_000, per_s=2.0, burst=3)
    """30,000 contacts or 6 MB a request; 3 requests in 2 s and more at other times ("Add or Update a Contact")."""

    def headers(self, account: Account) -> dict[str, str]:
        """Return what every request carries."""
        return {"Authorization": f"Bearer {account.key}", "Content-Type": "application/json"}

    def push(self, account: Account, changes: Sequence[Change]) -> Talk[Pushed]:
        """Put, then take out of lists, then delete."""
        jobs = []
        upserts = numbered(changes, lambda one: one.upserts and not one.delete)
        for lists, group in grouped(upserts, lambda one: one[1].add).items():
            answer = yield post("/v3/marketing/contacts", _contacts(lists, [one for _, one in group]), method="PUT")
            id = told(answer).get("job_id")
            jobs += [Job(id, tuple(place for place, _ in group))] if isinstance(id, str) else []
        leaving = removals(changes)
        deleted = [one.ident for one in changes if one.delete]
        found = yield from _found([*{one.ident: None for group in leaving.values() for one in group}, *deleted])
        for name, members in leaving.items():
            path = f"/v3/marketing/lists/{quote(name, safe='')}/contacts"
            for ids in parts([found[one.ident] for one in members if one.ident in found], FOUND_AT_ONCE):
                yield _removal(path, "contact_ids", ids, NOT_FOUND)
        for ids in parts([found[one] for one in deleted if one in found], FOUND_AT_ONCE):
            yield _removal("/v3/marketing/contacts", "ids", ids)
        return Pushed(jobs=jobs)

    def look(self, account: Account, job: str, idents: Sequence[Ident]) -> Talk[Mapping[int, str] | None]:
        """Ask for the job; where it counts errors, those are refused whom a search does not find."""
        answer = yield Request(method="GET", path=f"/v3/marketing/contacts/imports/{quote(job, safe='')}")
        state = told(answer)
        if state.get("status") not in ("completed", "errored", "failed"):
            return None
        if state.get("status") == "completed" and not (state.get("results") or {}).get("errored_count"):
            return {}
        found = yield from _found(idents)
        return {place: "the job had errors" for place, one in enumerate(idents) if one not in found}

    def size(self, account: Account, name: str) -> Talk[int | None]:
        """Ask for a list's count of contacts."""
        answer = yield Request(method="GET", path=f"/v3/marketing/lists/{quote(name, safe='')}/contacts/count")
        count = told(answer).get("contact_count")
        return count if isinstance(count, int) else None


def _contacts(lists: tuple[str, ...], changes: Sequence[Change]) -> dict[str, Any]:
    body: dict[str, Any] = {"contacts": [_contact(one) for one in changes]}
    return {"list_ids": list(lists), **body} if lists else body


def _contact(change: Change) -> dict[str, Any]:
    """Return a contact; a field is text, a number or a date: a list is told with commas, nothing as an empty text."""
    values = {name: _field(value) for name, value in change.values.items()}
    own = {name: str(value) for name, value in values.items() if name in OWN}
    custom = {name: value for name, value in values.items() if name not in OWN}
    return {"email": change.ident.value, **own} | ({"custom_fields": custom} if custom else {})


def _field(value: Any) -> str | int | float:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, int | float) else "" if value is None else str(value)


def _found(idents: Sequence[Ident]) -> Talk[dict[Ident, str]]:
    """Return SendGrid's ids of the people that it knows."""
    found: dict[Ident, str] = {}
    for part in parts(idents, FOUND_AT_ONCE):
        body = {"emails": [one.value for one in part]}
        answer = yield post("/v3/marketing/contacts/search/emails", body, fine=NOT_FOUND)
        result = told(answer).get("result") or {}
        ids = {email.casefold(): ((entry or {}).get("contact") or {}).get("id") for email, entry in result.items()}
        found |= {one: str(ids[one.value.casefold()]) for one in part if ids.get(one.value.casefold())}
    return found


def _removal(path: str, name: str, ids: Sequence[str], fine: frozenset[int] = frozenset()) -> Request:
    return Request(method="DELETE", path=f"{path}?{urlencode({name: ','.join(ids)})}", fine=fine)
