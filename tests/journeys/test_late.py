"""What comes late, from the future, or as history: all of it counts, and only what is fresh starts anything."""

from datetime import timedelta

import pytest
from shop import AccountOpened, OrderCompleted, ProductViewed, TopicFollowed, browse_reminder

from livepost import Money, days, hours
from livepost.testing import Rehearsal

FRESH = hours(1)
MOMENT = timedelta(milliseconds=1)
TEA, POT, CUP = "tea", "pot", "cup"


@pytest.fixture
def ada(shop: Rehearsal) -> Rehearsal:
    """Return the shop with somebody who may be mailed."""
    shop.knows("ada", email="ada@example.com", allows="marketing")
    return shop


def views(shop: Rehearsal, *products: str, ago: timedelta | None = None, imported: bool = False) -> None:
    for product in products:
        at = None if ago is None else shop.now - ago
        shop.happens(ProductViewed(person="ada", product_id=product, at=at), imported=imported)


def not_fresh(shop: Rehearsal) -> dict[str, int]:
    return shop.house.worker.status().lateness.not_fresh


@pytest.mark.parametrize(("age", "mails"), [(FRESH, 1), (FRESH + MOMENT, 0)])
def test_an_event_an_hour_old_still_starts_a_mail_and_a_millisecond_older_not(
    ada: Rehearsal, age: timedelta, mails: int
) -> None:
    ada.happens(AccountOpened(person="ada", at=ada.now - age))
    assert len(ada.outbox) == mails
    assert not_fresh(ada) == ({} if mails else {"greeting": 1})


def test_history_fills_the_window_and_the_next_live_event_enters(ada: Rehearsal) -> None:
    views(ada, TEA, POT, ago=days(2), imported=True)
    assert ada.person("ada").features["views_7d"] == 2
    views(ada, CUP)
    ada.wait(hours(2))
    assert [mail.campaign for mail in ada.outbox] == ["browse_reminder"]


def test_history_alone_enters_a_segment_and_starts_nothing(ada: Rehearsal) -> None:
    views(ada, TEA, POT, CUP, ago=days(2), imported=True)
    ada.happens(TopicFollowed(person="ada", topic="tea"), imported=True)
    assert "browsing" in ada.person("ada").segments
    ada.wait(hours(3))
    assert (ada.outbox, not_fresh(ada)) == ([], {})


def test_the_same_events_live_do_start_it(ada: Rehearsal) -> None:
    """The negative control of the test above."""
    views(ada, TEA, POT, CUP)
    ada.happens(TopicFollowed(person="ada", topic="tea"))
    ada.wait(hours(3))
    assert {mail.campaign for mail in ada.outbox} == {"browse_reminder", "tea_letter"}


def test_a_late_order_takes_nothing_back_and_is_the_reason_for_what_comes_next(ada: Rehearsal) -> None:
    views(ada, TEA, POT, CUP)
    ada.wait(hours(3))
    before = ada.house.worker.transitions(None, None, 100)
    ada.happens(OrderCompleted(person="ada", order_id="1", total=Money("9.00", "USD"), at=ada.now - days(1)))
    left, *rest = ada.house.worker.transitions(None, None, 100)
    assert rest == before
    assert (left.segment, left.entered) == ("browsing", False)
    assert left.at == ada.clock.now_ms(), "at its own stamp, not when the order happened"
    assert len(ada.outbox) == 1


def test_an_event_from_the_future_counts_from_now_and_leaves_the_window_as_if_it_were_punctual(ada: Rehearsal) -> None:
    begin = ada.now
    views(ada, TEA, POT, CUP, ago=-days(400))
    assert ada.person("ada").features["views_7d"] == 3
    (band, *others) = ada.house.worker.status().lateness.bands
    assert (band.live, sum(one.live for one in others)) == (4, 0)
    ada.wait(days(7) + hours(1))
    assert ada.person("ada").features["views_7d"] == 0
    assert [mail.at for mail in ada.outbox] == [begin + hours(2)]


@pytest.mark.parametrize(("late", "mails"), [(FRESH, 1), (FRESH + MOMENT, 0)])
def test_a_mail_due_while_the_house_was_down_is_sent_within_fresh_and_stale_behind_it(
    ada: Rehearsal, late: timedelta, mails: int
) -> None:
    views(ada, TEA, POT, CUP)
    ada.downtime(hours(2) + late)
    assert len(ada.outbox) == mails
    answer = ada.why("ada", browse_reminder)
    assert answer.startswith("sent:" if mails else "no mail: too late to be of use"), answer


def test_how_late_things_came_is_told_and_adds_up(ada: Rehearsal) -> None:
    views(ada, TEA)
    views(ada, POT, ago=hours(2))
    views(ada, CUP, ago=days(40), imported=True)
    views(ada, CUP, ago=days(31))
    lateness = ada.house.worker.status().lateness
    told = {band.up_to_ms: (band.live, band.imported) for band in lateness.bands if band.live or band.imported}
    assert told == {1_000: (2, 0), 86_400_000: (1, 0), None: (0, 1)}
    assert lateness.too_late == len(ada.dead_letters) == 1
    assert sum(map(sum, told.values())) == ada.house.fates()["processed"]
