"""Declared keys: who bought with a card, which card is whose, and what a public key cannot say about it."""

from typing import Any

import pytest
from shop import BoughtAtTheTill, Customer, ProductViewed

from livepost import Money
from livepost.intake.call import Call
from livepost.model.record import KeyKind
from livepost.testing import Rehearsal
from livepost.vault.base import ExternalId

TEN = Money("10.00", "USD")


def spent(shop: Rehearsal, name: str) -> Money:
    """Return what a person, by any id, spent at the till."""
    found = shop.person(name).features["spent"]
    assert isinstance(found, Money)
    return found


def tells(shop: Rehearsal, key: KeyKind, **call: Any) -> None:
    """Let a call come in with this kind of key."""
    shop.house.take([Call(**call)], key)


def test_who_buys_with_a_card_is_a_person_of_that_card(shop: Rehearsal) -> None:
    for _ in range(2):
        shop.happens(BoughtAtTheTill(loyalty_card="4711", total=TEN), server=True)
    shop.happens(BoughtAtTheTill(loyalty_card="1147", total=TEN), server=True)
    assert (spent(shop, "4711"), spent(shop, "1147")) == (Money("20.00", "USD"), TEN)


def test_a_card_becomes_the_users_when_the_server_names_both(shop: Rehearsal) -> None:
    shop.happens(BoughtAtTheTill(loyalty_card="4711", total=TEN), server=True)
    shop.happens(ProductViewed(person="ada", product_id="tea"))
    shop.knows("ada", loyalty_card="4711")
    shop.happens(BoughtAtTheTill(loyalty_card="4711", total=TEN), server=True)
    assert spent(shop, "ada") == spent(shop, "4711") == Money("20.00", "USD")
    assert shop.person("ada").features == shop.person("4711").features


def test_several_keys_make_one_person_in_any_order(shop: Rehearsal) -> None:
    shop.happens(BoughtAtTheTill(loyalty_card="4711", total=TEN), server=True)
    shop.happens(BoughtAtTheTill(loyalty_card="1147", total=TEN), server=True)
    shop.knows("ada", loyalty_card="1147", till_number=7, anonymous="browser")
    shop.knows("ada", loyaltyCard="4711")
    for name in ("ada", "4711", "1147", "7", "browser"):
        assert spent(shop, name) == Money("20.00", "USD")


def test_a_browser_that_names_a_card_gets_nothing_of_whose_it_is(shop: Rehearsal) -> None:
    shop.knows("ada", loyalty_card="4711")
    shop.happens(BoughtAtTheTill(loyalty_card="4711", total=TEN), server=True)
    shop.happens(Customer(anonymous="eve", loyalty_card="4711"))
    shop.happens(Customer(person="mallory", anonymous="eve", loyalty_card="4711"))
    shop.happens(BoughtAtTheTill(anonymous="eve", loyalty_card="4711", total=TEN))
    assert (spent(shop, "ada"), spent(shop, "mallory")) == (TEN, TEN)


def test_a_card_that_only_a_browser_named_is_nobodys_id(shop: Rehearsal) -> None:
    shop.happens(Customer(person="ada", loyalty_card="4711"))
    assert shop.house.vault.find(ExternalId("loyalty_card", "4711")) is None
    assert shop.person("ada").features["card"] == "4711"  # a personal value like any other


def test_without_the_secret_key_a_card_is_not_enough_to_say_whose_an_event_is(shop: Rehearsal) -> None:
    told = {"type": "track", "event": "Bought At The Till", "properties": {"loyaltyCard": "4711", "total": 10}}
    tells(shop, KeyKind.WRITE, **told)
    (reason,) = shop.dead_letters
    assert reason.startswith("expected a `userId` or an `anonymousId`, got neither")
    tells(shop, KeyKind.SECRET, **told)
    assert (spent(shop, "4711"), len(shop.dead_letters)) == (TEN, 1)


@pytest.mark.parametrize("card", ["", None, 4711.5, True, "4" * 256])
def test_what_cannot_be_a_card_names_nobody(shop: Rehearsal, card: Any) -> None:
    tells(
        shop,
        KeyKind.SECRET,
        type="track",
        event="Bought At The Till",
        properties={"loyalty_card": card, "total": 10},
    )
    (reason,) = shop.dead_letters
    assert reason.startswith("expected a `userId` or an `anonymousId`, got neither")


def test_a_till_that_sees_many_cards_makes_no_one_person_of_them(shop: Rehearsal) -> None:
    for card in ("4711", "1147"):
        shop.happens(BoughtAtTheTill(anonymous="till 3", loyalty_card=card, total=TEN), server=True)
    assert (spent(shop, "4711"), spent(shop, "1147")) == (TEN, TEN)


def test_users_who_share_a_card_become_one_person_so_such_a_card_is_no_key(shop: Rehearsal) -> None:
    shop.knows("ada", loyalty_card="4711")
    shop.knows("bob", loyalty_card="4711")
    shop.happens(ProductViewed(person="bob", product_id="tea"))
    assert shop.person("ada").features["views"] == 1


def test_a_key_stands_sealed_in_the_log(shop: Rehearsal) -> None:
    shop.happens(BoughtAtTheTill(loyalty_card="4711", total=TEN), server=True)
    blocks = shop.house.log.read(-1, 10)
    (record,) = [record for block in blocks for record in block.records() if record.name == "Bought At The Till"]
    assert (record.known, set(record.properties), set(record.sealed)) == (True, {"total"}, {"loyalty_card"})
