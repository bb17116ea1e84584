"""Klaviyo, Braze and SendGrid Marketing against their own contracts and Segment's mappings.

What is judged are the requests that `tests/unit/sync/vendor` recorded on loopback and holds to the code. Prism judges
method, path, headers, query and, but for Klaviyo's jobs, the body; jsonschema the body. Braze's contract names
no field of a user: there, Segment's mapping says what one is. Each check has requests that it must refuse.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from livepost.sync.vendor.every import VENDORS
from livepost.sync.vendor.klaviyo import OWN as KLAVIYO_OWN
from livepost.sync.vendor.klaviyo import REVISION
from livepost.sync.vendor.sendgrid import OWN as SENDGRID_OWN
from tests.real.prism import CONTRACTS, SHARED, Prism, needs_contracts, schema_faults
from tests.unit.deliver.esp.desk import Request
from tests.unit.sync.vendor.test_every import RECORDINGS

MAPPINGS = SHARED / "segment" / "segment_action_destinations"

ROUTES: list[tuple[str, str, str, str, str]] = [
    ("klaviyo", "POST", "/api/profile-bulk-import-jobs", "klaviyo_apis/bulk_import_profiles.json", ""),
    ("klaviyo", "GET", "/api/profiles", "klaviyo_apis/get_profiles.json", ""),
    ("klaviyo", "POST", "/api/data-privacy-deletion-jobs", "klaviyo_apis/request_profile_deletion.json", ""),
    ("braze", "POST", "/users/track", "braze_community_openapi.json", ""),
    ("braze", "POST", "/users/delete", "braze_community_openapi.json", ""),
    ("sendgrid", "PUT", "/marketing/contacts", "sendgrid/sendgrid_oai_v3_stoplight.json", "/v3"),
    ("sendgrid", "DELETE", "/marketing/contacts", "sendgrid/sendgrid_oai_v3_stoplight.json", "/v3"),
    ("sendgrid", "POST", "/marketing/contacts/search/emails", "sendgrid/sendgrid_oai_v3_stoplight.json", "/v3"),
    ("sendgrid", "DELETE", "/marketing/lists/{id}/contacts", "sendgrid/sendgrid_oai_v3_stoplight.json", "/v3"),
]
"""Vendor, method and path of the contract, its file, and what stands before the path in a request."""

UNSAID = {("klaviyo", "DELETE", "/api/lists/list-2/relationships/profiles")}
"""Requests that no contract at hand tells of: the body is that of the addition to a list."""


def recordings(vendor: str) -> list[dict[str, Any]]:
    """Return all recorded requests of a vendor."""
    return [one for file in sorted(RECORDINGS.glob(f"{vendor}-*.json")) for one in json.loads(file.read_text())]


def route_of(vendor: str, one: dict[str, Any]) -> tuple[str, str, str, str, str] | None:
    """Return the route that a recorded request is of."""
    path = one["path"].partition("?")[0]
    for route in ROUTES:
        pattern = route[4] + re.sub(r"{\w+}", "[^/]+", route[2])
        if route[0] == vendor and route[1] == one["method"] and re.fullmatch(pattern, path):
            return route
    return None


class Judges:
    """A Prism a contract, started when it is asked."""

    def __init__(self, folder: Any, open_: ExitStack) -> None:
        self._folder, self._open = folder, open_
        self._started: dict[str, Prism] = {}

    def judge(self, route: tuple[str, str, str, str, str], one: dict[str, Any]) -> int:
        """Return the status that a request gets."""
        file, before = route[3], route[4]
        if file not in self._started:
            log = self._folder / f"{len(self._started)}.log"
            self._started[file] = self._open.enter_context(closing(Prism(CONTRACTS / file, log)))
        body = json.dumps(one["body"]).encode() if one["body"] is not None else b""
        headers = {name.lower(): value for name, value in one["headers"].items()}
        request = Request(one["method"], one["path"].removeprefix(before), headers, body)
        return self._started[file].judge(request)[0]


@pytest.fixture(scope="module")
def judges(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judges]:
    needs_contracts()
    with ExitStack() as open_:
        yield Judges(tmp_path_factory.mktemp("prism"), open_)


def faults(route: tuple[str, str, str, str, str], one: dict[str, Any]) -> list[str]:
    """Return what jsonschema, and for Braze Segment's mapping, find wrong with a body."""
    if one["body"] is None:
        return []
    found = schema_faults(CONTRACTS / route[3], route[2], one["body"], route[1].lower())
    return found + (braze_faults(one["body"]) if route[2] == "/users/track" else [])


def test_the_vendors_that_count_as_checked_are_those_with_contracts() -> None:
    assert {name for name, one in VENDORS.items() if one.contract_checked} == {route[0] for route in ROUTES}


