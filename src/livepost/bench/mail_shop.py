"""The project that `mails` runs: a letter that is broadcast to everybody, and a receipt for each order; views besides.

`house.py` writes this page as the `shop.py` of a project of its own.
"""

from __future__ import annotations

from livepost import Email, Event, Identified, Money, Profile, broadcast, campaign, count, days, latest, segment


class ProductViewed(Event):
    """Segment's "Product Viewed"."""

    product_id: str
    price: Money


class OrderCompleted(Event):
    """Segment's "Order Completed"."""

    order_id: str
    total: Money


class Shopper(Profile):
    """What is known about a shopper."""

    first_name = latest(Identified.first_name)
    orders = count(OrderCompleted)
    views_7d = count(ProductViewed, over=days(7))

    browsing = segment(views_7d >= 3)
    everybody = segment(orders >= 0)


@broadcast(audience=Shopper.everybody)
def letter(shopper: Shopper) -> Email:
    """Write to everybody."""
    return Email("thanks", subject="News for {{ first_name | default: 'you' }}", products=["Tea", "Bread", "Soap"])


@campaign(on=OrderCompleted, purpose="orders", class_="transactional")
def receipt(shopper: Shopper) -> Email:
    """Send the receipt of an order."""
    return Email("thanks", subject="Your order, {{ first_name | default: 'friend' }}", products=["Tea"])
