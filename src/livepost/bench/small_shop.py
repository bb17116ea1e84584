"""The project that whole-house benchmarks run: the demo shop's events, and a campaign that mails at once.

`house.py` writes this page as the `shop.py` of a project of its own.
"""

from __future__ import annotations

from livepost import Email, Event, Identified, Money, Profile, campaign, count, days, hours, latest, segment, top, total


class ProductViewed(Event):
    """Segment's "Product Viewed"."""

    product_id: str
    name: str | None = None
    category: str | None = None


class ProductAdded(Event):
    """Segment's "Product Added"."""

    product_id: str
    name: str | None = None
    category: str | None = None


class OrderCompleted(Event):
    """Segment's "Order Completed"."""

    order_id: str
    total: Money
    category: str | None = None


class Shopper(Profile):
    """What is known about a shopper."""

    first_name = latest(Identified.first_name)
    orders = count(OrderCompleted)
    views_1h = count(ProductViewed, over=hours(1))
    views_7d = count(ProductViewed, over=days(7))
    adds_24h = count(ProductAdded, over=hours(24))
    spend_90d = total(OrderCompleted.total, over=days(90))
    looked_at = top(ProductViewed.name, k=3, over=days(30))

    keen = segment(views_1h >= 5)
    browsing = segment((views_7d >= 3) & (orders == 0))
    filling = segment(adds_24h >= 2)
    vip = segment(spend_90d >= 500)


@campaign(on=OrderCompleted, purpose="marketing")
def thanks(shopper: Shopper) -> Email:
    """Say thank you for an order, at once."""
    return Email(
        "thanks",
        subject="Thank you, {{ first_name | default: 'friend' }}",
        preheader="What you looked at is still on the shelf",
        products=shopper.looked_at,
    )
