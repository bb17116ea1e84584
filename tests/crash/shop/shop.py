"""A small shop whose three campaigns begin in three ways: by an event, by a segment and a wait, by time alone."""

from livepost import (
    Cap,
    Email,
    Event,
    Identified,
    Money,
    Profile,
    campaign,
    count,
    hours,
    latest,
    seconds,
    segment,
    since,
    top,
    total,
)


class ProductViewed(Event):
    product_id: str


class OrderCompleted(Event):
    order_id: str
    total: Money


class Shopper(Profile):
    first_name = latest(Identified.first_name)
    views = count(ProductViewed)
    looked_at = top(ProductViewed.product_id, k=3)
    views_1h = count(ProductViewed, over=hours(1))
    orders = count(OrderCompleted)
    spend_1h = total(OrderCompleted.total, over=hours(1))

    browsing = segment((views_1h >= 3) & (orders == 0))
    gone = segment((since(ProductViewed) >= seconds(3)) & (since(OrderCompleted) > since(ProductViewed)))


@campaign(audience=Shopper.browsing, wait=seconds(1), until=OrderCompleted, purpose="marketing")
def reminder(shopper: Shopper) -> Email:
    return Email("note", subject="Still looking, {{ first_name }}?")


@campaign(audience=Shopper.gone, purpose="marketing", cap=Cap(1, per=hours(1)))
def come_back(shopper: Shopper) -> Email:
    return Email("note", subject="Come back, {{ first_name }}")


@campaign(on=OrderCompleted, purpose="orders", class_="transactional")
def receipt(shopper: Shopper) -> Email:
    return Email("note", subject="Your order, {{ first_name }}")
