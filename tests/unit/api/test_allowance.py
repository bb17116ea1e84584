from __future__ import annotations

from livepost.api.allowance import ASKERS_MAX, Allowance, asker_of


def test_each_asker_has_so_many_in_a_window_and_then_again() -> None:
    allowance = Allowance(2, 1_000, together=100)
    assert [allowance.take("a", at) for at in (0, 1, 2)] == [True, True, False]
    assert allowance.take("b", 3)
    assert allowance.take("a", 1_000)


def test_all_together_have_a_bound_too() -> None:
    allowance = Allowance(9, 1_000, together=3)
    assert [allowance.take(str(number), 0) for number in range(4)] == [True, True, True, False]


def test_a_clock_that_was_set_back_begins_a_new_window() -> None:
    allowance = Allowance(1, 1_000, together=100)
    assert [allowance.take("a", at) for at in (5_000, 5_001, 4_000)] == [True, False, True]


def test_so_many_askers_are_remembered() -> None:
    allowance = Allowance(1, 1_000, together=10**6)
    assert all(allowance.take(str(number), 0) for number in range(ASKERS_MAX + 1))
    assert allowance.take("0", 0)
    assert not allowance.take(str(ASKERS_MAX), 0)


def test_one_network_of_ipv6_is_one_asker_and_a_name_is_cut() -> None:
    assert asker_of("2001:db8:1:2:3::4") == asker_of("2001:db8:1:2:ffff::1") != asker_of("2001:db8:1:3::")
    assert len(asker_of("x" * 1_000)) == 64
