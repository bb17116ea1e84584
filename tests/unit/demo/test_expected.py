"""The SQL that says which mails must come, by stories small enough to count on one's fingers."""

from __future__ import annotations

from livepost.clock import DAY_MS, HOUR_MS
from livepost.demo.expected import Due, Mail, Run, compare, expected_mails
from livepost.demo.feed import Sent
from tests.unit.demo.tables_of import tables_of

START = 1_800_000_000_000
ADA, BEN = 3, 20
REFUSING = 1
"""Whose number * 7919 ends in 919; below 800 allows marketing."""


def _run(days: float, *, lag_ms: int = 0, orders: tuple[Sent, ...] = ()) -> Run:
    end = START + int(days * DAY_MS)
    return Run(start_ms=START, fed_through_ms=end, as_of_ms=end, lag_ms=lag_ms, orders=orders)


def _at(days: float) -> int:
    return START + int(days * DAY_MS)


def _due(due: list[Due]) -> list[tuple[str, int, float, bool]]:
    return [(each.campaign, each.household, (each.earliest_ms - START) / DAY_MS, each.open) for each in due]


def test_the_first_order_brings_one_welcome_an_hour_later() -> None:
    due = expected_mails(tables_of((ADA, 0, 20), (ADA, 2, 20)), _run(5))
    assert due == [Due("welcome", ADA, START + HOUR_MS, START + HOUR_MS, False)]


def test_a_welcome_whose_hour_is_not_over_is_not_due() -> None:
    tables = tables_of((ADA, 0, 20))
    end = START + HOUR_MS
    assert expected_mails(tables, Run(START, end, as_of_ms=end - 1)) == []
    assert len(expected_mails(tables, Run(START, end, as_of_ms=end))) == 1


def test_a_welcome_whose_hour_may_be_over_is_open() -> None:
    end = START + HOUR_MS
    (due,) = expected_mails(tables_of((ADA, 0, 20)), Run(START, end, as_of_ms=end, lag_ms=1))
    assert due.open


def test_who_refuses_marketing_is_owed_nothing() -> None:
    assert expected_mails(tables_of((REFUSING, 0, 80), (ADA, 0, 80)), _run(60)) == [
        Due("welcome", ADA, START + HOUR_MS, START + HOUR_MS, False),
        Due("win_back", ADA, _at(21), _at(21), False),
        Due("favourites", ADA, START, START, False),
    ]


def test_three_weeks_of_silence_bring_a_mail_each_time() -> None:
    due = expected_mails(tables_of((ADA, 0, 20), (ADA, 22, 20), (ADA, 30, 20)), _run(60))
    assert _due(due)[1:] == [("win_back", ADA, 21, False), ("win_back", ADA, 51, False)]


def test_an_order_after_exactly_three_weeks_comes_after_the_mail() -> None:
    assert ("win_back", ADA, 21, False) in _due(expected_mails(tables_of((ADA, 0, 20), (ADA, 21, 20)), _run(25)))


def test_an_order_that_may_be_stamped_before_or_after_the_three_weeks_is_open() -> None:
    tables = tables_of((ADA, 0, 20), (ADA, 20.9, 20))
    assert ("win_back", ADA, 21, True) in _due(expected_mails(tables, _run(25, lag_ms=int(0.1 * DAY_MS))))
    assert len(expected_mails(tables, _run(25, lag_ms=int(0.09 * DAY_MS)))) == 1


def test_told_moments_of_a_stamp_replace_the_general_lag() -> None:
    tables = tables_of((ADA, 0, 20), (ADA, 20.9, 20))
    late = Sent(basket=2, at_ms=_at(20.9), sent_ms=_at(21.1), acknowledged_ms=_at(21.2))
    early = Sent(basket=2, at_ms=_at(20.9), sent_ms=_at(20.91), acknowledged_ms=_at(20.92))
    assert ("win_back", ADA, 21, False) in _due(expected_mails(tables, _run(25, lag_ms=DAY_MS, orders=(late,))))
    assert len(expected_mails(tables, _run(25, lag_ms=DAY_MS, orders=(early,)))) == 1


