from livepost.bench.mails import quantile


def test_a_quantile_is_one_of_the_values() -> None:
    assert [quantile([4, 1, 3, 2], share) for share in (0.0, 0.5, 0.99)] == [1, 3, 4]
    assert quantile([7], 0.99) == 7
