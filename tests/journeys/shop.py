"""The shop whose journeys are told in this folder: one campaign for each kind of rule."""

from livepost import (
    Cap,
    Email,
    Event,
    Identified,
    Money,
    Profile,
    Quiet,
    broadcast,
    campaign,
    count,
    days,
    hours,
    latest,
    segment,
    since,
    top,
    total,
)


class ProductViewed(Event):
    product_id: str


class ProductAdded(Event):
    product_id: str


class OrderCompleted(Event):
    order_id: str
    total: Money


class AccountOpened(Event):
    pass


class TopicFollowed(Event):
    topic: str


class ParcelSent(Event):
    parcel_id: str


class ReviewAsked(Event):
    product_id: str


class SurveyAsked(Event):
    pass


class CourseBooked(Event):
    pass


class CourseCancelled(Event):
    pass


class Shopper(Profile):
    first_name = latest(Identified.first_name)
    views_7d = count(ProductViewed, over=days(7))
    orders_7d = count(OrderCompleted, over=days(7))
    spend_90d = total(OrderCompleted.total, over=days(90))
    favourites = top(ProductViewed.product_id, k=3, over=days(30))

    browsing = segment((views_7d >= 3) & (orders_7d == 0))
    left_cart = segment((since(ProductAdded) >= hours(1)) & (since(OrderCompleted) > since(ProductAdded)))
    vip = segment(spend_90d >= 500)


@campaign(
    audience=Shopper.browsing,
    wait=hours(2),
    until=OrderCompleted,
    purpose="marketing",
    cap=Cap(2, per=days(30)),
    holdout=0.05,
)
def browse_reminder(shopper: Shopper) -> Email:
    return Email(
        "products",
        subject="Still thinking it over, {{ first_name | default: 'friend' }}?",
        products=shopper.favourites,
    )


@campaign(audience=Shopper.left_cart, wait=hours(1), until=OrderCompleted)
def abandoned_cart(shopper: Shopper) -> Email:
    return Email("words", subject="You left something behind")


@campaign(on=AccountOpened, reentry=None)
def greeting(shopper: Shopper) -> Email:
    return Email("words", subject="Welcome")


@campaign(on=TopicFollowed, where=TopicFollowed.topic == "tea", reentry=days(7), topic="letters")
def tea_letter(shopper: Shopper) -> Email:
    return Email("words", subject="All about tea")


@campaign(on=ParcelSent, purpose="orders", class_="transactional")
def parcel_on_its_way(shopper: Shopper) -> Email:
    return Email("words", subject="Your parcel is on its way")


@campaign(on=ReviewAsked)
def review_request(shopper: Shopper) -> Email:
    raise LookupError("the author's own mistake")


@campaign(on=SurveyAsked, holdout=0.5)
def survey(shopper: Shopper) -> Email:
    return Email("words", subject="Five questions")


@campaign(on=CourseBooked, wait=hours(1), until=CourseCancelled, quiet=Quiet("21:00", "08:00"))
def tea_course(shopper: Shopper) -> Email:
    return Email("words", subject="Lesson one")


@tea_course.then(wait=days(2), at="18:00")
def second_lesson(shopper: Shopper) -> Email:
    return Email("words", subject="Lesson two")


@broadcast(audience=Shopper.vip, until=OrderCompleted, over=hours(4))
def vip_evening(shopper: Shopper) -> Email:
    return Email("words", subject="An evening for you")


@broadcast(audience=Shopper.vip, at="09:00", exit=False)
def morning_letter(shopper: Shopper) -> Email:
    return Email("words", subject="Good morning")
