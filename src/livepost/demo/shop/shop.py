"""What happens in the demo shop, what we know about a shopper, what we send."""

from typing import Any

from livepost import Cap, Email, Event, Identified, Money, Profile
from livepost import broadcast, campaign, count, days, hours, latest, recent, segment, since, top, total


class ProductViewed(Event):
    product_id: str
    name: str | None = None
    category: str | None = None


class ProductAdded(Event):
    product_id: str
    name: str | None = None
    category: str | None = None


class OrderCompleted(Event):
    order_id: str
    total: Money
    category: str | None = None  # of what cost most
    products: list[dict[str, Any]] | None = None


class Shopper(Profile):
    first_name = latest(Identified.first_name)
    orders = count(OrderCompleted)
    orders_7d = count(OrderCompleted, over=days(7))
    views_7d = count(ProductViewed, over=days(7))
    spend_90d = total(OrderCompleted.total, over=days(90))
    looked_at = top(ProductViewed.name, k=3, over=days(30))
    cart = recent(ProductAdded.name, n=3, over=days(7))
    last_category = latest(OrderCompleted.category)
    favourite_categories = top(OrderCompleted.category, k=3)

    customers = segment(orders >= 1)
    new = segment(orders == 1)
    browsing = segment((views_7d >= 3) & (orders_7d == 0))
    left_cart = segment((since(ProductAdded) >= hours(6)) & (since(OrderCompleted) > since(ProductAdded)))
    silent = segment(since(OrderCompleted) >= days(21))
    vip = segment(spend_90d >= 500)


@campaign(audience=Shopper.new, wait=hours(1), exit=False, reentry=None, purpose="marketing")
def welcome(shopper: Shopper) -> Email:
    return Email(
        "welcome",
        subject="Welcome to the corner shop, {{ first_name | default: 'friend' }}",
        preheader="What your first order tells us, and what it does not",
        category=shopper.last_category,
    )


@campaign(
    audience=Shopper.browsing,
    wait=hours(2),
    until=OrderCompleted,
    purpose="marketing",
    topic="reminders",
    cap=Cap(2, per=days(7)),
    holdout=0.05,
)
def browse_reminder(shopper: Shopper) -> Email:
    return Email(
        "browse_reminder",
        subject="Still thinking it over, {{ first_name | default: 'friend' }}?",
        preheader="What you looked at is still on the shelf",
        products=shopper.looked_at,
    )


@campaign(
    audience=Shopper.left_cart,
    wait=hours(1),
    until=OrderCompleted,
    purpose="marketing",
    topic="reminders",
    cap=Cap(1, per=days(3)),
)
def abandoned_cart(shopper: Shopper) -> Email:
    return Email(
        "abandoned_cart",
        subject="Your basket is waiting, {{ first_name | default: 'friend' }}",
        preheader="We kept it as you left it",
        products=shopper.cart,
    )


@campaign(audience=Shopper.silent, exit=False, purpose="marketing")
def win_back(shopper: Shopper) -> Email:
    return Email(
        "win_back",
        subject="It has been three weeks, {{ first_name | default: 'friend' }}",
        preheader="Your favourite shelves have missed you",
        categories=shopper.favourite_categories,
    )


@campaign(
    on=OrderCompleted,
    where=OrderCompleted.total >= 60,
    purpose="marketing",
    cap=Cap(1, per=days(30)),
)
def favourites(shopper: Shopper) -> Email:
    return Email(
        "favourites",
        subject="{{ categories[0] | default: 'Your favourites' }}: picked for you",
        preheader="What you buy most, in one place",
        categories=shopper.favourite_categories,
    )


@broadcast(audience=Shopper.customers, over=hours(2), purpose="marketing", topic="letters")
def shop_letter(shopper: Shopper) -> Email:
    return Email(
        "shop_letter",
        subject="A letter from the shop, {{ first_name | default: 'friend' }}",
        preheader="The shelves were filled this morning",
        category=shopper.last_category,
    )
