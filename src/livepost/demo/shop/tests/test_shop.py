"""What the demo shop promises its shoppers, rehearsed in memory."""

from shop import OrderCompleted, ProductAdded, ProductViewed, shop_letter, win_back

from livepost import Money, days, hours
from livepost.testing import Rehearsal


def test_the_first_order_brings_one_welcome_after_an_hour(shop: Rehearsal) -> None:
    shop.knows("ada", email="ada@example.com", allows="marketing")
    shop.happens(OrderCompleted(person="ada", order_id="1", total=Money("12.50", "USD")))
    shop.wait(hours(1))
    assert [mail.template for mail in shop.outbox] == ["welcome"]


def test_three_looks_and_no_order_bring_one_reminder_after_two_hours(shop: Rehearsal) -> None:
    shop.knows("ada", email="ada@example.com", allows="marketing")
    shop.happens(*[ProductViewed(person="ada", product_id=p, name=p) for p in "abc"])
    shop.wait(hours(2))
    assert [mail.template for mail in shop.outbox] == ["browse_reminder"]


def test_a_cart_left_behind_brings_one_mail_after_seven_hours(shop: Rehearsal) -> None:
    shop.knows("ada", email="ada@example.com", allows="marketing")
    shop.happens(ProductAdded(person="ada", product_id="a", name="Tea"))
    shop.wait(hours(7))
    assert [mail.template for mail in shop.outbox] == ["abandoned_cart"]


def test_three_weeks_of_silence_bring_one_mail_and_an_order_starts_them_anew(shop: Rehearsal) -> None:
    shop.knows("ada", email="ada@example.com", allows="marketing")
    shop.happens(OrderCompleted(person="ada", order_id="1", total=Money("12.50", "USD")))
    shop.wait(days(20))
    shop.happens(OrderCompleted(person="ada", order_id="2", total=Money("9.00", "USD")))
    shop.wait(days(20))
    assert [mail.template for mail in shop.outbox] == ["welcome"]
    shop.wait(days(1))
    assert [mail.template for mail in shop.outbox] == ["welcome", "win_back"]
    assert shop.why("ada", win_back).startswith("sent: entered Shopper.silent")


def test_a_large_order_brings_favourites_but_not_twice_a_month(shop: Rehearsal) -> None:
    shop.knows("ada", email="ada@example.com", allows="marketing")
    for order_id in "12":
        shop.happens(OrderCompleted(person="ada", order_id=order_id, total=Money("60", "USD"), category="Tea"))
        shop.wait(days(2))
    assert [mail.template for mail in shop.outbox] == ["favourites", "welcome"]


def test_a_letter_goes_to_who_ordered_unless_they_switched_letters_off(shop: Rehearsal) -> None:
    shop.knows("ada", email="ada@example.com", allows="marketing")
    shop.knows("bob", email="bob@example.com", allows="marketing", topics={"letters": False})
    shop.knows("cy", email="cy@example.com", allows="marketing")
    for who in ("ada", "bob"):
        shop.happens(OrderCompleted(person=who, order_id=who, total=Money("12.50", "USD")))
    shop.broadcast(shop_letter)
    shop.wait(hours(2))
    assert [mail.to for mail in shop.outbox if mail.template == "shop_letter"] == ["ada@example.com"]
