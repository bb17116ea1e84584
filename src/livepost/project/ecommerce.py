"""Segment's ecommerce spec v2 as events, ready to import: all of its events, every field optional as there.

Fields are typed as the spec says; amounts are Money in the currency that the event's `currency` names, else
in the project's. What a visitor searched, wrote to a friend or in a review, and to whom, is personal.
"""

from __future__ import annotations

from typing import TypedDict

from livepost.project.event import Event
from livepost.project.field import Personal
from livepost.project.money import Money


class Product(TypedDict, total=False):
    """One line of `products`, as it stands in the JSON; prices are plain numbers in the event's currency."""

    product_id: str
    sku: str
    category: str
    name: str
    brand: str
    variant: str
    price: float
    quantity: int
    coupon: str
    position: int
    url: str
    image_url: str


class Choice(TypedDict, total=False):
    """One filter or sorting that a visitor chose."""

    type: str
    value: str


class ProductsSearched(Event):
    """A visitor searched for products."""

    query: Personal[str] | None = None


class ProductListViewed(Event):
    """A visitor viewed a product list or category."""

    list_id: str | None = None
    category: str | None = None
    products: list[Product] | None = None


class ProductListFiltered(Event):
    """A visitor filtered or sorted a product list."""

    list_id: str | None = None
    category: str | None = None
    filters: list[Choice] | None = None
    sorts: list[Choice] | None = None
    products: list[Product] | None = None


class PromotionViewed(Event):
    """A visitor saw a promotion."""

    promotion_id: str | None = None
    creative: str | None = None
    name: str | None = None
    position: str | None = None


class PromotionClicked(Event):
    """A visitor clicked a promotion."""

    promotion_id: str | None = None
    creative: str | None = None
    name: str | None = None
    position: str | None = None


class ProductEvent(Event):
    """What every event about one product carries; not an event by itself."""

    product_id: str | None = None
    sku: str | None = None
    category: str | None = None
    name: str | None = None
    brand: str | None = None
    variant: str | None = None
    price: Money | None = None
    quantity: int | None = None
    coupon: str | None = None
    currency: str | None = None
    position: int | None = None
    value: Money | None = None
    url: str | None = None
    image_url: str | None = None


class ProductClicked(ProductEvent):
    """A visitor clicked a product in a list."""


class ProductViewed(ProductEvent):
    """A visitor viewed a product's details."""


class ProductAdded(ProductEvent):
    """A visitor put a product into the cart."""

    cart_id: str | None = None


class ProductRemoved(ProductEvent):
    """A visitor took a product out of the cart."""

    cart_id: str | None = None


class CartViewed(Event):
    """A visitor viewed the cart."""

    cart_id: str | None = None
    currency: str | None = None
    value: Money | None = None
    products: list[Product] | None = None


class OrderEvent(Event):
    """What every event about an order carries; not an event by itself."""

    order_id: str | None = None
    checkout_id: str | None = None
    affiliation: str | None = None
    subtotal: Money | None = None
    total: Money | None = None
    value: Money | None = None
    revenue: Money | None = None
    shipping: Money | None = None
    tax: Money | None = None
    discount: Money | None = None
    coupon: str | None = None
    currency: str | None = None
    products: list[Product] | None = None


class CheckoutStarted(OrderEvent):
    """A visitor began to order."""


class CheckoutStep(Event):
    """What every event about a step of the checkout carries; not an event by itself."""

    checkout_id: str | None = None
    step: int | None = None
    shipping_method: str | None = None
    payment_method: str | None = None


class CheckoutStepViewed(CheckoutStep):
    """A visitor reached a step of the checkout."""


class CheckoutStepCompleted(CheckoutStep):
    """A visitor finished a step of the checkout."""


class PaymentInfoEntered(CheckoutStep):
    """A visitor entered how to pay."""

    order_id: str | None = None


class OrderUpdated(OrderEvent):
    """An order was changed."""


class OrderCompleted(OrderEvent):
    """An order was completed."""


class OrderRefunded(OrderEvent):
    """An order was paid back, wholly or in part."""


class OrderCancelled(OrderEvent):
    """An order was cancelled."""


class CouponEvent(Event):
    """What every event about a coupon carries; not an event by itself."""

    order_id: str | None = None
    cart_id: str | None = None
    coupon_id: str | None = None
    coupon_name: str | None = None
    currency: str | None = None


class CouponEntered(CouponEvent):
    """A visitor entered a coupon."""


class CouponApplied(CouponEvent):
    """A coupon was accepted."""

    discount: Money | None = None


class CouponDenied(CouponEvent):
    """A coupon was refused."""

    coupon: str | None = None
    reason: str | None = None


class CouponRemoved(CouponEvent):
    """A coupon was taken off."""

    discount: Money | None = None


class ProductAddedToWishlist(ProductEvent, name="Product Added to Wishlist"):
    """A visitor put a product on a wishlist."""

    wishlist_id: str | None = None
    wishlist_name: Personal[str] | None = None


class ProductRemovedFromWishlist(ProductEvent, name="Product Removed from Wishlist"):
    """A visitor took a product off a wishlist."""

    wishlist_id: str | None = None
    wishlist_name: Personal[str] | None = None


class WishlistProductAddedToCart(ProductEvent, name="Wishlist Product Added to Cart"):
    """A visitor moved a product from a wishlist to the cart."""

    wishlist_id: str | None = None
    wishlist_name: Personal[str] | None = None
    cart_id: str | None = None


class ProductShared(ProductEvent):
    """A visitor shared a product with others."""

    share_via: str | None = None
    share_message: Personal[str] | None = None
    recipient: Personal[str] | None = None


class CartShared(Event):
    """A visitor shared the cart with others."""

    share_via: str | None = None
    share_message: Personal[str] | None = None
    recipient: Personal[str] | None = None
    cart_id: str | None = None
    products: list[Product] | None = None


class ProductReviewed(Event):
    """A visitor reviewed a product."""

    product_id: str | None = None
    review_id: str | None = None
    review_body: Personal[str] | None = None
    rating: str | None = None
