from __future__ import annotations

from livepost.api.campaigns import answer_of
from livepost.model.earning import Earned
from livepost.model.standing import CampaignStanding
from tests.unit.api.house import Asked

EARNED = Earned(campaign="nudge", broadcast=b"\x01" * 16, currency="EUR", orders=2, mails=1, amount=4_990)


def test_campaigns_are_told_with_what_became_of_who_entered(asked: Asked) -> None:
    [told] = asked.ask("/api/campaigns").json()["campaigns"]
    assert (told["campaign"], told["declared"], told["earned"], told["ordered"]) == ("nudge", True, [], 0)
    assert told["entered"] == sum(told["by_state"].values())


def test_one_campaign_is_told_with_its_comparison_if_there_is_one(asked: Asked) -> None:
    told = asked.ask("/api/campaigns/nudge").json()
    assert (told["campaign"]["campaign"], told["comparison"]) == ("nudge", None)


def test_a_campaign_that_is_not_there_is_not_found(asked: Asked) -> None:
    reply = asked.ask("/api/campaigns/nudged")
    assert (reply.status_code, reply.json()["code"]) == (404, "no_campaign")


def test_what_was_earned_is_told_in_minor_units_by_broadcast() -> None:
    standing = CampaignStanding(
        campaign="nudge",
        declared=True,
        entered=1,
        waiting=0,
        by_state={"sent": 1},
        by_reason={},
        sent=1,
        clicked=1,
        held_out=0,
        earned=(EARNED,),
    )
    told = answer_of(standing)
    assert (told.ordered, standing.orders, standing.amounts) == (1, 2, {"EUR": 4_990})
    assert (told.earned[0].broadcast, told.earned[0].amount) == ("01" * 16, 4_990)
