from livepost.ledger.base import BroadcastTally, OutcomeTally, Tally
from livepost.ledger.moves import State
from livepost.model.earning import Earned
from livepost.ops.campaigns import broadcast_standings, campaign_standings


def tally(campaign: str, state: State, reason: str, count: int) -> Tally:
    return Tally(campaign=campaign, state=state, reason=reason, count=count)


def test_a_campaign_is_told_by_state_by_reason_and_by_what_came_of_its_mails() -> None:
    told = [
        tally("reminder", "sent", "", 5),
        tally("reminder", "skipped", "holdout", 2),
        tally("reminder", "skipped", "until", 3),
        tally("reminder", "pending", "", 1),
    ]
    [one] = campaign_standings(
        ["reminder"], told, [OutcomeTally(campaign="reminder", outcome="clicked", count=4)], {"reminder": 7}
    )
    assert (one.entered, one.waiting, one.sent, one.clicked, one.held_out) == (18, 7, 5, 4, 2)
    assert one.by_state == {"sent": 5, "skipped": 5, "pending": 1}
    assert one.by_reason == {"holdout": 2, "until": 3}


def test_the_projects_order_comes_first_and_then_what_only_the_ledger_remembers() -> None:
    told = [tally("zed", "sent", "", 1), tally("old", "sent", "", 1), tally("welcome", "sent", "", 1)]
    found = campaign_standings(["welcome", "reminder"], told, [], {})
    assert [(one.campaign, one.declared, one.entered) for one in found] == [
        ("welcome", True, 1),
        ("reminder", True, 0),
        ("old", False, 1),
        ("zed", False, 1),
    ]


def test_a_broadcast_is_told_as_a_campaign_is_and_by_itself() -> None:
    told = [
        BroadcastTally(broadcast=b"one", kind="state", what="sent", reason="", count=5),
        BroadcastTally(broadcast=b"one", kind="state", what="skipped", reason="cap", count=2),
        BroadcastTally(broadcast=b"one", kind="outcome", what="clicked", reason="", count=3),
        BroadcastTally(broadcast=b"two", kind="state", what="pending", reason="", count=4),
    ]
    earned = [
        Earned(campaign="letter", broadcast=b"one", currency="EUR", orders=2, mails=1, amount=900),
        Earned(campaign="letter", broadcast=b"", currency="EUR", orders=7, mails=7, amount=700),
    ]
    found = broadcast_standings(told, earned)
    one = found[b"one"]
    assert (one.entered, one.sent, one.clicked, one.ordered, one.amounts) == (7, 5, 3, 1, {"EUR": 900})
    assert (one.by_reason, found[b"two"].entered, found[b"two"].orders) == ({"cap": 2}, 4, 0)
