"""A round: the items of many people side by side, and where due times are still missing."""

from __future__ import annotations

import numpy as np
import pytest

from livepost.model.moment import NO_DUE
from livepost.process.round import DUE, NOT_BEHIND, Round, due_round, round_of


def records() -> Round:
    """Return person 7 with records at 100 and 300, person 4 with records at 100 and 200."""
    return round_of(np.array([7, 4, 4, 7]), np.arange(4), np.array([100, 100, 200, 300]), NOT_BEHIND)


def test_records_stand_by_person_and_then_in_log_order() -> None:
    a_round = records()
    assert a_round.people.tolist() == [4, 7]
    assert a_round.places.tolist() == [1, 2, 0, 3]
    assert a_round.moments.person.tolist() == [0, 0, 1, 1]
    assert a_round.moments.at.tolist() == [100, 200, 100, 300]
    assert (a_round.moments.begin.tolist(), a_round.moments.end.tolist()) == ([0, 2], [2, 4])


@pytest.mark.parametrize(("due", "gap"), [(150, True), (200, True), (201, False)])
def test_what_is_due_up_to_the_stamp_of_the_next_record_is_a_gap(due: int, gap: bool) -> None:
    assert records().gaps(np.array([due, NO_DUE, NO_DUE, NO_DUE])).tolist() == [0] * gap


def test_behind_a_persons_last_record_there_is_no_gap() -> None:
    assert records().gaps(np.array([NO_DUE, 250, NO_DUE, 350])).tolist() == []


def test_a_gap_is_filled_with_a_due_time_before_the_next_record() -> None:
    filled = records().with_due(np.array([1, 3]), np.array([150, 300]), np.array([0, 1]))
    assert filled.places.tolist() == [1, DUE, 2, 0, DUE, 3]
    assert filled.moments.at.tolist() == [100, 150, 200, 100, 300, 300]
    assert filled.moments.begin.tolist() == [0, 3]


@pytest.mark.parametrize(("due", "gap"), [(149, True), (150, False)])
def test_what_is_due_at_the_next_due_time_is_served_there(due: int, gap: bool) -> None:
    filled = records().with_due(np.array([1]), np.array([150]), np.array([0]))
    assert filled.gaps(np.array([due, *[NO_DUE] * 4])).tolist() == [0] * gap


def test_due_times_go_on_up_to_how_far_each_person_is_served() -> None:
    a_round = due_round(np.array([4, 7]), np.array([500, 500]), np.array([100, 200]))
    assert a_round.places.tolist() == [DUE, DUE]
    assert a_round.gaps(np.array([500, 501])).tolist() == [0]


def test_some_items_of_a_round_are_a_round_of_their_own() -> None:
    rest = records().only(np.array([False, False, False, True]))
    assert (rest.people.tolist(), rest.places.tolist(), rest.moments.person.tolist()) == ([7], [3], [0])
