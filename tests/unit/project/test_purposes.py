"""What is made of something may be used for no more than that, and it is said why."""

from __future__ import annotations

from pathlib import Path

import pytest

from livepost.project.purposes import Purposes
from tests.unit.govern.policy.shop import PAGE, POLICY, given_of


def purposes(folder: Path, *, page: str = PAGE, policy: str = POLICY) -> Purposes:
    return given_of(folder, page=page, policy=policy).purposes


def test_a_feature_a_segment_and_a_campaign_reach_what_all_their_parts_do(tmp_path: Path) -> None:
    page = PAGE.replace(
        "total(OrderCompleted.total)", "total(OrderCompleted.total, where=OrderCompleted.order_id != 'x')"
    )
    policy = POLICY.replace(
        '"email.domain" =', '"OrderCompleted.order_id" = { purposes = ["shop", "statistics"] }\n"email.domain" ='
    )
    found = purposes(tmp_path, page=page, policy=policy)
    assert found.of("OrderCompleted.total") == {"marketing", "shop"}
    assert found.of("Shopper.spend") == {"shop"}, "where= counts"
    assert found.of("Shopper.rich") == {"shop"}, "and so what is made of it"
    assert found.of("Shopper.keen") == {"marketing", "shop"}
    assert found.of("campaign.reminder") == {"marketing", "shop"}
    assert found.of("Shopper.gender") == {"shop"}
    assert found.leaves("Shopper.rich") == ("OrderCompleted.total", "OrderCompleted.order_id", "ProductViewed")


def test_the_path_says_which_part_stands_in_the_way(tmp_path: Path) -> None:
    policy = POLICY.replace(
        'OrderCompleted = { purposes = ["marketing", "shop"] }', 'OrderCompleted = { purposes = ["shop"] }'
    )
    found = purposes(tmp_path, policy=policy)
    assert found.path("Shopper.rich", "marketing") == ("Shopper.rich", "Shopper.spend", "OrderCompleted.total")
    assert found.path("campaign.reminder", "marketing") == ("campaign.reminder", "OrderCompleted")
    assert found.path("Shopper.keen", "marketing") == ()


def test_a_segment_of_segments_and_a_facet_travel_too(tmp_path: Path) -> None:
    page = PAGE.replace("import Email", "import facet, Email").replace(
        "    keen = segment(views_7d >= 3)",
        "    domain = latest(facet(Identified, 'email.domain'))\n    keen = segment(views_7d >= 3)\n"
        "    both = segment(keen & (domain == 'example.com'))",
    )
    found = purposes(tmp_path, page=page)
    assert found.parts("Shopper.both") == ("Shopper.keen", "Shopper.domain")
    assert found.of("Shopper.both") == {"shop"}
    assert found.path("Shopper.both", "marketing") == ("Shopper.both", "Shopper.domain", "email.domain")


@pytest.mark.parametrize("name", ["Shopper.nobody", "Identified.shoe_size", "", "*", "$address"])
def test_what_is_not_known_has_no_purpose(tmp_path: Path, name: str) -> None:
    assert purposes(tmp_path).of(name) == frozenset()


def test_an_event_of_which_nothing_is_said_has_what_the_defaults_say_or_nothing(tmp_path: Path) -> None:
    page = PAGE.replace("class Shopper", "class Left(Event):\n    why: str\n\nclass Shopper")
    assert purposes(tmp_path, page=page).of("Left") == {"shop"}
    bare = POLICY.replace('purposes = ["shop"]\nretention = "365d"\nmask', 'retention = "365d"\nmask')
    assert purposes(tmp_path, page=page, policy=bare).of("Left") == frozenset()


def test_compatible_purposes_take_in_others_but_never_what_was_given_on_consent(tmp_path: Path) -> None:
    taking = POLICY.replace("[purposes.statistics]\n", '[purposes.statistics]\ncompatible = ["shop"]\n')
    assert purposes(tmp_path, policy=taking).of("Identified.gender") == {"shop", "statistics"}
    refused = POLICY.replace("[purposes.statistics]\n", '[purposes.statistics]\ncompatible = ["marketing"]\n')
    only = refused.replace(
        'ProductViewed = { purposes = ["marketing", "shop"] }', 'ProductViewed = { purposes = ["marketing"] }'
    )
    assert purposes(tmp_path, policy=only).of("ProductViewed") == {"marketing"}


def test_a_projects_own_identify_is_found_by_the_name_that_comes_with_livepost(tmp_path: Path) -> None:
    page = PAGE.replace("class Shopper", "class Member(Identified):\n    tier: str | None = None\n\nclass Shopper")
    page = page.replace("latest(Identified.", "latest(Member.")
    found = purposes(tmp_path, page=page)
    assert found.of("Shopper.first_name") == {"marketing", "shop"}
    assert found.address == "Identified.email"
    assert found.of(found.feature("$address")) == {"marketing", "shop"}
    assert "Member.gender" in found.personal
