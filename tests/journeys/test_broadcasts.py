"""Broadcasts: to whoever is in the audience when it is told to, and to nobody who comes in later."""

from datetime import UTC, datetime

import pytest
from shop import OrderCompleted, morning_letter, survey, vip_evening

from livepost import Money, days, hours
from livepost.errors import ProjectError
from livepost.testing import Rehearsal


def a_vip(shop: Rehearsal, name: str, *, zone: str | None = None, allows: str | None = "marketing") -> None:
    shop.knows(name, email=f"{name}@example.com", allows=allows, zone=zone)
    shop.happens(OrderCompleted(person=name, order_id=f"of {name}", total=Money("600.00", "USD")))


def got(shop: Rehearsal) -> list[tuple[str, str]]:
    return sorted((mail.person, mail.subject) for mail in shop.outbox)


def test_whoever_is_in_the_audience_gets_it_once_and_again_when_it_is_told_again(shop: Rehearsal) -> None:
    for name in ("ada", "bob"):
        a_vip(shop, name)
    shop.knows("cy", email="cy@example.com", allows="marketing")
    shop.wait(hours(1))
    assert got(shop) == []
    shop.broadcast(morning_letter)
    a_vip(shop, "dan")
    shop.wait(days(2))
    assert got(shop) == [("ada", "Good morning"), ("bob", "Good morning")]
    shop.broadcast(morning_letter)
    shop.wait(days(2))
    assert [person for person, _ in got(shop)] == ["ada", "ada", "bob", "bob", "dan"]


def test_the_reasons_name_the_broadcast(shop: Rehearsal) -> None:
    a_vip(shop, "ada")
    a_vip(shop, "bob", allows=None)
    assert "it was not broadcast since then" in shop.why("ada", morning_letter)
    shop.wait(hours(1))
    shop.broadcast(morning_letter)
    assert shop.why("ada", morning_letter).startswith("not yet: broadcast to Shopper.vip 2026-01-05 10:00:00 UTC")
    shop.wait(days(2))
    assert shop.why("ada", morning_letter).startswith("sent: broadcast to Shopper.vip")
    assert shop.why("bob", morning_letter).startswith("no mail: no consent for this purpose")


def test_it_waits_for_the_morning_where_each_person_is(shop: Rehearsal) -> None:
    a_vip(shop, "ada", zone="Asia/Tokyo")
    a_vip(shop, "bob", zone="America/New_York")
    shop.wait(hours(2))
    shop.broadcast(morning_letter)
    shop.wait(days(2))
    at = {mail.person: mail.at for mail in shop.outbox}
    assert at == {"ada": datetime(2026, 1, 6, 0, tzinfo=UTC), "bob": datetime(2026, 1, 5, 14, tzinfo=UTC)}


def test_its_mails_are_spread_and_an_order_meanwhile_keeps_the_rest_back(shop: Rehearsal) -> None:
    names = [f"vip{number}" for number in range(20)]
    for name in names:
        a_vip(shop, name)
    shop.broadcast(vip_evening)
    shop.wait(hours(1))
    early = {mail.person for mail in shop.outbox}
    assert len(early) < 5  # of evenly spread ones a quarter; a sixteenth is expected
    late = next(name for name in names if name not in early)
    shop.happens(OrderCompleted(person=late, order_id="another", total=Money("1.00", "USD")))
    shop.wait(hours(3))
    assert {mail.person for mail in shop.outbox} == {*names} - {late}
    assert len({mail.at for mail in shop.outbox}) == len(names) - 1
    assert shop.why(late, vip_evening).startswith("no mail: what the campaign was waiting for happened")


def test_only_a_broadcast_is_broadcast(shop: Rehearsal) -> None:
    with pytest.raises(ProjectError, match="expected a campaign made by @broadcast, got survey"):
        shop.broadcast(survey)
