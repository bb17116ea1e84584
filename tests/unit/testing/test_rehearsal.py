"""A rehearsal in an author's words: what each word does, and what is refused with a sentence."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

import livepost.project.starter
from livepost import Event, Identified, Money, days, hours
from livepost.errors import ProjectError
from livepost.model.record import Record
from livepost.runtime.author.project import import_shop
from livepost.testing import Rehearsal

STARTER = Path(livepost.project.starter.__path__[0])
page = import_shop(STARTER)


def test_a_rehearsal_begins_on_a_monday_morning_and_its_clock_moves_when_told() -> None:
    with Rehearsal(STARTER) as shop:
        assert shop.now == datetime(2026, 1, 5, 9, tzinfo=UTC)
        shop.wait(days(1) + hours(1))
        assert shop.now == datetime(2026, 1, 6, 10, tzinfo=UTC)


def test_a_person_has_features_in_the_authors_types_with_the_personal_ones_opened() -> None:
    with Rehearsal(STARTER) as shop:
        shop.knows("ada", email="ada@example.com", first_name="Ada", allows=["marketing", "orders"])
        shop.happens(page.OrderCompleted(person="ada", order_id="1", total=Money("500", "USD")))
        ada = shop.person("ada")
    assert ada.features["first_name"] == "Ada"
    assert ada.features["spend_90d"] == Money("500.00", "USD")
    assert ada.features["favourites"] == []
    assert (ada.segments, ada.consents) == ({"vip"}, {"marketing": True, "orders": True})


def test_what_was_told_later_at_the_same_moment_counts() -> None:
    with Rehearsal(STARTER) as shop:
        for name in ("Ada", "Ada Augusta", "Countess"):
            shop.knows("ada", first_name=name)
        assert shop.person("ada").features["first_name"] == "Countess"


def test_an_identify_from_a_browser_tells_a_name_too() -> None:
    with Rehearsal(STARTER) as shop:
        shop.happens(Identified(anonymous="browser-1", first_name="Ada"))
        assert shop.person("browser-1").features["first_name"] == "Ada"


def test_events_happen_at_their_own_time() -> None:
    with Rehearsal(STARTER) as shop:
        shop.happens(page.ProductViewed(person="ada", product_id="tea", at=shop.now - days(8)))
        assert shop.person("ada").features["views_7d"] == 0


def test_an_event_of_nobody_is_refused() -> None:
    with Rehearsal(STARTER) as shop, pytest.raises(ProjectError, match=r'write ProductViewed\(person="ada", \.\.\.\)'):
        shop.happens(page.ProductViewed(product_id="tea"))


def test_somebody_never_seen_is_refused_by_name() -> None:
    with Rehearsal(STARTER) as shop:
        shop.knows("ada")
        for ask in (shop.person, shop.why, lambda name: shop.withdraw(name, "marketing")):
            with pytest.raises(ProjectError, match="got 'adda'; is it the userId"):
                ask("adda")


def test_an_unknown_campaign_is_refused_with_those_there_are() -> None:
    with Rehearsal(STARTER) as shop:
        shop.knows("ada")
        with pytest.raises(ProjectError, match="browse_reminder, browsing, left_cart, vip"):
            shop.why("ada", "browse_remainder")


def test_a_mail_shows_what_tells_it_apart() -> None:
    with Rehearsal(STARTER) as shop:
        shop.knows("ada", email="ada@example.com", allows="marketing")
        shop.happens(*[page.ProductViewed(person="ada", product_id=product) for product in "abc"])
        shop.wait(hours(2))
        assert repr(shop.outbox) == "[<mail 'browse_reminder' to 'ada' at 2026-01-05 11:00:00>]"
        assert shop.outbox == shop.outbox


def test_a_dead_letter_is_told_with_its_reason() -> None:
    class ProductViewed(Event):
        product_id: int

    with Rehearsal(STARTER) as shop:
        shop.happens(ProductViewed(person="ada", product_id=3))
        (reason,) = shop.dead_letters
    assert reason.startswith("expected field `product_id` in `Product Viewed` to be a string, got a number")


def test_a_folder_without_a_project_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"expected shop\.py in"):
        Rehearsal(tmp_path)


def test_the_settings_of_the_environment_do_not_change_a_rehearsal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVEPOST_CURRENCY", "JPY")
    with Rehearsal(STARTER) as shop:
        shop.happens(page.OrderCompleted(person="ada", order_id="1", total=Money("12.50")))
        assert shop.person("ada").features["spend_90d"] == Money("12.50", "USD")


def test_an_event_that_vanished_fails_the_test_at_its_end() -> None:
    """The negative control of conservation: one record more in the log than the house was handed."""
    shop = Rehearsal(STARTER)
    shop.knows("ada")
    shop.house.log.append([Record(message_id="smuggled", subject=b"s" * 16)])
    with pytest.raises(AssertionError, match="1 events were accepted, but these are accounted for"):
        shop.close()
