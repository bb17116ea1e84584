"""`measure` over a house at rest: the funnel with its losses, what mails earned, what a campaign changed."""

from __future__ import annotations

from contextlib import closing

from livepost.model.earning import Hit, Measured, Order
from tests.unit.cli.conftest import Command
from tests.unit.runtime.still import StillHouse


def _click_and_order(house: StillHouse) -> None:
    with closing(house.folder.ledger()) as ledger:
        [mail] = ledger.deliveries()
        at = mail.changed_at + 10
        hits = [
            Hit(id=b"\x01" * 16, decision=mail.decision.id, kind="clicked", at=at),
            Hit(id=b"\x02" * 16, decision=mail.decision.id, kind="machine_opened", at=at),
        ]
        order = Order(id=b"\x03" * 16, event=b"\x04" * 16, subject=mail.person, at=at + 1, amount=4_990, currency="EUR")
        ledger.measure(Measured(upto=100, hits=hits, orders=[order]))


def test_a_campaign_is_told_from_who_was_decided_on_to_what_was_earned(livepost: Command, house: StillHouse) -> None:
    _click_and_order(house)
    told = livepost("measure", "browse_reminder")
    lines = [line.split(maxsplit=1) for line in told.out.splitlines()]
    assert ["1", "clicked"] in lines and ["1", "ordered"] in lines and ["1", "opened by machines"] in lines
    assert "1 orders by last click: 49.90 EUR" in told.out
    assert livepost("measure").out == "browse_reminder: 1 decided, 1 sent, 1 clicked, 1 ordered\n"


def test_the_same_as_json(livepost: Command, house: StillHouse) -> None:
    _click_and_order(house)
    one = livepost("measure", "browse_reminder", "--json").json()
    assert (one["campaign"]["earned"][0]["amount"], one["comparison"]) == (4_990, None)
    assert [one["campaign"]] == livepost("measure", "--json").json()["campaigns"]


def test_a_campaign_that_is_not_there_is_a_sentence(livepost: Command, house: StillHouse) -> None:
    told = livepost("measure", "browse")
    assert told.code == 1 and "expected a campaign (browse_reminder), got browse" in told.err
