from livepost.observe.series import KEPT, Series


def told(*totals: tuple[float, int]) -> list[float]:
    series = Series()
    for at_s, total in totals:
        series.add(at_s, {"events": total})
    return series.points().get("events", [])


def test_rates_are_what_came_between_two_totals_the_newest_last() -> None:
    assert told((0, 100), (1, 150), (2, 150), (3, 153)) == [50.0, 0.0, 3.0]


def test_one_total_says_nothing_of_a_rate() -> None:
    assert told((0, 100)) == []


def test_seconds_without_a_look_share_what_came_meanwhile() -> None:
    assert told((0, 0), (1, 10), (4, 40)) == [10.0, 10.0, 10.0, 10.0]
    assert told((0, 0), (0.5, 10)) == [20.0]


def test_a_total_that_goes_back_is_a_rate_of_nothing() -> None:
    assert told((0, 100), (1, 5), (2, 8)) == [0.0, 3.0]


def test_two_totals_of_one_moment_are_no_rate() -> None:
    assert told((1, 5), (1, 9), (2, 10)) == [1.0]


def test_at_most_so_many_points_are_kept_and_after_a_longer_pause_all_begins_anew() -> None:
    many = [(float(second), 2 * second) for second in range(3 * KEPT)]
    assert told(*many) == [2.0] * KEPT
    assert told(*many, (4.0 * KEPT + 1, 9_999)) == []
    assert len(told(*many, (4.0 * KEPT - 1, 9_999))) == KEPT
