"""Vendors of the tests' own: each takes the requests of the real one, by its reference, and keeps what it was told.

Served from memory or over HTTP. `faults` are taken one a request: "429", "500", "reset" (nothing was done), "lost"
(done, and the answer never came).
"""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from hashlib import md5
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from livepost.fetch.address import OutgoingError
from livepost.fetch.fetcher import Answer

JSON = Mapping[str, Any]
KEY = "key-of-the-tests"


class Profile:
    """What a vendor has of somebody."""

    def __init__(self) -> None:
        self.lists: set[str] = set()
        self.values: dict[str, Any] = {}


class Model:
    """What all vendors of the tests do."""

    routes: tuple[tuple[str, str, str], ...] = ()

    def __init__(self) -> None:
        self.profiles: dict[str, Profile] = {}
        self.deleted: list[str] = []
        self.requests: list[tuple[str, str, Any]] = []
        self.headers: list[Mapping[str, str]] = []
        self.faults: list[str] = []
        self.poison: set[str] = set()
        self.before: Callable[[], None] = lambda: None
        self.after: Callable[[], None] = lambda: None
        self.ever: set[str] = set()

    def in_lists(self) -> dict[str, tuple[set[str], dict[str, Any]]]:
        """Return whoever is in a list, by ident."""
        return {name: (one.lists, one.values) for name, one in self.profiles.items() if one.lists}

    def ask(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Answer, as `livepost.fetch.fetcher.FetchAny` does."""
        fault = self.faults.pop(0) if self.faults else ""
        self.before()
        if fault == "reset":
            raise OutgoingError("it hung up")
        if fault in ("429", "500", "503", "401"):
            return Answer(status=int(fault), headers={"retry-after": "7"} if fault == "429" else {})
        self.headers.append(headers)
        answer = self.serve(method, url, body)
        self.after()
        if fault == "lost":
            raise OutgoingError("it took too long")
        return answer

    def serve(self, method: str, url: str, body: bytes) -> Answer:
        """Do what a request asks for."""
        parts = urlsplit(url)
        told = json.loads(body) if body else None
        self.requests.append((method, url, told))
        for wanted, pattern, name in self.routes:
            found = re.fullmatch(pattern, parts.path)
            if wanted == method and found:
                query = {key: values[0] for key, values in parse_qs(parts.query).items()}
                status, said = getattr(self, name)(told, query, *map(unquote, found.groups()))
                return Answer(status=status, body=json.dumps(said).encode() if said is not None else b"")
        raise AssertionError(f"no vendor knows {method} {url}")

    def put(self, ident: str, values: JSON, lists: list[str]) -> None:
        """Keep what is told of somebody."""
        self.ever.add(ident)
        profile = self.profiles.setdefault(ident, Profile())
        profile.values |= values
        profile.lists |= {*lists}

    def leave(self, ident: str, name: str) -> None:
        """Take somebody out of a list."""
        if ident in self.profiles:
            self.profiles[ident].lists.discard(name)

    def delete(self, ident: str) -> None:
        """Forget somebody."""
        self.deleted.append(ident)
        self.profiles.pop(ident, None)


class KlaviyoModel(Model):
    """Klaviyo; a job is done at once, and told so when it is asked for."""

    routes = (
        ("POST", "/api/profile-bulk-import-jobs", "imports"),
        ("GET", "/api/profile-bulk-import-jobs/([^/]+)", "job"),
        ("GET", "/api/profile-bulk-import-jobs/([^/]+)/import-errors", "errors"),
        ("GET", "/api/profiles", "found"),
        ("DELETE", "/api/lists/([^/]+)/relationships/profiles", "removed"),
        ("POST", "/api/data-privacy-deletion-jobs", "forgotten"),
        ("GET", "/api/lists/([^/]+)", "counted"),
    )

    def __init__(self) -> None:
        super().__init__()
        self.jobs: list[tuple[list[JSON], list[str]]] = []
        self.working = 0

    def imports(self, body: Any, query: JSON) -> tuple[int, Any]:
        data = body["data"]
        lists = [one["id"] for one in data.get("relationships", {}).get("lists", {"data": []})["data"]]
        people = [one["attributes"] for one in data["attributes"]["profiles"]["data"]]
        self.jobs.append((people, lists))
        for one in people:
            ident = one.get("email") or one["external_id"]
            if ident not in self.poison:
                self.put(ident, one.get("properties", {}), lists)
        return 202, {"data": {"type": "profile-bulk-import-job", "id": f"job-{len(self.jobs) - 1}"}}

    def job(self, body: Any, query: JSON, id: str) -> tuple[int, Any]:
        if self.working:
            self.working -= 1
            return 200, {"data": {"attributes": {"status": "processing", "failed_count": 0}}}
        failed = len(self._failed(id))
        return 200, {"data": {"attributes": {"status": "complete", "failed_count": failed}}}

    def errors(self, body: Any, query: JSON, id: str) -> tuple[int, Any]:
        told = [{"attributes": {"code": "invalid", "original_payload": one}} for one in self._failed(id)]
        start, size = int(query.get("page[cursor]", 0)), 2
        more = f"https://a.klaviyo.com/api/profile-bulk-import-jobs/{id}/import-errors?page%5Bcursor%5D={start + size}"
        return 200, {
            "data": told[start : start + size],
            "links": {"next": more if len(told) > start + size else None},
        }

    def _failed(self, id: str) -> list[JSON]:
        people, _ = self.jobs[int(id.removeprefix("job-"))]
        return [one for one in people if (one.get("email") or one.get("external_id")) in self.poison]

    def found(self, body: Any, query: JSON) -> tuple[int, Any]:
        key, listed = re.fullmatch(r"any\((email|external_id),(\[.*\])\)", query["filter"]).groups()  # type: ignore[union-attr]
        there = [one for one in json.loads(listed) if one in self.profiles]
        assert len(json.loads(listed)) <= 100
        return 200, {"data": [{"type": "profile", "id": f"id-{one}", "attributes": {key: one}} for one in there]}

    def removed(self, body: Any, query: JSON, name: str) -> tuple[int, Any]:
        for one in body["data"]:
            self.leave(one["id"].removeprefix("id-"), name)
        return 204, None

    def forgotten(self, body: Any, query: JSON) -> tuple[int, Any]:
        profile = body["data"]["attributes"]["profile"]["data"]
        self.delete(profile["attributes"].get("email") or profile["id"].removeprefix("id-"))
        return 202, None

    def counted(self, body: Any, query: JSON, name: str) -> tuple[int, Any]:
        count = sum(name in one.lists for one in self.profiles.values())
        return 200, {"data": {"attributes": {"profile_count": count}}}


class BrazeModel(Model):
    """Braze; a list is an attribute that is true."""

    routes = (("POST", "/users/track", "track"), ("POST", "/users/delete", "forgotten"))

    def track(self, body: Any, query: JSON) -> tuple[int, Any]:
        assert len(body["attributes"]) <= 75
        errors = []
        for index, sent in enumerate(body["attributes"]):
            one = dict(sent)
            only = one.pop("_update_existing_only")
            ident = one.pop("external_id", None) or one.pop("email")
            if ident in self.poison:
                errors.append({"type": "'external_id' is bad", "input_array": "attributes", "index": index})
            elif not only or ident in self.profiles:
                self.put(ident, {k: v for k, v in one.items() if not k.startswith("list-")}, [])
                for name in (k for k in one if k.startswith("list-")):
                    (self.profiles[ident].lists.add if one[name] else self.profiles[ident].lists.discard)(name)
        return 201, {"message": "success", **({"errors": errors} if errors else {})}

    def forgotten(self, body: Any, query: JSON) -> tuple[int, Any]:
        for ident in body.get("external_ids") or [one["email"] for one in body["email_addresses"]]:
            self.delete(ident)
        return 201, {"message": "success"}


class SendGridModel(Model):
    """SendGrid; a body with a bad address is refused whole."""

    routes = (
        ("PUT", "/v3/marketing/contacts", "contacts"),
        ("GET", "/v3/marketing/contacts/imports/([^/]+)", "job"),
        ("POST", "/v3/marketing/contacts/search/emails", "found"),
        ("DELETE", "/v3/marketing/lists/([^/]+)/contacts", "removed"),
        ("DELETE", "/v3/marketing/contacts", "forgotten"),
        ("GET", "/v3/marketing/lists/([^/]+)/contacts/count", "counted"),
    )

    def contacts(self, body: Any, query: JSON) -> tuple[int, Any]:
        if self.poison & {one["email"] for one in body["contacts"]}:
            return 400, {"errors": [{"message": "person-0@example.com is no address"}]}
        for one in body["contacts"]:
            self.put(one["email"], one.get("custom_fields", {}), body.get("list_ids", []))
        return 202, {"job_id": f"job-{len(self.requests)}"}

    def job(self, body: Any, query: JSON, id: str) -> tuple[int, Any]:
        return 200, {"id": id, "status": "completed", "results": {"errored_count": 0}}

    def found(self, body: Any, query: JSON) -> tuple[int, Any]:
        assert len(body["emails"]) <= 100
        there = {one: {"contact": {"id": f"id-{one}"}} for one in body["emails"] if one in self.profiles}
        return (200, {"result": there}) if there else (404, {"errors": []})

    def removed(self, body: Any, query: JSON, name: str) -> tuple[int, Any]:
        for id in query["contact_ids"].split(","):
            self.leave(id.removeprefix("id-"), name)
        return 202, {"job_id": "x"}

    def forgotten(self, body: Any, query: JSON) -> tuple[int, Any]:
        for id in query["ids"].split(","):
            self.delete(id.removeprefix("id-"))
        return 202, {"job_id": {}}

    def counted(self, body: Any, query: JSON, name: str) -> tuple[int, Any]:
        return 200, {"contact_count": sum(name in one.lists for one in self.profiles.values()), "billable_count": 0}


class CustomerIoModel(Model):
    """Customer.io; a list is an attribute that is true."""

    routes = (("POST", "/api/v2/batch", "batch"),)

    def batch(self, body: Any, query: JSON) -> tuple[int, Any]:
        errors = []
        for index, one in enumerate(body["batch"]):
            [ident] = one["identifiers"].values()
            if ident in self.poison:
                errors.append({"batch_index": index, "reason": "invalid", "field": "id", "message": f"{ident} is bad"})
            elif one["action"] == "delete":
                self.delete(ident)
            else:
                self.put(ident, {k: v for k, v in one["attributes"].items() if not k.startswith("list-")}, [])
                lists = self.profiles[ident].lists
                for name in (k for k in one["attributes"] if k.startswith("list-")):
                    (lists.add if one["attributes"][name] else lists.discard)(name)
        return (207, {"errors": errors}) if errors else (200, {})


class IterableModel(Model):
    """Iterable."""

    routes = (
        ("POST", "/api/users/bulkUpdate", "update"),
        ("POST", "/api/lists/subscribe", "join"),
        ("POST", "/api/lists/unsubscribe", "part"),
        ("DELETE", "/api/users/(?:byUserId/)?([^/]+)", "forgotten"),
        ("GET", "/api/lists/([^/]+)/size", "counted"),
    )

    def update(self, body: Any, query: JSON) -> tuple[int, Any]:
        bad = [ident for one in body["users"] if (ident := _ident(one)) in self.poison]
        for one in body["users"]:
            if _ident(one) not in self.poison:
                self.put(_ident(one), one["dataFields"], [])
        return 200, {"successCount": 1, "failCount": len(bad), "invalidEmails": bad}

    def join(self, body: Any, query: JSON) -> tuple[int, Any]:
        for one in body["subscribers"]:
            if _ident(one) not in self.poison:
                self.put(_ident(one), {}, [str(body["listId"])])
        return 200, {"successCount": 1}

    def part(self, body: Any, query: JSON) -> tuple[int, Any]:
        for one in body["subscribers"]:
            self.leave(_ident(one), str(body["listId"]))
        return 200, {"successCount": 1}

    def forgotten(self, body: Any, query: JSON, ident: str) -> tuple[int, Any]:
        self.delete(ident)
        return 200, {"code": "Success"}

    def counted(self, body: Any, query: JSON, name: str) -> tuple[int, Any]:
        return 200, sum(name in one.lists for one in self.profiles.values())


class HubSpotModel(Model):
    """HubSpot."""

    routes = (
        ("POST", "/crm/v3/objects/contacts/batch/upsert", "upsert"),
        ("POST", "/crm/v3/objects/contacts/batch/read", "read"),
        ("PUT", "/crm/v3/lists/([^/]+)/memberships/add-and-remove", "members"),
        ("POST", "/crm/v3/objects/contacts/gdpr-delete", "forgotten"),
        ("GET", "/crm/v3/lists/([^/]+)", "counted"),
    )

    def upsert(self, body: Any, query: JSON) -> tuple[int, Any]:
        good = [one for one in body["inputs"] if one["id"] not in self.poison]
        for one in good:
            self.put(one["id"], {k: v for k, v in one["properties"].items() if k != "email"}, [])
        results = [{"id": f"id-{one['id']}", "properties": {"email": one["id"]}} for one in good]
        errors = [{"category": "VALIDATION_ERROR", "message": "a@b is bad"}]
        bad = len(good) < len(body["inputs"])
        return (207 if bad else 200), {"results": results, **({"errors": errors} if bad else {})}

    def read(self, body: Any, query: JSON) -> tuple[int, Any]:
        there = [one["id"] for one in body["inputs"] if one["id"] in self.profiles]
        return 200, {"results": [{"id": f"id-{one}", "properties": {"email": one}} for one in there]}

    def members(self, body: Any, query: JSON, name: str) -> tuple[int, Any]:
        for id in body["recordIdsToAdd"]:
            self.profiles[id.removeprefix("id-")].lists.add(name)
        for id in body["recordIdsToRemove"]:
            self.leave(id.removeprefix("id-"), name)
        return 200, {}

    def forgotten(self, body: Any, query: JSON) -> tuple[int, Any]:
        self.delete(body["objectId"])
        return 204, None

    def counted(self, body: Any, query: JSON, name: str) -> tuple[int, Any]:
        size = sum(name in one.lists for one in self.profiles.values())
        return 200, {"list": {"additionalProperties": {"hs_list_size": str(size)}}}


class MailchimpModel(Model):
    """Mailchimp, with one list."""

    routes = (
        ("PUT", "/3.0/lists/main/members/([0-9a-f]{32})", "member"),
        ("POST", "/3.0/lists/main/segments/([^/]+)", "segment"),
        ("POST", "/3.0/lists/main/members/([0-9a-f]{32})/actions/delete-permanent", "forgotten"),
        ("GET", "/3.0/lists/main/segments/([^/]+)", "counted"),
    )

    def member(self, body: Any, query: JSON, hash: str) -> tuple[int, Any]:
        email = body["email_address"]
        assert hash == md5(email.lower().encode()).hexdigest()
        assert (body["status_if_new"], "status" in body) == ("subscribed", False)
        if email in self.poison:
            return 400, {"title": "Invalid Resource", "detail": f"{email} looks fake"}
        self.put(email, body.get("merge_fields", {}), [])
        return 200, {"id": hash}

    def segment(self, body: Any, query: JSON, name: str) -> tuple[int, Any]:
        unknown = [one for one in body["members_to_add"] if one not in self.profiles]
        for one in body["members_to_add"]:
            if one in self.profiles:
                self.profiles[one].lists.add(name)
        for one in body["members_to_remove"]:
            self.leave(one, name)
        return 200, {"errors": [{"email_addresses": unknown, "error": "not in the list"}] if unknown else []}

    def forgotten(self, body: Any, query: JSON, hash: str) -> tuple[int, Any]:
        for email in [one for one in self.profiles if md5(one.lower().encode()).hexdigest() == hash]:
            self.delete(email)
        return 204, None

    def counted(self, body: Any, query: JSON, name: str) -> tuple[int, Any]:
        return 200, {"member_count": sum(name in one.lists for one in self.profiles.values())}


def _ident(one: JSON) -> str:
    return str(one.get("email") or one.get("userId"))


MODELS: dict[str, type[Model]] = {
    "braze": BrazeModel,
    "customerio": CustomerIoModel,
    "hubspot": HubSpotModel,
    "iterable": IterableModel,
    "klaviyo": KlaviyoModel,
    "mailchimp": MailchimpModel,
    "sendgrid": SendGridModel,
}

LOGIN: dict[str, tuple[str, str]] = {
    "braze": ("Authorization", f"Bearer {KEY}"),
    "customerio": ("Authorization", "Basic a2V5LW9mLXRoZS10ZXN0cw=="),
    "hubspot": ("Authorization", f"Bearer {KEY}"),
    "iterable": ("Api-Key", KEY),
    "klaviyo": ("Authorization", f"Klaviyo-API-Key {KEY}"),
    "mailchimp": ("Authorization", f"Bearer {KEY}"),
    "sendgrid": ("Authorization", f"Bearer {KEY}"),
}
assert b64decode(LOGIN["customerio"][1].removeprefix("Basic ")).decode() == KEY
