"""What becomes of every event: folded once, kept aside with the reason, and never lost."""

from shop import OrderCompleted, ProductViewed

from livepost import Event, Money, days, hours
from livepost.testing import Rehearsal


class ShopClosed(Event):
    """An event that the shop's page does not declare."""

    reason: str


def test_an_event_told_twice_counts_once(shop: Rehearsal) -> None:
    look = ProductViewed(person="ada", product_id="tea", message_id="look-1")
    shop.happens(look, look, look)
    assert shop.person("ada").features["views_7d"] == 1
    assert shop.house.fates()["duplicate"] == 2


def test_an_id_that_comes_again_with_other_content_goes_to_the_dead_letters(shop: Rehearsal) -> None:
    shop.happens(ProductViewed(person="ada", product_id="tea", message_id="look-1"))
    shop.happens(ProductViewed(person="ada", product_id="pot", message_id="look-1"))
    assert shop.person("ada").features["views_7d"] == 1
    (reason,) = shop.dead_letters
    assert reason.startswith("id conflict")


def test_an_event_older_than_thirty_days_goes_to_the_dead_letters_unless_imported(shop: Rehearsal) -> None:
    order = OrderCompleted(person="ada", order_id="1", total=Money("20.00", "USD"), at=shop.now - days(31))
    shop.happens(order)
    assert shop.dead_letters == ["late: happened over 30 days before it came; load it as an import"]
    shop.happens(order, imported=True)
    assert shop.person("ada").features["spend_90d"] == Money("20.00", "USD")


def test_an_event_from_the_future_moves_nothing(shop: Rehearsal) -> None:
    shop.knows("ada", email="ada@example.com", allows="marketing")
    looks = [ProductViewed(person="ada", product_id=p, at=shop.now + days(3_650)) for p in ("tea", "pot", "cup")]
    shop.happens(*looks)
    start = shop.now
    shop.wait(hours(2))
    assert [mail.at for mail in shop.outbox] == [start + hours(2)]


def test_an_event_that_nobody_declared_is_taken_and_moves_nothing(shop: Rehearsal) -> None:
    shop.happens(ShopClosed(person="ada", reason="holidays"))
    assert shop.dead_letters == []
    assert shop.person("ada").segments == frozenset()


def test_two_identical_rehearsals_give_identical_decisions_and_mails() -> None:
    assert told() == told()


def test_a_rehearsal_that_differs_in_one_event_gives_other_decisions() -> None:
    """The negative control of the test above."""
    assert told(person="bob") != told()


def told(person: str = "ada") -> list[object]:
    with Rehearsal() as shop:
        if person != "ada":
            shop.knows("somebody-before")
        shop.knows(person, email="ada@example.com", allows="marketing")
        shop.happens(*[ProductViewed(person=person, product_id=product) for product in ("tea", "pot", "cup")])
        shop.wait(hours(2))
        ids = [(one.decision.id, one.decision.cause, one.decision.position) for one in shop.house.ledger.deliveries()]
        return [*ids, *[(mail.subject, mail.headers["Message-ID"]) for mail in shop.outbox]]
