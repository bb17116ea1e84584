"""Whose is what happens on one device: every row of the table in docs/explanation/who-is-who.md, through the intake.

A browser tells with the public write key, the shop's server with the secret key. What somebody looked at says whose it
is.
"""

import re
from pathlib import Path
from typing import Any

import pytest

from livepost.errors import ProjectError
from livepost.identity import rules
from livepost.intake.call import Call
from livepost.model.record import KeyKind
from livepost.process import identify
from livepost.testing import Rehearsal

DOCS = Path(__file__).parents[2] / "docs/explanation/who-is-who.md"


def tells(shop: Rehearsal, key: KeyKind = KeyKind.WRITE, **call: Any) -> None:
    """Let a call come in."""
    shop.house.take([Call(**call)], key)


def views(shop: Rehearsal, product: str, user: str | None = None, device: str | None = "device") -> None:
    """Let a browser tell that somebody looks at a product; `user` is who is signed in."""
    told = {"product_id": product}
    tells(shop, type="track", event="Product Viewed", user_id=user, anonymous_id=device, properties=told)


def signs_in(shop: Rehearsal, user: str, device: str = "device") -> None:
    """Let a browser tell who signed in."""
    tells(shop, type="identify", user_id=user, anonymous_id=device)


def seen_by(shop: Rehearsal, name: str) -> set[str]:
    """Return what a person looked at."""
    return set(shop.person(name).features["favourites"])


def views_of(shop: Rehearsal, name: str) -> int:
    """Return how many products a person looked at."""
    return int(shop.person(name).features["views_7d"])


def shared_device(shop: Rehearsal) -> None:
    """Let Ada sign in on a device, look, and sign out; then Bob. Nobody resets the browser's id."""
    views(shop, "before")
    signs_in(shop, "ada")
    views(shop, "adas", "ada")
    views(shop, "between")
    signs_in(shop, "bob")
    views(shop, "bobs", "bob")


def test_what_a_visitor_did_before_signing_in_is_theirs(shop: Rehearsal) -> None:
    views(shop, "before")
    signs_in(shop, "ada")
    assert seen_by(shop, "ada") == {"before"}


def test_what_who_is_signed_in_does_is_theirs(shop: Rehearsal) -> None:
    shared_device(shop)
    assert "adas" in seen_by(shop, "ada") and seen_by(shop, "bob") == {"bobs"}


def test_after_signing_out_without_a_reset_the_device_is_still_who_signed_in_first(shop: Rehearsal) -> None:
    shared_device(shop)
    assert seen_by(shop, "ada") == seen_by(shop, "device") == {"before", "adas", "between"}


def test_after_a_reset_the_device_is_a_new_visitors(shop: Rehearsal) -> None:
    views(shop, "adas", "ada")
    views(shop, "later", device="after the reset")
    assert (seen_by(shop, "ada"), seen_by(shop, "after the reset")) == ({"adas"}, {"later"})


def test_nothing_of_the_first_becomes_the_seconds(shop: Rehearsal) -> None:
    signs_in(shop, "ada")
    views(shop, "adas", "ada")
    tells(shop, type="identify", user_id="ada", anonymous_id="device", traits={"firstName": "Ada"})
    signs_in(shop, "bob")
    views(shop, "bobs", "bob")
    assert seen_by(shop, "bob") == {"bobs"}
    assert shop.person("bob").features["first_name"] is None


def test_after_the_second_signs_out_without_a_reset_the_device_is_the_firsts_again(shop: Rehearsal) -> None:
    shared_device(shop)
    views(shop, "afterwards")
    assert "afterwards" in seen_by(shop, "ada") and seen_by(shop, "bob") == {"bobs"}


def test_after_a_reset_the_second_gets_what_they_did_before_signing_in(shop: Rehearsal) -> None:
    shared_device(shop)
    views(shop, "as a visitor", device="after the reset")
    signs_in(shop, "bob", device="after the reset")
    assert seen_by(shop, "bob") == {"bobs", "as a visitor"}


def test_who_signs_in_on_two_devices_brings_both_together(shop: Rehearsal) -> None:
    views(shop, "at home", device="laptop")
    views(shop, "on the way", device="telephone")
    signs_in(shop, "ada", device="laptop")
    signs_in(shop, "ada", device="telephone")
    assert seen_by(shop, "ada") == {"at home", "on the way"}


def test_what_is_allowed_on_a_device_before_signing_in_is_allowed_by_who_signed_in_first(shop: Rehearsal) -> None:
    shared_device(shop)
    allowed = {"consent": {"categoryPreferences": {"marketing": True}}}
    tells(shop, type="page", anonymous_id="device", context=allowed)
    assert shop.person("ada").consents == {"marketing": True}
    assert shop.person("bob").consents == {}


def test_an_address_that_two_users_share_stays_with_the_first(shop: Rehearsal) -> None:
    shop.knows("ada", email="family@example.com")
    shop.knows("bob", email="Family@Example.com ")
    views(shop, "adas", "ada", device=None)
    views(shop, "bobs", "bob", device=None)
    assert (seen_by(shop, "ada"), seen_by(shop, "bob")) == ({"adas"}, {"bobs"})


def test_an_alias_from_the_server_makes_one_person_of_two_users(shop: Rehearsal) -> None:
    shared_device(shop)
    tells(shop, KeyKind.SECRET, type="alias", user_id="ada", previous_id="bob")
    assert views_of(shop, "ada") == views_of(shop, "bob") == 4


def test_an_alias_of_two_users_from_a_browser_is_a_dead_letter(shop: Rehearsal) -> None:
    shared_device(shop)
    tells(shop, type="alias", user_id="ada", previous_id="bob")
    assert seen_by(shop, "bob") == {"bobs"}
    (reason,) = shop.dead_letters
    assert reason.startswith("expected an alias of a userId from a secret key")


def test_an_alias_of_a_browsers_own_id_makes_it_the_users(shop: Rehearsal) -> None:
    views(shop, "before")
    tells(shop, type="alias", user_id="ada", previous_id="device")
    assert seen_by(shop, "ada") == {"before"}


def test_an_alias_from_a_browser_takes_no_device_from_who_signed_in_there_first(shop: Rehearsal) -> None:
    shared_device(shop)
    tells(shop, type="alias", user_id="bob", previous_id="device")
    assert seen_by(shop, "bob") == {"bobs"}


def test_without_the_rule_of_shared_devices_it_would_be_found(shop: Rehearsal, monkeypatch: pytest.MonkeyPatch) -> None:
    assert identify.may_merge is rules.may_merge
    monkeypatch.setattr(identify, "may_merge", lambda *_, **__: True)
    shared_device(shop)
    assert views_of(shop, "bob") == 4


def test_nobody_is_met_by_a_name_that_was_not_told(shop: Rehearsal) -> None:
    shared_device(shop)
    with pytest.raises(ProjectError, match="somebody whom this rehearsal has met"):
        shop.person("eve")


def test_every_row_of_the_table_is_a_test_of_this_file() -> None:
    rows = re.findall(r"\| `(test_\w+)` \|$", DOCS.read_text(), re.MULTILINE)
    assert len(rows) > 12
    assert [row for row in rows if row not in globals()] == []
