"""A cart left behind: nothing happens, and that is what brings the mail."""

from shop import OrderCompleted, ProductAdded, Shopper, abandoned_cart

from livepost import Money, hours, minutes
from livepost.testing import Rehearsal


def test_a_cart_left_behind_brings_a_mail_by_time_passing(shop: Rehearsal) -> None:
    shop.knows("ada", email="ada@example.com", allows="marketing")
    added = shop.now
    shop.happens(ProductAdded(person="ada", product_id="tea"))
    shop.wait(hours(24))
    (mail,) = shop.outbox
    assert (mail.campaign, mail.at) == ("abandoned_cart", added + hours(2))


def test_the_segment_is_entered_to_the_millisecond(shop: Rehearsal) -> None:
    shop.knows("ada", email="ada@example.com", allows="marketing")
    shop.happens(ProductAdded(person="ada", product_id="tea"))
    shop.wait(minutes(59))
    assert shop.why("ada", Shopper.left_cart).startswith(
        "not in left_cart: since(ProductAdded) is 59 minutes, needs >= 1 hour"
    )
    shop.wait(minutes(1))
    assert shop.why("ada", Shopper.left_cart).startswith("in left_cart since 2026-01-05 10:00:00 UTC")


def test_another_product_in_the_cart_is_no_cart_left_behind(shop: Rehearsal) -> None:
    """Adding again leaves the segment, which ends the journey; the new one counts from there."""
    shop.knows("ada", email="ada@example.com", allows="marketing")
    shop.happens(ProductAdded(person="ada", product_id="tea"))
    shop.wait(minutes(90))
    shop.happens(ProductAdded(person="ada", product_id="pot"))
    assert shop.why("ada", abandoned_cart).startswith("no mail: the person left the audience, left left_cart before")
    again = shop.now
    shop.wait(hours(24))
    assert [mail.at for mail in shop.outbox] == [again + hours(2)]


def test_an_order_empties_the_cart(shop: Rehearsal) -> None:
    shop.knows("ada", email="ada@example.com", allows="marketing")
    shop.happens(ProductAdded(person="ada", product_id="tea"))
    shop.wait(minutes(30))
    shop.happens(OrderCompleted(person="ada", order_id="1", total=Money("12.00", "USD")))
    shop.wait(hours(24))
    assert shop.outbox == []


def test_what_fell_due_while_everything_was_down_is_too_late_to_be_of_use(shop: Rehearsal) -> None:
    shop.knows("ada", email="ada@example.com", allows="marketing")
    shop.happens(ProductAdded(person="ada", product_id="tea"))
    shop.wait(minutes(90))
    shop.downtime(hours(5))
    assert shop.outbox == []
    assert shop.why("ada", abandoned_cart).startswith("no mail: too late to be of use, due 270 minutes before")


def test_a_short_downtime_only_delays_the_mail(shop: Rehearsal) -> None:
    shop.knows("ada", email="ada@example.com", allows="marketing")
    shop.happens(ProductAdded(person="ada", product_id="tea"))
    shop.wait(minutes(90))
    shop.downtime(minutes(60))
    assert [mail.at for mail in shop.outbox] == [shop.now]
