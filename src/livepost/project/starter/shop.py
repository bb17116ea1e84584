"""What happens in the shop, what we know about a shopper, what we send."""

from livepost import Cap, Email, Event, Identified, Money, Profile
from livepost import campaign, count, days, hours, latest, segment, since, top, total


class ProductViewed(Event):                      # Segment's "Product Viewed"
    product_id: str
    category: str | None = None

class ProductAdded(Event):
    product_id: str

class OrderCompleted(Event):
    order_id: str
    total: Money


class Shopper(Profile):
    first_name = latest(Identified.first_name)   # Personal[str]: privacy is a type and travels along
    views_7d   = count(ProductViewed, over=days(7))
    orders_7d  = count(OrderCompleted, over=days(7))
    spend_90d  = total(OrderCompleted.total, over=days(90))
    favourites = top(ProductViewed.product_id, k=3, over=days(30))

    browsing  = segment((views_7d >= 3) & (orders_7d == 0))
    left_cart = segment((since(ProductAdded) >= hours(1)) & (since(OrderCompleted) > since(ProductAdded)))
    vip       = segment(spend_90d >= 500)


@campaign(audience=Shopper.browsing, wait=hours(2), until=OrderCompleted,
          purpose="marketing", cap=Cap(2, per=days(7)), holdout=0.05)
def browse_reminder(shopper: Shopper) -> Email:
    return Email("browse_reminder", subject="Still thinking it over, {{ first_name | default: 'friend' }}?",
                 products=shopper.favourites)
