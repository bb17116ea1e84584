from livepost import hours
from livepost.testing import Rehearsal
from shop import ProductViewed, browse_reminder


def test_three_looks_and_no_order_bring_one_reminder_after_two_hours(shop: Rehearsal) -> None:
    shop.knows("ada", email="ada@example.com", allows="marketing")
    shop.happens(*[ProductViewed(person="ada", product_id=p) for p in "abc"])
    shop.wait(hours(2))
    assert [mail.template for mail in shop.outbox] == ["browse_reminder"]
    assert shop.why("ada", browse_reminder).startswith("sent: entered Shopper.browsing")
