from livepost.bench.path import quantiles, without


def test_what_was_there_before_does_not_count() -> None:
    assert without({0: 5, 100: 3}, {0: 5, 100: 1}).counts == {0: 0, 100: 2}
    assert quantiles(without({0: 5, 100: 3}, {0: 5}))["p50"] > 100
