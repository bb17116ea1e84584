from livepost.ledger.base import OutcomeTally, Tally
from livepost.ledger.moves import State
from livepost.ops.campaigns import campaign_standings


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
