"""Klaviyo: bulk import jobs, which also put profiles into lists; lists are left by profile id, which is asked for.

Source: Klaviyo's OpenAPI of revision 2026-07-15 and its pages on rate limits. Nobody is subscribed here: consent to
Klaviyo's own mails is Klaviyo's to ask for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

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
    rows,
    told,
    words,
)

REVISION = "2026-07-15"
FOUND_AT_ONCE = 100
"""Profiles that a page has at most ("Get Profiles")."""

REMOVED_AT_ONCE = 1_000
"""Profiles that leave a list by one request ("Remove Profiles from List")."""

OWN = frozenset(("first_name", "last_name", "organization", "locale", "title", "image", "phone_number", "email"))
"""Attributes of a profile that are Klaviyo's own; all others are custom properties."""


class Klaviyo:
    """See `base.Vendor`."""

    name = "klaviyo"
    contract_checked = True
    limits = Limits(people=1_000, bytes=5_000_000, per_s=2.5, burst=10)
    """A job takes 10,000 profiles and 5 MB; 10 requests a second, 150 a minute ("Bulk Import Profiles")."""

    def headers(self, account: Account) -> dict[str, str]:
        """Return what every request carries."""
        return {
            "Authorization": f"Klaviyo-API-Key {account.key}",
            "revision": REVISION,
            "Content-Type": "application/vnd.api+json",
            "Accept": "application/vnd.api+json",
        }

    def push(self, account: Account, changes: Sequence[Change]) -> Talk[Pushed]:
        """Import, then take out of lists, then have deleted."""
        jobs = []
        upserts = numbered(changes, lambda one: one.upserts and not one.delete)
        for lists, group in grouped(upserts, lambda one: one[1].add).items():
            answer = yield post("/api/profile-bulk-import-jobs", _import(lists, [change for _, change in group]))
            id = (told(answer).get("data") or {}).get("id")
            jobs += [Job(id, tuple(place for place, _ in group))] if isinstance(id, str) else []
        leaving = removals(changes)
        deleted = [one for one in changes if one.delete]
        asked = [*{one.ident: None for group in leaving.values() for one in group}]
        asked += [one.ident for one in deleted if one.ident.kind == "user_id"]
        found = yield from _found(asked)
        for name, members in leaving.items():
            for ids in parts([found[one.ident] for one in members if one.ident in found], REMOVED_AT_ONCE):
                yield post(f"/api/lists/{quote(name, safe='')}/relationships/profiles", _members(ids), method="DELETE")
        for one in deleted:
            if one.ident.kind == "email" or one.ident in found:
                yield post("/api/data-privacy-deletion-jobs", _deletion(one.ident, found.get(one.ident)))
        return Pushed(jobs=jobs)

    def look(self, account: Account, job: str, idents: Sequence[Ident]) -> Talk[Mapping[int, str] | None]:
        """Ask for the job, and for its errors if it has some."""
        path = f"/api/profile-bulk-import-jobs/{quote(job, safe='')}"
        state = ((told((yield Request(method="GET", path=path)))).get("data") or {}).get("attributes") or {}
        if state.get("status") not in ("complete", "cancelled"):
            return None
        if not state.get("failed_count") and state.get("status") == "complete":
            return {}
        places = {one.value: place for place, one in enumerate(idents)}
        errors: list[dict[str, Any]] = []
        page: str | None = f"{path}/import-errors?page%5Bsize%5D={FOUND_AT_ONCE}"
        while page and len(errors) < len(idents):
            answer = told((yield Request(method="GET", path=page)))
            errors += rows(answer.get("data"))
            page = _path((answer.get("links") or {}).get("next"))
        return _refused(errors, places)

    def size(self, account: Account, name: str) -> Talk[int | None]:
        """Ask for a list's count of profiles."""
        query = urlencode({"additional-fields[list]": "profile_count"})
        answer = yield Request(method="GET", path=f"/api/lists/{quote(name, safe='')}?{query}")
        count = ((told(answer).get("data") or {}).get("attributes") or {}).get("profile_count")
        return count if isinstance(count, int) else None


def _import(lists: tuple[str, ...], changes: Sequence[Change]) -> dict[str, Any]:
    data: dict[str, Any] = {
        "type": "profile-bulk-import-job",
        "attributes": {"profiles": {"data": [{"type": "profile", "attributes": _profile(one)} for one in changes]}},
    }
    if lists:
        data["relationships"] = {"lists": {"data": [{"type": "list", "id": name} for name in lists]}}
    return {"data": data}


def _profile(change: Change) -> dict[str, Any]:
    properties = {name: value for name, value in change.values.items() if name not in OWN}
    own = {name: value for name, value in change.values.items() if name in OWN}
    return {**own, _key(change.ident): change.ident.value} | ({"properties": properties} if properties else {})


def _key(ident: Ident) -> str:
    return "email" if ident.kind == "email" else "external_id"


def _found(idents: Sequence[Ident]) -> Talk[dict[Ident, str]]:
    """Return Klaviyo's ids of the people that it knows."""
    found: dict[Ident, str] = {}
    for part in parts(idents, FOUND_AT_ONCE):
        key = _key(part[0])
        listed = ",".join('"' + one.value.replace("\\", "\\\\").replace('"', '\\"') + '"' for one in part)
        query = {"filter": f"any({key},[{listed}])", "fields[profile]": f"{key}", "page[size]": str(FOUND_AT_ONCE)}
        answer = yield Request(method="GET", path=f"/api/profiles?{urlencode(query)}")
        by_value = {
            str((one.get("attributes") or {}).get(key)).casefold(): str(one.get("id"))
            for one in rows(told(answer).get("data"))
        }
        found |= {one: by_value[one.value.casefold()] for one in part if one.value.casefold() in by_value}
    return found


def _members(ids: Sequence[str]) -> dict[str, Any]:
    return {"data": [{"type": "profile", "id": id} for id in ids]}


def _deletion(ident: Ident, id: str | None) -> dict[str, Any]:
    profile: dict[str, Any] = {"type": "profile", "attributes": {}}
    if ident.kind == "email":
        profile["attributes"] = {"email": ident.value}
    else:
        profile["id"] = id
    return {"data": {"type": "data-privacy-deletion-job", "attributes": {"profile": {"data": profile}}}}


def _path(url: Any) -> str | None:
    """Return the path and query of the next page; None if there is none."""
    parts = urlsplit(url) if isinstance(url, str) else None
    return f"{parts.path}?{parts.query}" if parts and parts.path.startswith("/api/") else None


def _refused(errors: list[dict[str, Any]], places: Mapping[str, int]) -> dict[int, str]:
    """Return who was refused: an error has the profile as it was sent."""
    refused = {}
    for error in errors:
        attributes = error.get("attributes") or {}
        sent = attributes.get("original_payload") or {}
        sent = sent.get("attributes") or sent
        for key in ("email", "external_id"):
            if sent.get(key) in places:
                refused[places[sent[key]]] = words(attributes.get("code"))
    return refused
