"""A shop with tills: a loyalty card is a key of a person, and so is the number in the till's own books."""

from livepost import Event, Identified, Key, Money, Profile, count, latest, total


class Customer(Identified):
    loyalty_card: Key[str] | None = None
    till_number: Key[int] | None = None


class BoughtAtTheTill(Event):
    loyalty_card: Key[str] | None = None
    total: Money


class ProductViewed(Event):
    product_id: str


class Shopper(Profile):
    card = latest(Customer.loyalty_card)
    spent = total(BoughtAtTheTill.total)
    views = count(ProductViewed)
