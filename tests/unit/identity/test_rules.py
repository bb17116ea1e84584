"""Who may become one person, and what the person is called."""

from __future__ import annotations

from itertools import permutations

import pytest

from livepost.identity import may_merge, name_of


@pytest.mark.parametrize(("known_a", "known_b"), [(False, False), (True, False), (False, True)])
def test_persons_of_whom_one_at_most_is_known_may_merge(known_a: bool, known_b: bool) -> None:
    assert may_merge(known_a, known_b, said_by_secret_key=False)


def test_two_known_persons_merge_only_if_a_secret_key_says_so() -> None:
    assert not may_merge(True, True, said_by_secret_key=False)
    assert may_merge(True, True, said_by_secret_key=True)


def test_the_smallest_known_subject_names_the_person_in_whatever_order_they_came() -> None:
    subjects = [(b"\x01", False), (b"\x09", True), (b"\x05", True)]
    assert {name_of(order) for order in permutations(subjects)} == {b"\x05"}


def test_without_a_known_subject_the_smallest_names_the_person() -> None:
    assert name_of([(b"\x07", False), (b"\x02", False)]) == b"\x02"
