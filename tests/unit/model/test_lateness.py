from livepost.model.lateness import EDGES_MS, TOO_LATE, Band, Lateness, band_key, lateness_of, not_fresh_key

DAY = 86_400_000


def test_counts_by_key_are_told_as_bands_in_order_with_the_last_one_open() -> None:
    told = lateness_of({band_key(0, live=True): 5, band_key(6, live=False): 3, band_key(2, live=False): 1})
    assert [band.up_to_ms for band in told.bands] == [*EDGES_MS, None]
    assert [(band.live, band.imported) for band in told.bands if band.live or band.imported] == [(5, 0), (0, 1), (0, 3)]
    assert told.bands[-1] == Band(None, 0, 3)


def test_what_lateness_cost_is_told_by_campaign() -> None:
    told = lateness_of({TOO_LATE: 4, not_fresh_key("thanks"): 2, not_fresh_key("not fresh: odd"): 1, "processed": 9})
    assert (told.too_late, told.not_fresh) == (4, {"not fresh: odd": 1, "thanks": 2})


def test_nothing_counted_is_nothing_late() -> None:
    told = lateness_of({})
    assert (told.too_late, told.not_fresh, sum(band.live + band.imported for band in told.bands)) == (0, {}, 0)
    assert Lateness().bands == ()
    assert EDGES_MS[-1] == 30 * DAY
