from livepost.bench.collect import bare_decode


def test_decoding_alone_has_a_rate() -> None:
    assert bare_decode(count=2_000) > 1_000
