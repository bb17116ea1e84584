"""Which columns there are, and how each is masked."""

from __future__ import annotations

from typing import get_args

import msgspec
import pytest

from livepost.model.principal import Principal, Role
from livepost.ops.sql.columns import catalog_of
from livepost.project.gate import Gate
from tests.unit.ops.sql.shop import CANARIES, MASKS, catalog, policy, project, rules


def masks(role: Role, purpose: str = "study") -> dict[str, str]:
    return {column.name: column.mask for column in catalog(role, purpose).tables[0].columns}


def test_a_field_has_the_stricter_of_its_mask_and_the_askers_sight() -> None:
    assert masks("owner")["email"] == "pseudonym"
    assert masks("owner")["birthday"] == "bucket"
    columns = catalog("analyst", masks={"email": "partial", "health": "partial"}).tables[0].columns
    partly = {column.name: column.mask for column in columns}
    assert (partly["email"], partly["health"]) == ("pseudonym", "hide")


def test_what_is_personal_by_the_policy_alone_is_masked_too() -> None:
    assert masks("owner")["shelf"] == "pseudonym"
    assert masks("owner")["bought"] == masks("owner")["spent"] == "plain"


@pytest.mark.parametrize("role", get_args(Role))
def test_nothing_personal_is_plain_for_anybody(role: Role) -> None:
    for purpose in ("study", "orders"):
        assert "plain" not in {mask for name, mask in masks(role, purpose).items() if name in CANARIES}


def test_what_does_not_reach_the_purpose_is_not_there() -> None:
    study, orders = catalog(purpose="study"), catalog(purpose="orders")
    assert {*MASKS} - {"phone"} <= set(masks("owner")) and "phone" not in masks("owner")
    assert {*MASKS} & set(masks("owner", "orders")) == {"phone"}
    assert (study.segments, orders.segments) == ({"buyers"}, {"buyers", "lookers"})
    assert (study.campaigns, orders.campaigns) == (("thanks",), ("thanks", "spy"))
    assert set(study.events) == {"Bought"}
    assert (study.on_consent, orders.on_consent) == (True, False)


def test_a_purpose_that_is_a_sale_needs_a_yes_whatever_its_basis_is() -> None:
    promised = policy()
    orders = msgspec.structs.replace(promised.purposes["orders"], sale=True)
    sold = msgspec.structs.replace(promised, purposes={**promised.purposes, "orders": orders})
    sight = rules(sold).sight(Principal(by="user:1", role="owner"))
    assert catalog_of(project(), Gate(sold, project()), sight, "orders").on_consent


def test_money_is_two_columns() -> None:
    types = {column.name: column.type for column in catalog().tables[0].columns}
    assert (types["spent"], types["spent_currency"], types["skus"]) == ("BIGINT", "VARCHAR", "VARCHAR[]")


def test_sealed_fields_of_events_are_left_out() -> None:
    assert [field.name for field in catalog().events["Bought"][1]] == ["sku", "price", "shelf"]
