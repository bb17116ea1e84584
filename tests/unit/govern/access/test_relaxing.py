from __future__ import annotations

import msgspec
import pytest

from livepost.govern.access.relaxing import relaxations
from livepost.settings.policy import (
    Controller,
    DestinationPolicy,
    EventPolicy,
    FieldPolicy,
    Policy,
    Purpose,
)

MARKETING = Purpose(
    text="news", basis="consent", retention="30d", compatible=("orders",), sale=True, tcf=(1, 2), valid="90d"
)
EMAIL = FieldPolicy(purposes=("marketing",), retention="30d", mask="pseudonym", special="health")
CRM = DestinationPolicy(purposes=("marketing",), fields=("Identified.email",), region="eu")
OLD = Policy(
    controller=Controller(name="Shop", contact="shop@example.com"),
    purposes={"marketing": MARKETING},
    defaults=FieldPolicy(mask="hide", retention="10d"),
    fields={"Identified.email": EMAIL},
    events={"Viewed": EventPolicy(purposes=("marketing",))},
    destinations={"crm": CRM},
    home="eu",
    regions=("eu",),
    hosts=("api.example.com",),
)
replace = msgspec.structs.replace
WIDER = [
    ("purposes: ads is new", {"purposes": {"marketing": MARKETING, "ads": MARKETING}}),
    ("purposes.marketing: its basis", {"purposes": {"marketing": replace(MARKETING, basis="contract")}}),
    ("keeps data for 31d, was 30d", {"purposes": {"marketing": replace(MARKETING, retention="31d")}}),
    ("compatible: ads", {"purposes": {"marketing": replace(MARKETING, compatible=("orders", "ads"))}}),
    ("not said to be a sale", {"purposes": {"marketing": replace(MARKETING, sale=False)}}),
    ("tcf: 2 is not asked for", {"purposes": {"marketing": replace(MARKETING, tcf=(1,))}}),
    ("good for 91d, was 90d", {"purposes": {"marketing": replace(MARKETING, valid="91d")}}),
    ("good for as long as it is, was 90d", {"purposes": {"marketing": replace(MARKETING, valid="")}}),
    ("home: it is us, was eu", {"home": "us"}),
    ("crm.purposes: marketing need not be allowed", {"destinations": {"crm": replace(CRM, purposes=("ads",))}}),
    ("defaults: its mask is partial", {"defaults": FieldPolicy(mask="partial", retention="10d")}),
    ("defaults: it is kept for", {"defaults": FieldPolicy(mask="hide")}),
    ("purposes: ads is added", {"fields": {"Identified.email": replace(EMAIL, purposes=("marketing", "ads"))}}),
    ("kept for 90d, was 30d", {"fields": {"Identified.email": replace(EMAIL, retention="90d")}}),
    ("its mask is partial, was pseudonym", {"fields": {"Identified.email": replace(EMAIL, mask="partial")}}),
    ("of no special category", {"fields": {"Identified.email": replace(EMAIL, special="")}}),
    ("fields.Identified.phone.purposes: marketing", {"fields": {"Identified.email": EMAIL, "Identified.phone": EMAIL}}),
    ("events.Viewed.purposes: ads", {"events": {"Viewed": EventPolicy(purposes=("marketing", "ads"))}}),
    ("events.Bought.purposes: ads", {"events": {**OLD.events, "Bought": EventPolicy(purposes=("ads",))}}),
    ("destinations: ads is new", {"destinations": {"crm": CRM, "ads": CRM}}),
    ("crm.fields: Identified.phone", {"destinations": {"crm": replace(CRM, fields=(*CRM.fields, "Identified.phone"))}}),
    ("crm.purposes: ads", {"destinations": {"crm": replace(CRM, purposes=("marketing", "ads"))}}),
    ("its region is us, was eu", {"destinations": {"crm": replace(CRM, region="us")}}),
    ("regions: us", {"regions": ("eu", "us")}),
    ("hosts: *.example.com", {"hosts": ("api.example.com", "*.example.com")}),
]


@pytest.mark.parametrize(("said", "changes"), WIDER, ids=[said for said, _ in WIDER])
def test_what_is_wider_is_said_and_only_that(said: str, changes: dict[str, object]) -> None:
    wider = replace(OLD, **changes)
    assert said in "\n".join(relaxations(OLD, wider))
    assert relaxations(wider, wider) == []


def test_an_event_that_is_not_said_any_more_has_what_the_defaults_say() -> None:
    before = replace(OLD, defaults=replace(OLD.defaults, purposes=("orders",)))
    assert relaxations(before, replace(before, events={})) == ["events.Viewed.purposes: orders is added"]
    narrower = {"Viewed": EventPolicy(purposes=("marketing",)), "Bought": EventPolicy(purposes=("orders",))}
    assert relaxations(before, replace(before, events=narrower)) == [], "Bought had that by the defaults"


def test_the_same_and_the_stricter_relax_nothing() -> None:
    assert relaxations(OLD, OLD) == []
    strict = replace(
        OLD,
        purposes={"marketing": replace(MARKETING, retention="3d", compatible=(), tcf=(1, 2, 3))},
        fields={"Identified.email": replace(EMAIL, mask="hide", retention="1d", purposes=())},
        events={},
        destinations={"crm": replace(CRM, fields=())},
        regions=(),
        hosts=(),
    )
    assert relaxations(OLD, strict) == []


def test_to_say_nothing_more_of_a_field_is_told_by_what_the_defaults_say() -> None:
    unsaid = replace(OLD, fields={}, defaults=FieldPolicy(mask="partial", retention="10d"))
    assert "fields.Identified.email: its mask is partial, was pseudonym" in relaxations(OLD, unsaid)
