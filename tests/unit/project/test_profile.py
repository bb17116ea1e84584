"""An instance of a profile shows one person as plain values of the declared types."""

from datetime import UTC, datetime, timedelta

import pytest

from livepost import (
    Email,
    Event,
    Identified,
    Money,
    Profile,
    campaign,
    count,
    days,
    distinct,
    exists,
    first,
    latest,
    maximum,
    mean,
    minimum,
    recent,
    segment,
    since,
    top,
    total,
)
from livepost.errors import ProjectError
from livepost.model.message import EmailDraft
from livepost.model.person import MembershipView, PersonView
from livepost.project.declarations import collect


class OrderCompleted(Event):
    order_id: str
    total: Money
    placed_at: datetime | None = None


class Shopper(Profile):
    first_name = latest(Identified.first_name)
    orders = count(OrderCompleted)
    spend = total(OrderCompleted.total, over=days(30))
    average = mean(OrderCompleted.total)
    largest = first(OrderCompleted.total)
    paid = recent(OrderCompleted.total, n=2)
    ids = top(OrderCompleted.order_id, k=2)
    quiet = since(OrderCompleted)
    placed = latest(OrderCompleted.placed_at)
    dearest = maximum(OrderCompleted.total)
    soonest = minimum(OrderCompleted.placed_at)
    bought = exists(OrderCompleted, over=days(30))
    kinds = distinct(OrderCompleted.order_id)
    many = distinct(OrderCompleted.order_id, cap=5)
    vip = segment(spend >= 500)


@campaign(audience=Shopper.vip)
def thanks(shopper: Shopper) -> Email:
    return Email("thanks", subject="Thank you, {{ first_name }}", spend=shopper.spend, ids=shopper.ids, orders=7)


@campaign(audience=Shopper.vip)
def nothing(shopper: Shopper) -> Email:
    return None  # type: ignore[return-value]


PROJECT = collect(globals())
VIEW = PersonView(
    person=b"p" * 16,
    subjects=(),
    position=1,
    as_of=0,
    features={
        "orders": 3,
        "spend": [49990, "EUR"],
        "average": 1666.5,
        "largest": [100, "EUR"],
        "paid": [[100, "EUR"], [250, "EUR"]],
        "ids": ["a", "b"],
        "quiet": 3_600_000,
        "placed": 1_000,
        "dearest": [4990, "EUR"],
        "soonest": 2_000,
        "bought": True,
        "kinds": 3,
        "many": None,
    },
    sealed={},
    memberships=(MembershipView(segment="vip", inside=True, since=1, number=1),),
    journeys=(),
    consents={},
    next_due=None,
)


def test_what_is_unknown_is_none_and_what_never_was_is_none_nought_or_false() -> None:
    ada, nobody = Shopper.from_view(VIEW, {}, currency="EUR"), Shopper.never()
    assert (ada.dearest, ada.soonest) == (Money("49.90", "EUR"), datetime(1970, 1, 1, 0, 0, 2, tzinfo=UTC))
    assert (ada.bought, ada.kinds, ada.many) == (True, 3, None)
    assert (nobody.dearest, nobody.soonest, nobody.bought, nobody.kinds, nobody.many) == (None, None, False, 0, 0)


def test_features_and_segments_read_as_plain_values() -> None:
    ada = Shopper.from_view(VIEW, {"first_name": "Ada"}, currency="EUR")
    assert ada.first_name == "Ada"
    assert ada.orders == 3
    assert ada.spend == Money("499.90", "EUR")
    assert ada.average == Money("16.66", "EUR")
    assert ada.largest == Money(1, "EUR")
    assert ada.paid == [Money(1, "EUR"), Money("2.50", "EUR")]
    assert ada.ids == ["a", "b"]
    assert ada.quiet == timedelta(hours=1)
    assert ada.placed == datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)
    assert ada.vip is True


def test_never_is_none_nothing_or_empty() -> None:
    nobody = Shopper.never()
    assert nobody.first_name is None
    assert nobody.orders == 0
    assert nobody.spend == 0
    assert nobody.average is None
    assert nobody.paid == []
    assert nobody.ids == []
    assert nobody.quiet is None
    assert nobody.placed is None
    assert nobody.vip is False


def test_on_the_class_they_are_what_was_declared() -> None:
    assert repr(Shopper.spend) == "total(OrderCompleted.total, over=days(30))"
    assert Shopper.vip.name == "vip"


def test_a_draft_knows_every_feature_and_what_the_author_gave_wins() -> None:
    draft = PROJECT.draft("thanks", VIEW, {"first_name": "Ada"}, currency="EUR")
    assert draft == EmailDraft(
        template="thanks",
        subject="Thank you, {{ first_name }}",
        variables={
            "first_name": "Ada",
            "orders": 7,
            "spend": [49990, "EUR"],
            "average": [1666, "EUR"],
            "largest": [100, "EUR"],
            "paid": [[100, "EUR"], [250, "EUR"]],
            "ids": ["a", "b"],
            "quiet": 3_600_000,
            "placed": datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC),
            "dearest": [4990, "EUR"],
            "soonest": datetime(1970, 1, 1, 0, 0, 2, tzinfo=UTC),
            "bought": True,
            "kinds": 3,
            "many": None,
        },
    )


def test_a_draft_of_a_campaign_that_is_not_there_is_refused() -> None:
    with pytest.raises(ProjectError, match=r"\(thanks, nothing\), got thank"):
        PROJECT.draft("thank", VIEW, {})


def test_a_function_must_return_an_email() -> None:
    with pytest.raises(ProjectError, match="expected nothing to return an Email, got NoneType"):
        PROJECT.draft("nothing", VIEW, {})


def test_a_campaign_stays_a_function() -> None:
    assert thanks(Shopper.never()).template == "thanks"
    assert thanks.name == "thanks"