def test_a_large_order_brings_favourites_at_most_once_in_thirty_days() -> None:
    tables = tables_of((ADA, 0, 59.99), (ADA, 1, 60), (ADA, 20, 90), (ADA, 31, 90), (ADA, 40, 90), (ADA, 61, 90))
    favourites = [each for each in _due(expected_mails(tables, _run(70))) if each[0] == "favourites"]
    assert favourites == [("favourites", ADA, 1, False), ("favourites", ADA, 31, False), ("favourites", ADA, 61, False)]


def test_a_large_order_at_the_edge_of_the_cap_is_open() -> None:
    tables = tables_of((ADA, 0, 60), (ADA, 29.99, 60))
    assert ("favourites", ADA, 29.99, True) in _due(expected_mails(tables, _run(40, lag_ms=DAY_MS)))
    assert ("favourites", ADA, 29.99, True) not in _due(expected_mails(tables, _run(40, lag_ms=HOUR_MS // 10)))


def test_baskets_that_were_not_fed_are_left_out() -> None:
    tables = tables_of((ADA, 0, 20), (ADA, 10, 80), (BEN, 10, 80))
    due = expected_mails(tables, Run(START, fed_through_ms=_at(9), as_of_ms=_at(22)))
    assert [(each.campaign, each.household) for each in due] == [("welcome", ADA), ("win_back", ADA)]


def test_the_mails_that_must_come_compare_as_equal() -> None:
    tables = tables_of((ADA, 0, 80), (BEN, 1, 20), (REFUSING, 2, 80))
    run = _run(30)
    mails = [Mail(each.campaign, each.household, each.earliest_ms) for each in expected_mails(tables, run)]
    found = compare(tables, run, [*mails, Mail("browse_reminder", ADA, START)])
    assert {name: (each.mails, each.households, each.open, each.equal) for name, each in found.items()} == {
        "welcome": (2, 3, 0, True),
        "win_back": (2, 3, 0, True),
        "favourites": (1, 3, 0, True),
    }


def test_a_mail_missing_added_doubled_late_or_to_a_stranger_is_found() -> None:
    tables = tables_of((ADA, 0, 20), (BEN, 0, 20), (REFUSING, 0, 20))
    run = _run(2)
    ada, ben = (Mail(each.campaign, each.household, each.earliest_ms) for each in expected_mails(tables, run))
    wrong = {
        "missing": ([ada], [BEN]),
        "added": ([ada, ben, Mail("welcome", REFUSING, ada.at_ms)], [REFUSING]),
        "doubled": ([ada, ada, ben], [ADA]),
        "late": ([ada, ben._replace(at_ms=ben.at_ms + 1)], [BEN]),
        "stranger": ([ada, ben, Mail("welcome", 4_000, ada.at_ms)], [4_000]),
    }
    for mails, differing in wrong.values():
        found = compare(tables, run, mails)["welcome"]
        assert not found.equal
        assert found.examples == differing


def test_a_household_that_did_what_the_tables_do_not_know_is_set_aside_and_no_other() -> None:
    tables = tables_of((ADA, 0, 20), (BEN, 0, 20))
    _, ben = (Mail(each.campaign, each.household, each.earliest_ms) for each in expected_mails(tables, _run(2)))
    found = compare(tables, _run(2), [ben], {ADA})["welcome"]
    assert (found.open, found.households, found.equal) == (1, 1, True)
    assert not compare(tables, _run(2), [ben])["welcome"].equal


def test_an_open_household_is_set_aside_and_counted() -> None:
    tables = tables_of((ADA, 0, 20), (ADA, 20.9, 20), (BEN, 0, 20))
    found = compare(tables, _run(25, lag_ms=DAY_MS), [Mail("win_back", BEN, _at(21))])["win_back"]
    assert (found.open, found.households, found.mails, found.equal) == (1, 1, 1, True)