@pytest.mark.parametrize("vendor", ["braze", "klaviyo", "sendgrid"])
def test_every_request_is_what_the_contract_allows(judges: Judges, vendor: str) -> None:
    seen = set()
    for one in recordings(vendor):
        route = route_of(vendor, one)
        if route is None:
            assert (vendor, one["method"], one["path"]) in UNSAID
            continue
        seen.add(route)
        assert 200 <= judges.judge(route, one) <= 299, one
        assert faults(route, one) == [], one
    assert seen == {route for route in ROUTES if route[0] == vendor}, "each route was recorded"


def first(vendor: str, method: str, path: str) -> tuple[tuple[str, str, str, str, str], dict[str, Any]]:
    """Return a route and a copy of the first request of it."""
    [route] = [one for one in ROUTES if one[:3] == (vendor, method, path)]
    return route, json.loads(json.dumps(next(one for one in recordings(vendor) if route_of(vendor, one) == route)))


def put(value: Any, *path: str | int) -> Callable[[Any], None]:
    """Return what puts another value into a body."""

    def change(body: Any) -> None:
        for key in path[:-1]:
            body = body[key]
        body[path[-1]] = value

    return change


def without(*path: str | int) -> Callable[[Any], None]:
    """Return what takes a value out of a body."""

    def change(body: Any) -> None:
        for key in path[:-1]:
            body = body[key]
        del body[path[-1]]

    return change


JOBS = ("klaviyo", "POST", "/api/profile-bulk-import-jobs")
DELETIONS = ("klaviyo", "POST", "/api/data-privacy-deletion-jobs")
TRACK = ("braze", "POST", "/users/track")
CONTACTS = ("sendgrid", "PUT", "/marketing/contacts")
SEARCH = ("sendgrid", "POST", "/marketing/contacts/search/emails")
PEOPLE = ("data", "attributes", "profiles", "data")

BROKEN: list[tuple[tuple[str, str, str], str, Callable[[Any], None], bool]] = [
    (JOBS, "no data", without("data"), False),
    (JOBS, "another type", put("profile", "data", "type"), False),
    (JOBS, "profiles as a list", put([], "data", "attributes", "profiles"), False),
    (JOBS, "a profile without its type", without(*PEOPLE, 0, "type"), False),
    (JOBS, "an address in a list", put(["ada@example.com"], *PEOPLE, 0, "attributes", "email"), False),
    (JOBS, "a list without its type", without("data", "relationships", "lists", "data", 0, "type"), False),
    (DELETIONS, "no profile", without("data", "attributes", "profile"), True),
    (TRACK, "attributes as an object", put({}, "attributes"), True),
    (TRACK, "a user that is a text", put("ada", "attributes", 0), True),
    (TRACK, "a user whom nothing names", without("attributes", 0, "email"), False),
    (TRACK, "a name that is a number", put(5, "attributes", 0, "first_name"), False),
    (CONTACTS, "no contacts", without("contacts"), True),
    (CONTACTS, "nobody", put([], "contacts"), True),
    (CONTACTS, "a contact without an address", without("contacts", 0, "email"), True),
    (CONTACTS, "lists as a text", put("list", "list_ids"), True),
    (CONTACTS, "a list that is no uuid", put(["list-1"], "list_ids"), True),
    (CONTACTS, "a name that is an object", put({}, "contacts", 0, "first_name"), True),
    (SEARCH, "no addresses", without("emails"), True),
    (SEARCH, "addresses as a text", put("ada@example.com", "emails"), True),
]
"""Route, what is broken, how, and whether Prism sees it: it does not look into Klaviyo's jobs, and Braze's contract
says nothing of a user."""


@pytest.mark.parametrize(("where", "what", "change", "by_prism"), BROKEN, ids=[one[1] for one in BROKEN])
def test_a_broken_body_is_refused(
    judges: Judges, where: tuple[str, str, str], what: str, change: Callable[[Any], None], by_prism: bool
) -> None:
    """The negative control of both checks."""
    route, one = first(*where)
    change(one["body"])
    assert faults(route, one) != [], what
    assert (judges.judge(route, one) in (400, 422)) == by_prism


@pytest.mark.parametrize(
    ("where", "name"),
    [
        *((JOBS, "revision"), (JOBS, "Authorization"), (DELETIONS, "revision")),
        *((TRACK, "Authorization"), (CONTACTS, "Authorization")),
    ],
)
def test_a_request_without_a_header_is_refused(judges: Judges, where: tuple[str, str, str], name: str) -> None:
    route, one = first(*where)
    del one["headers"][name]
    assert judges.judge(route, one) in (400, 401, 422)


