"""HubSpot: contacts upserted in batches by their address, then memberships of lists by record id.

Source: HubSpot's CRM v3 reference of /crm/v3/objects/contacts/batch/upsert and /crm/v3/lists. Lists are manual ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from livepost.sync.card import Change, Ident
from livepost.sync.vendor.base import (
    Account,
    Limits,
    Pushed,
    Request,
    Talk,
    numbered,
    parts,
    post,
    removals,
    rows,
    told,
    words,
)

AT_ONCE = 100
"""Contacts a request ("Create or update a batch of contacts")."""

NOT_FOUND = frozenset((404,))


class HubSpot:
    """See `base.Vendor`."""

    name = "hubspot"
    contract_checked = False
    limits = Limits(people=AT_ONCE, bytes=3_000_000, per_s=10.0, burst=50)
    """100 contacts a request; 100 requests in 10 s for a private app of the smallest plan."""

    def headers(self, account: Account) -> dict[str, str]:
        """Return what every request carries."""
        return {"Authorization": f"Bearer {account.key}", "Content-Type": "application/json"}

    def push(self, account: Account, changes: Sequence[Change]) -> Talk[Pushed]:
        """Upsert, let lists be joined and left, delete."""
        upserts = numbered(changes, lambda one: one.upserts and not one.delete)
        found, refused = yield from _upsert(upserts)
        leaving = removals(changes)
        asked = [*{one.ident: None for group in leaving.values() for one in group if one.ident not in found}]
        found |= yield from _found(asked)
        joining: dict[str, list[Change]] = {}
        for _, change in upserts:
            for name in change.add:
                joining.setdefault(name, []).append(change)
        for name in sorted({*joining, *leaving}):
            body = {
                "recordIdsToAdd": _ids(joining.get(name, []), found),
                "recordIdsToRemove": _ids(leaving.get(name, []), found),
            }
            if body["recordIdsToAdd"] or body["recordIdsToRemove"]:
                path = f"/crm/v3/lists/{quote(name, safe='')}/memberships/add-and-remove"
                yield post(path, body, method="PUT")
        for one in changes:
            if one.delete:
                whom = {"objectId": one.ident.value, "idProperty": "email"}
                yield post("/crm/v3/objects/contacts/gdpr-delete", whom, fine=NOT_FOUND)
        return Pushed(refused=refused)

    def look(self, account: Account, job: str, idents: Sequence[Ident]) -> Talk[Mapping[int, str] | None]:
        """HubSpot's batches are no jobs."""
        yield from ()
        return {}

    def size(self, account: Account, name: str) -> Talk[int | None]:
        """Ask for a list's size."""
        answer = yield Request(method="GET", path=f"/crm/v3/lists/{quote(name, safe='')}")
        size = str(((told(answer).get("list") or {}).get("additionalProperties") or {}).get("hs_list_size"))
        return int(size) if size.isdigit() else None


def _upsert(upserts: Sequence[tuple[int, Change]]) -> Talk[tuple[dict[Ident, str], dict[int, str]]]:
    """Return record ids, and whom it did not take: those without a record in the answer."""
    if not upserts:
        return {}, {}
    answer = yield post("/crm/v3/objects/contacts/batch/upsert", {"inputs": [_input(one) for _, one in upserts]})
    found = told(answer)
    ids = _by_email(rows(found.get("results")))
    errors = rows(found.get("errors"))
    why = words(errors[0].get("category")) if errors else "it is not in the answer"
    known = {one.ident: ids[one.ident.value.casefold()] for _, one in upserts if one.ident.value.casefold() in ids}
    return known, {place: why for place, one in upserts if one.ident not in known}


def _input(change: Change) -> dict[str, Any]:
    properties = {name: _property(value) for name, value in change.values.items()}
    email = change.ident.value
    return {"idProperty": "email", "id": email, "properties": {**properties, "email": email}}


def _property(value: Any) -> str:
    """Return a property's text: several values are told with semicolons, nothing as an empty text."""
    if isinstance(value, list):
        return ";".join(map(str, value))
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _found(idents: Sequence[Ident]) -> Talk[dict[Ident, str]]:
    """Return HubSpot's ids of the people that it knows."""
    found: dict[Ident, str] = {}
    for part in parts(idents, AT_ONCE):
        inputs = [{"id": one.value} for one in part]
        body = {"idProperty": "email", "properties": ["email"], "inputs": inputs}
        answer = yield post("/crm/v3/objects/contacts/batch/read", body, fine=NOT_FOUND)
        ids = _by_email(rows(told(answer).get("results")))
        found |= {one: ids[one.value.casefold()] for one in part if one.value.casefold() in ids}
    return found


def _by_email(results: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    return {str((one.get("properties") or {}).get("email")).casefold(): str(one.get("id")) for one in results}


def _ids(group: Sequence[Change], found: Mapping[Ident, str]) -> list[str]:
    return [found[one.ident] for one in group if one.ident in found]
