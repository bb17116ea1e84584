"""The project that benchmarks run: 20 features (14 of them windowed), 10 segments, 2 campaigns.

The mix is that of a shop that sends browse, cart and win-back mails: counts and sums over 1 h to 90 d, a mean, three
`since`, one each of latest, recent and top.
"""

from __future__ import annotations

from livepost import (
    Cap,
    Email,
    Event,
    Money,
    Profile,
    campaign,
    count,
    days,
    hours,
    latest,
    mean,
    recent,
    segment,
    since,
    top,
    total,
)


class ProductViewed(Event):
    """Segment's "Product Viewed"."""

    product_id: str
    category: str


class ProductsSearched(Event):
    """Segment's "Products Searched"."""

    query_words: int


class ProductAdded(Event):
    """Segment's "Product Added"."""

    product_id: str


class OrderCompleted(Event):
    """Segment's "Order Completed"."""

    order_id: str
    total: Money


class Shopper(Profile):
    """What is known about a shopper."""

    views_1h = count(ProductViewed, over=hours(1))
    views_24h = count(ProductViewed, over=hours(24))
    views_7d = count(ProductViewed, over=days(7))
    views_30d = count(ProductViewed, over=days(30))
    searches_7d = count(ProductsSearched, over=days(7))
    adds_24h = count(ProductAdded, over=hours(24))
    adds_7d = count(ProductAdded, over=days(7))
    orders_7d = count(OrderCompleted, over=days(7))
    orders_30d = count(OrderCompleted, over=days(30))
    orders_90d = count(OrderCompleted, over=days(90))
    spend_30d = total(OrderCompleted.total, over=days(30))
    spend_90d = total(OrderCompleted.total, over=days(90))
    basket_90d = mean(OrderCompleted.total, over=days(90))
    favourites = top(ProductViewed.product_id, k=3, over=days(30))
    orders = count(OrderCompleted)
    last_add = since(ProductAdded)
    last_order = since(OrderCompleted)
    last_view = since(ProductViewed)
    category = latest(ProductViewed.category)
    looked_at = recent(ProductViewed.product_id, n=5)

    browsing = segment((views_7d >= 5) & (orders_7d == 0))
    keen = segment(views_1h >= 5)
    looking = segment((views_24h >= 4) | (searches_7d >= 3))
    left_cart = segment((last_add >= hours(1)) & (last_order > last_add))
    undecided = segment((adds_7d >= 2) & (orders_7d == 0))
    buyer = segment(orders_30d >= 1)
    vip = segment(spend_90d >= 500)
    big_baskets = segment((basket_90d >= 80) & (orders_90d >= 2))
    falling_asleep = segment((last_view >= days(14)) & (orders >= 1))
    fan = segment((views_30d >= 10) & (spend_30d >= 100) & (adds_24h >= 1))


@campaign(
    audience=Shopper.browsing,
    wait=hours(2),
    until=OrderCompleted,
    purpose="marketing",
    cap=Cap(2, per=days(7)),
    holdout=0.05,
)
def browse_reminder(shopper: Shopper) -> Email:
    """Remind of what was looked at."""
    return Email("browse_reminder", subject="Still thinking it over?", products=shopper.favourites)


@campaign(audience=Shopper.left_cart, until=OrderCompleted, purpose="marketing", cap=Cap(1, per=days(3)))
def cart_reminder(shopper: Shopper) -> Email:
    """Remind of a cart that was left."""
    return Email("cart_reminder", subject="You left something", products=shopper.looked_at)