def test_a_removal_without_its_query_is_refused(judges: Judges) -> None:
    route, one = first("sendgrid", "DELETE", "/marketing/lists/{id}/contacts")
    one["path"] = one["path"].partition("?")[0]
    assert judges.judge(route, one) in (400, 422)


def test_the_revision_is_that_of_the_contract() -> None:
    needs_contracts()
    for file in (CONTRACTS / "klaviyo_apis").glob("*.json"):
        assert f'"default": "{REVISION}"' in file.read_text()


def test_profiles_leave_a_list_by_the_body_that_puts_them_there() -> None:
    needs_contracts()
    contract, path = CONTRACTS / "klaviyo_apis" / "add_profiles_to_list.json", "/api/lists/{id}/relationships/profiles"
    leaving = [one["body"] for one in recordings("klaviyo") if one["method"] == "DELETE"]
    assert leaving and [schema_faults(contract, path, body) for body in leaving] == [[]] * len(leaving)
    assert schema_faults(contract, path, {"data": [{"id": "1"}]}) != []


# Segment's mappings


def fields(destination: str, action: str) -> dict[str, Any]:
    """Return the fields of one of Segment's actions."""
    found: dict[str, Any] = json.loads((MAPPINGS / destination / "metadata.json").read_text())["actions"][action][
        "fields"
    ]
    return found


TYPES = {"string": ["string", "null"], "boolean": ["boolean", "null"]}


def braze_faults(body: Any) -> list[str]:
    """Return what is wrong with users, by Segment's mapping: types, and one of four names that says who it is."""
    mapped = fields("braze", "updateUserProfile2")
    names = ("external_id", "user_alias", "braze_id", "email")
    user = {
        "type": "object",
        "properties": {
            name: {"type": TYPES[field["type"]]}
            for name, field in mapped.items()
            if field["type"] in TYPES and not field["multiple"]
        },
        "anyOf": [{"required": [name]} for name in names],
    }
    schema = {"type": "object", "properties": {"attributes": {"type": "array", "maxItems": 75, "items": user}}}
    return [error.message[:100] for error in Draft202012Validator(schema).iter_errors(body)]


def test_brazes_users_are_named_as_segment_names_them() -> None:
    needs_contracts()
    said = re.search(r"updateUserProfile should require.*?`\"(.*?)\"`", snapshot("braze"), re.DOTALL)
    assert said and all(name in said[1] for name in ("external_id", "user_alias", "braze_id", "email"))
    for one in recordings("braze"):
        for user in one["body"].get("attributes", []):
            assert {"external_id", "email"} & {*user} and '"_update_existing_only"' in snapshot("braze")
    assert '"x-braze-batch"' in snapshot("braze"), "Segment marks its batches; Braze's contract asks for no such header"


def test_klaviyos_profiles_have_the_fields_of_segments() -> None:
    needs_contracts()
    mapped = fields("klaviyo", "upsertProfile")
    assert KLAVIYO_OWN - {"locale"} <= {*mapped}, "Klaviyo's contract has locale besides"
    people = [
        profile["attributes"]
        for one in recordings("klaviyo")
        if one["path"] == "/api/profile-bulk-import-jobs"
        for profile in one["body"]["data"]["attributes"]["profiles"]["data"]
    ]
    assert people and all({*one} <= {*mapped} and {"email", "external_id"} & {*one} for one in people)
    assert any(one.get("properties") for one in people)


def test_sendgrids_contacts_have_the_fields_of_segments() -> None:
    needs_contracts()
    mapped = fields("sendgrid-audiences", "syncAudience")
    assert {*mapped["user_attributes"]["properties"]} - SENDGRID_OWN == {"phone_number"}
    assert {*mapped["user_attributes"]["properties"]} >= SENDGRID_OWN
    assert "email" in mapped["identifiers"]["properties"]
    kinds = {name.split("_")[1] for name in mapped if name.startswith("custom_")}
    assert kinds == {"text", "number", "date"}, "so a value is a text or a number"
    for one in recordings("sendgrid"):
        for contact in (one["body"] or {}).get("contacts", []):
            assert all(isinstance(value, str | int | float) for value in contact.get("custom_fields", {}).values())


def test_customerios_people_are_named_as_segment_names_them() -> None:
    """No contract of theirs is at hand: only the names are held to Segment's mapping."""
    needs_contracts()
    mapped = fields("customerio", "createUpdatePerson")
    for one in recordings("customerio"):
        for entry in one["body"]["batch"]:
            assert {*entry["identifiers"]} <= {*mapped}


def snapshot(destination: str) -> str:
    """Return the requests that Segment's own tests recorded."""
    return "".join(file.read_text() for file in sorted((MAPPINGS / destination / "snap").glob("__tests*")))
