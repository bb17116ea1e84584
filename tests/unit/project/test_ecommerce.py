"""The ecommerce spec is whole: Segment's names, typed fields, money with its currency."""

from livepost import Event, Profile, count, ecommerce, top, total
from livepost.project.check import check_project
from livepost.project.compiled import compile_project
from livepost.project.declarations import collect
from livepost.project.event import event_name, event_spec

SPEC = {
    "Products Searched",
    "Product List Viewed",
    "Product List Filtered",
    "Promotion Viewed",
    "Promotion Clicked",
    "Product Clicked",
    "Product Viewed",
    "Product Added",
    "Product Removed",
    "Cart Viewed",
    "Checkout Started",
    "Checkout Step Viewed",
    "Checkout Step Completed",
    "Payment Info Entered",
    "Order Updated",
    "Order Completed",
    "Order Refunded",
    "Order Cancelled",
    "Coupon Entered",
    "Coupon Applied",
    "Coupon Denied",
    "Coupon Removed",
    "Product Added to Wishlist",
    "Product Removed from Wishlist",
    "Wishlist Product Added to Cart",
    "Product Shared",
    "Cart Shared",
    "Product Reviewed",
}
SHARED = {"Product Event", "Order Event", "Coupon Event", "Checkout Step"}


def events() -> list[type[Event]]:
    return [
        value
        for value in vars(ecommerce).values()
        if isinstance(value, type) and issubclass(value, Event) and value is not Event
    ]


def test_every_event_of_the_spec_is_there_under_its_name() -> None:
    assert {event_name(event) for event in events()} - SHARED == SPEC


def test_no_field_is_required_so_that_no_sdk_is_turned_away() -> None:
    assert [field for event in events() for field in event_spec(event).fields if field.required] == []


def test_amounts_are_money_beside_their_currency() -> None:
    fields = {field.name: field for field in event_spec(ecommerce.OrderCompleted).fields}
    money = {name for name, field in fields.items() if field.type == "money"}
    assert money == {"subtotal", "total", "value", "revenue", "shipping", "tax", "discount"}
    assert fields["total"].currency_key == "currency"
    assert (fields["products"].type, fields["products"].item) == ("list", "json")


def test_what_people_write_is_personal() -> None:
    shared = {field.name: field.personal for field in event_spec(ecommerce.ProductShared).fields}
    assert shared["recipient"]
    assert shared["share_message"]
    assert not shared["product_id"]


def test_its_events_compile_and_check_without_a_problem() -> None:
    class Shopper(Profile):
        views = count(ecommerce.ProductViewed)
        spend = total(ecommerce.OrderCompleted.total)
        favourites = top(ecommerce.ProductViewed.category, k=3)

    project = collect({"Shopper": Shopper, **vars(ecommerce)})
    assert check_project(project) == []
    assert {event.name for event in compile_project(project).events} >= SPEC
