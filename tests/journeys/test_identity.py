"""Who it is: visitors who turn out to be customers, people without an address, two people on one device."""

from shop import AccountOpened, OrderCompleted, ProductViewed, browse_reminder, greeting

from livepost import Identified, Money, hours
from livepost.testing import Rehearsal


def test_a_visitor_who_signs_in_keeps_the_history_and_gets_one_mail(shop: Rehearsal) -> None:
    shop.happens(*[ProductViewed(anonymous="browser-1", product_id=product) for product in ("tea", "pot")])
    shop.knows("ada", email="ada@example.com", allows="marketing", anonymous="browser-1")
    shop.happens(ProductViewed(person="ada", product_id="cup"))
    shop.wait(hours(2))
    assert [(mail.campaign, mail.person) for mail in shop.outbox] == [("browse_reminder", "ada")]
    assert shop.person("browser-1").features["views_7d"] == 3


def test_a_journey_that_began_before_signing_in_goes_on_and_ends_in_one_mail(shop: Rehearsal) -> None:
    shop.happens(*[ProductViewed(anonymous="browser-1", product_id=product) for product in ("tea", "pot", "cup")])
    shop.wait(hours(1))
    shop.knows("ada", email="ada@example.com", allows="marketing", anonymous="browser-1")
    shop.happens(*[ProductViewed(person="ada", product_id=product) for product in ("tea", "pot", "cup")])
    shop.wait(hours(1))
    assert len(shop.outbox) == 1
    shop.wait(hours(24))
    assert len(shop.outbox) == 1


def test_an_order_on_the_telephone_stops_the_reminder_of_the_browser(shop: Rehearsal) -> None:
    shop.knows("ada", email="ada@example.com", allows="marketing", anonymous="browser-1")
    shop.happens(*[ProductViewed(anonymous="browser-1", product_id=product) for product in ("tea", "pot", "cup")])
    shop.happens(OrderCompleted(person="ada", order_id="1", total=Money("12.00", "USD")))
    shop.wait(hours(3))
    assert shop.outbox == []


def test_two_customers_on_one_device_stay_two(shop: Rehearsal) -> None:
    shop.knows("ada", email="ada@example.com", allows="marketing", anonymous="browser-1")
    shop.knows("bob", email="bob@example.com", allows="marketing", anonymous="browser-1")
    shop.happens(AccountOpened(person="ada"), AccountOpened(person="bob"))
    assert [mail.to for mail in shop.outbox] == ["ada@example.com", "bob@example.com"]


def test_nobody_without_an_address_gets_a_mail(shop: Rehearsal) -> None:
    shop.knows("ada", allows="marketing")
    shop.happens(AccountOpened(person="ada"))
    assert shop.outbox == []
    assert shop.why("ada", greeting).startswith("no mail: no address that a secret key made sendable")


def test_an_address_that_a_browser_claims_is_written_to_by_nobody(shop: Rehearsal) -> None:
    shop.knows("ada", allows="marketing")
    shop.happens(Identified(person="ada", email="victim@example.com"), AccountOpened(person="ada"))
    assert shop.outbox == []


def test_the_newest_address_is_the_one_written_to(shop: Rehearsal) -> None:
    shop.knows("ada", email="old@example.com", allows="marketing")
    shop.knows("ada", email="new@example.com")
    shop.happens(AccountOpened(person="ada"))
    assert [mail.to for mail in shop.outbox] == ["new@example.com"]


def test_an_address_that_cannot_be_written_to_is_told_without_being_shown(shop: Rehearsal) -> None:
    shop.knows("ada", email="not an address", allows="marketing")
    shop.happens(AccountOpened(person="ada"))
    assert shop.why("ada", greeting).startswith("no mail: no address that a secret key made sendable, the address")
    assert "not an address" not in shop.why("ada", greeting)


def test_why_without_a_campaign_tells_of_all_segments_and_campaigns(shop: Rehearsal) -> None:
    shop.knows("ada", email="ada@example.com", allows="marketing")
    shop.happens(ProductViewed(person="ada", product_id="tea"))
    text = shop.why("ada")
    assert "marketing allowed" in text
    assert "  segment browsing: not in browsing: views_7d is 1, needs >= 3" in text
    assert f"  campaign {browse_reminder.name}: no mail: not in browsing" in text
    assert "ada" not in text
