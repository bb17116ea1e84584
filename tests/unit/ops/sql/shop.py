"""A shop of three people, one of whom is full of canaries: values that no query may find, whoever asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from livepost.govern.access.rules import Rules, load_rules
from livepost.ledger.base import Delivery
from livepost.model.compiled import CampaignSpec, Compiled, EventSpec, FeatureSpec, FieldSpec, SegmentSpec
from livepost.model.decision import Decision
from livepost.model.person import MembershipView, PersonView
from livepost.model.principal import Principal, Role
from livepost.model.record import Record, SealedValue
from livepost.ops.sql.columns import Catalog, catalog_of
from livepost.ops.sql.rows import Rows, Snapshot, members
from livepost.project.gate import Gate
from livepost.settings.policy import Policy

KEY = bytes(range(32))
CANARIES = {
    "email": "canary.zq81@xyzzy-mail.example",
    "first_name": "Qwyjibona",
    "phone": "+49-151-7766554",
    "birthday": "1987-03-29",
    "health": "hexakosioihexekont",
    "notes": "plughplover",
    "shelf": "thunderbolt-shelf",
}
"""By feature, of one person: words that are nowhere else. `shelf` is open and personal by the policy alone."""

MASKS = {"email": "pseudonym", "first_name": "hide", "phone": "hide", "birthday": "bucket", "health": "hide"}
OTHERS = {"notes": "hide", "shelf": "pseudonym"}
CANARY, PLAIN, SILENT = b"\x01" * 16, b"\x02" * 16, b"\x03" * 16
"""The person full of canaries; one who allows everything; one who was never asked."""


def policy(masks: Mapping[str, str] | None = None) -> Policy:
    """Return what is promised; other masks if some are given."""
    hidden = {**MASKS, **OTHERS, **(masks or {})}
    fields = {f"Identified.{name}": {"mask": hidden[name], "purposes": ["study"]} for name in MASKS}
    fields["Bought.note"] = {"mask": hidden["notes"], "purposes": ["study"]}
    fields["Bought.shelf"] = {"mask": hidden["shelf"], "purposes": ["study"]}
    fields["Identified.phone"] = {"mask": hidden["phone"], "purposes": ["orders"]}
    purpose = {"text": "what is done", "retention": "90d"}
    return msgspec.convert(
        {
            "controller": {"name": "A shop", "contact": "a@shop.example"},
            "purposes": {"study": {**purpose, "basis": "consent"}, "orders": {**purpose, "basis": "contract"}},
            "fields": fields,
            "events": {"Bought": {"purposes": ["study", "orders"]}, "Looked": {"purposes": ["orders"]}},
        },
        Policy,
    )


def project() -> Compiled:
    """Return a project with something personal of each kind."""
    personal = tuple(FieldSpec(name=one, keys=(one,), type="str", personal=True) for one in MASKS)
    latest = {"kind": "latest", "event": "$identify", "type": "str", "personal": True}
    condition = {"type": "compare", "op": ">", "right": {"type": "const", "value": 0}}
    return Compiled(
        profile="P",
        events=(
            EventSpec(name="$identify", cls="Identified", fields=personal),
            EventSpec(
                name="Bought",
                cls="Bought",
                fields=(
                    FieldSpec(name="sku", keys=("sku",), type="str"),
                    FieldSpec(name="price", keys=("price",), type="money"),
                    FieldSpec(name="note", keys=("note",), type="str", personal=True),
                    FieldSpec(name="shelf", keys=("shelf",), type="str"),
                ),
            ),
            EventSpec(name="Looked", cls="Looked", fields=(FieldSpec(name="at", keys=("at",), type="str"),)),
        ),
        features=(
            *(msgspec.convert({**latest, "name": one, "field": one}, FeatureSpec) for one in MASKS),
            FeatureSpec(name="notes", kind="recent", event="Bought", field="note", n=3, type="list", personal=True),
            FeatureSpec(name="bought", kind="count", event="Bought"),
            FeatureSpec(name="spent", kind="total", event="Bought", field="price", type="money"),
            FeatureSpec(name="skus", kind="top", event="Bought", field="sku", n=3, type="list"),
            FeatureSpec(name="shelf", kind="latest", event="Bought", field="shelf", type="str"),
            FeatureSpec(name="looked", kind="count", event="Looked"),
        ),
        segments=(
            SegmentSpec(name="buyers", condition={**condition, "left": {"type": "feature", "name": "bought"}}),
            SegmentSpec(name="lookers", condition={**condition, "left": {"type": "feature", "name": "looked"}}),
        ),
        campaigns=(CampaignSpec(name="thanks", on="Bought"), CampaignSpec(name="spy", on="Looked")),
    )


def rules(promised: Policy) -> Rules:
    """Return the house's own rules over a policy."""
    own = load_rules(key=KEY)
    own._policy = promised
    return own


