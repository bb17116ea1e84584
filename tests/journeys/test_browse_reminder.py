"""Three looks and no order: the mail of the first page, and everything that stops it."""

from shop import OrderCompleted, ProductViewed, Shopper, browse_reminder

from livepost import Money, days, hours, minutes
from livepost.testing import Rehearsal

REMINDER = "Still thinking it over, friend?"


def looks(shop: Rehearsal, person: str = "ada") -> None:
    shop.happens(*[ProductViewed(person=person, product_id=product) for product in ("tea", "pot", "cup")])


def test_three_looks_and_no_order_bring_one_reminder_after_two_hours(shop: Rehearsal) -> None:
    shop.knows("ada", email="ada@example.com", allows="marketing")
    looks(shop)
    assert shop.why("ada", browse_reminder).startswith(
        "not yet: entered Shopper.browsing 2026-01-05 09:00:00 UTC, due "
    )
    shop.wait(hours(2))
    assert [mail.campaign for mail in shop.outbox] == ["browse_reminder"]
    assert shop.why("ada", browse_reminder).startswith("sent: entered Shopper.browsing")
    shop.wait(days(6))
    assert len(shop.outbox) == 1


def test_a_mail_leaves_at_its_own_time_however_far_the_clock_is_moved(shop: Rehearsal) -> None:
    shop.knows("ada", email="ada@example.com", allows="marketing")
    looks(shop)
    start = shop.now
    shop.wait(days(3))
    (mail,) = shop.outbox
    assert mail.at == start + hours(2)
    assert shop.now == start + days(3)


def test_a_mail_carries_the_name_and_the_favourites_and_the_way_out(shop: Rehearsal) -> None:
    shop.knows("ada", email="ada@example.com", allows="marketing", first_name="Ada")
    shop.happens(ProductViewed(person="ada", product_id="tea"))
    looks(shop)
    shop.wait(hours(2))
    (mail,) = shop.outbox
    assert (mail.subject, mail.to, mail.person) == ("Still thinking it over, Ada?", "ada@example.com", "ada")
    assert "tea cup pot" in mail.text and "tea cup pot" in mail.html
    assert mail.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_two_looks_bring_nothing_and_why_says_what_is_missing(shop: Rehearsal) -> None:
    shop.knows("ada", email="ada@example.com", allows="marketing")
    shop.happens(*[ProductViewed(person="ada", product_id=product) for product in ("tea", "pot")])
    shop.wait(hours(2))
    assert shop.outbox == []
    assert shop.why("ada", browse_reminder).startswith("no mail: not in browsing: views_7d is 2, needs >= 3")
    assert shop.why("ada", Shopper.browsing).startswith("not in browsing: views_7d is 2, needs >= 3")


def test_an_order_in_time_stops_the_reminder(shop: Rehearsal) -> None:
    shop.knows("ada", email="ada@example.com", allows="marketing")
    looks(shop)
    shop.wait(hours(1))
    shop.happens(OrderCompleted(person="ada", order_id="1", total=Money("12.00", "USD")))
    shop.wait(hours(3))
    assert shop.outbox == []
    assert shop.why("ada", browse_reminder).startswith(
        "no mail: what the campaign was waiting for happened, Order Completed came first; entered Shopper.browsing"
    )


def test_an_order_after_the_mail_cannot_take_it_back_and_why_says_so(shop: Rehearsal) -> None:
    shop.knows("ada", email="ada@example.com", allows="marketing")
    looks(shop)
    shop.wait(hours(2))
    shop.happens(OrderCompleted(person="ada", order_id="1", total=Money("12.00", "USD")))
    assert len(shop.outbox) == 1
    assert "Order Completed came first, too late to stop it" in shop.why("ada", browse_reminder)


def test_looks_that_grow_old_leave_the_segment_by_time_alone(shop: Rehearsal) -> None:
    shop.knows("ada", email="ada@example.com", allows="marketing")
    looks(shop)
    assert shop.person("ada").segments == {"browsing"}
    assert shop.why("ada", Shopper.browsing).startswith(
        "in browsing since 2026-01-05 09:00:00 UTC: views_7d is 3, orders_7d is 0"
    )
    shop.wait(days(7) + hours(1))
    assert shop.person("ada").segments == frozenset()
    assert shop.why("ada", Shopper.browsing).startswith("not in browsing since 2026-01-12 10:00:00 UTC: views_7d is 0")


def test_looks_of_the_past_bring_the_reminder_no_later_than_looks_of_now(shop: Rehearsal) -> None:
    """Late looks fold where they belong; the journey starts when the house hears of the third."""
    shop.knows("ada", email="ada@example.com", allows="marketing")
    early = shop.now
    shop.wait(minutes(30))
    shop.happens(*[ProductViewed(person="ada", product_id=p, at=early) for p in ("tea", "pot", "cup")])
    shop.wait(hours(2))
    assert [mail.at for mail in shop.outbox] == [early + minutes(30) + hours(2)]


def test_looks_that_come_too_late_count_but_start_nothing(shop: Rehearsal) -> None:
    shop.knows("ada", email="ada@example.com", allows="marketing")
    early = shop.now
    shop.wait(hours(5))
    shop.happens(*[ProductViewed(person="ada", product_id=p, at=early) for p in ("tea", "pot", "cup")])
    shop.wait(hours(5))
    assert shop.outbox == []
    assert shop.person("ada").features["views_7d"] == 3
    assert "starts nothing" in shop.why("ada", browse_reminder)


def test_imported_looks_count_but_start_nothing(shop: Rehearsal) -> None:
    shop.knows("ada", email="ada@example.com", allows="marketing")
    shop.happens(*[ProductViewed(person="ada", product_id=p) for p in ("tea", "pot", "cup")], imported=True)
    shop.wait(hours(5))
    assert shop.outbox == []
    assert shop.person("ada").segments == {"browsing"}


def test_the_cap_holds_over_three_entries(shop: Rehearsal) -> None:
    shop.knows("ada", email="ada@example.com", allows="marketing")
    for _ in range(3):
        looks(shop)
        shop.wait(days(8))
    assert len(shop.outbox) == 2
    assert shop.why("ada", browse_reminder).startswith("no mail: the cap is reached, 2 of 2 in 30 days")


def test_after_the_caps_time_there_is_a_mail_again(shop: Rehearsal) -> None:
    shop.knows("ada", email="ada@example.com", allows="marketing")
    for _ in range(5):
        looks(shop)
        shop.wait(days(8))
    assert len(shop.outbox) == 3
