"""What the demo makes up about a household."""

from __future__ import annotations

from livepost.demo import shoppers

HOUSEHOLDS = range(1, 2_501)


def test_four_of_five_households_allow_marketing() -> None:
    assert sum(map(shoppers.allows_marketing, HOUSEHOLDS)) == 2_000


def test_some_browse_before_anybody_knows_them() -> None:
    assert 700 <= sum(map(shoppers.browses_anonymously_first, HOUSEHOLDS)) <= 800


def test_no_two_households_share_an_id_or_an_address() -> None:
    assert len({shoppers.user_id(each) for each in HOUSEHOLDS}) == len(HOUSEHOLDS)
    assert len({shoppers.address(each) for each in HOUSEHOLDS}) == len(HOUSEHOLDS)


def test_a_household_is_found_again_from_its_address() -> None:
    assert shoppers.household_of(shoppers.address(42)) == 42
    assert shoppers.household_of(shoppers.user_id(42)) == 42


def test_every_first_name_is_somebody_s() -> None:
    assert {shoppers.first_name(each) for each in HOUSEHOLDS} == set(shoppers.FIRST_NAMES)