def catalog(role: Role = "owner", purpose: str = "study", masks: Mapping[str, str] | None = None) -> Catalog:
    """Return what somebody may ask of for a purpose."""
    promised = policy(masks)
    sight = rules(promised).sight(Principal(by="user:1", role=role))
    return catalog_of(project(), Gate(promised, project()), sight, purpose)


def person(subject: bytes, values: Mapping[str, str], **consents: bool) -> PersonView:
    """Return somebody of whom all is known."""
    sealed = {name: SealedValue("web", subject, "m", name, b"") for name in (*MASKS, "notes")}
    inside = [MembershipView(segment=one, inside=True, since=1_000, number=1) for one in ("buyers", "lookers")]
    return PersonView(
        person=subject,
        subjects=(subject,),
        position=41,
        as_of=1_700_000_000_000,
        features={"bought": 2, "spent": [4_200, "EUR"], "skus": ["a", "b"], "shelf": values["shelf"], "looked": 1},
        sealed=sealed,
        memberships=tuple(inside),
        journeys=(),
        consents=consents,
        next_due=None,
    )


def values_of(subject: bytes) -> dict[str, str]:
    """Return what is known of somebody."""
    return CANARIES if subject == CANARY else {name: f"{name} of {subject.hex()[:2]}" for name in CANARIES}


def opened(value: SealedValue) -> Any:
    """Open a seal of this shop."""
    told = values_of(value.subject)[value.field]
    return [told, told] if value.field == "notes" else told


def record(subject: bytes, message_id: str, name: str, **properties: Any) -> Record:
    """Return an event."""
    return Record(
        source="web", subject=subject, message_id=message_id, name=name, effective_ts=2_000, properties=properties
    )


def delivery(subject: bytes, campaign: str) -> Delivery:
    """Return a mail that was sent."""
    decision = Decision(
        id=b"d" * 16,
        campaign=campaign,
        version="",
        step=0,
        person=subject,
        cause=b"c" * 16,
        cause_text="bought",
        at=3_000,
        position=1,
        purpose="study",
        class_="marketing",
        lane="triggered",
    )
    return Delivery(
        decision=decision,
        person=subject,
        state="sent",
        reason="",
        detail=CANARIES["email"],
        attempts=1,
        changed_at=4_000,
        provider="keep",
        provider_id=CANARIES["email"],
    )


def snapshot(role: Role = "owner", purpose: str = "study", masks: Mapping[str, str] | None = None) -> Snapshot:
    """Return the shop's tables as somebody may see them for a purpose."""
    there = catalog(role, purpose, masks)
    everybody = [
        person(CANARY, CANARIES, study=True),
        person(PLAIN, values_of(PLAIN), study=True),
        person(SILENT, values_of(SILENT)),
    ]
    people = members(everybody, there, dict.fromkeys((CANARY, PLAIN, SILENT), ""))
    shelf = {one.person: values_of(one.person)["shelf"] for one in everybody}
    records = [record(one, one.hex(), "Bought", sku="a", price=[4_200, "EUR"], shelf=shelf[one]) for one in shelf]
    mails = [delivery(one, campaign) for one in shelf for campaign in ("thanks", "spy")]
    tables = Rows(there, KEY, opened).filled(people, mails, [*records, *records])
    return Snapshot(position=41, as_of=1_700_000_000_000, whole=True, tables=tables)
