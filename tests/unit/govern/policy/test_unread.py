"""Personal fields that nothing reads are told; one that a campaign or a destination uses is not."""

from __future__ import annotations

from pathlib import Path

from livepost.govern.policy.unread import Unread, unread
from tests.unit.govern.policy.shop import PAGE, given_of


def names(folder: Path, decided: dict[str, int], page: str = PAGE) -> list[str]:
    return [one.field for one in unread(given_of(folder, page=page), decided, since=100)]


def test_what_a_campaign_that_lives_or_a_destination_uses_is_read(tmp_path: Path) -> None:
    living = names(tmp_path, {"reminder": 100})
    assert "Identified.gender" in living
    assert {"ip", "user_agent", "undeclared"} <= {*living}
    assert not {"Identified.first_name", "Identified.email", "user_id", "anonymous_id"} & {*living}


def test_what_only_a_campaign_uses_that_decided_nothing_for_so_long_is_not(tmp_path: Path) -> None:
    for decided in ({"reminder": 99}, {}):
        found = {one.field: one for one in unread(given_of(tmp_path), decided, since=100)}
        assert found["Identified.first_name"] == Unread(
            field="Identified.first_name",
            purposes=("marketing", "shop"),
            features=("Shopper.first_name",),
            campaigns=("reminder",),
        )
        assert "Identified.email" not in found  # the destination crm gets it


def test_a_mail_that_does_not_use_a_field_any_more_leaves_it_unread(tmp_path: Path) -> None:
    """The negative control."""
    assert "Identified.first_name" not in names(tmp_path, {"reminder": 100})
    without = given_of(
        tmp_path,
        page=PAGE.replace("Hello {{ first_name }}", "Hello"),
        files={"templates/reminder.mjml": "<mjml><mj-body>{{ products }} {{ unsubscribe_url }}</mj-body></mjml>"},
    )
    assert "Identified.first_name" in [one.field for one in unread(without, {"reminder": 100}, since=100)]
