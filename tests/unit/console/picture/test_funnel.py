"""The funnel."""

from __future__ import annotations

from livepost.console.picture.funnel import LEAST, SMALL, Step, funnel, small_funnel, spans

ENTERED = Step(name="entered", count=100, colour="sky")
LOST = [
    Step(name="one & other", count=30, colour="amber", lost=True),
    Step(name="b", count=20, colour="red", lost=True),
]
SENT = Step(name="sent", count=50, colour="signal")


def test_each_loss_begins_where_the_one_before_ended_and_what_is_left_is_sent() -> None:
    drawn = [(begin, wide) for _, begin, wide in spans([ENTERED, *LOST, SENT], 1_000.0)]
    assert drawn == [(0.0, 1_000.0), (700.0, 300.0), (500.0, 200.0), (0.0, 500.0)]


def test_names_and_counts_are_written_and_safe() -> None:
    for picture in funnel([ENTERED, *LOST, SENT], "in words"):
        assert ">one &amp; other</text>" in picture
        assert ">30</text>" in picture
        assert 'aria-label="in words"' in picture


def test_a_loss_of_one_in_many_is_seen_and_none_is_not() -> None:
    rare = [Step(name="all", count=10**6, colour="sky"), Step(name="one", count=1, colour="red", lost=True)]
    assert f'width="{LEAST:g}"' in small_funnel(rare, "")
    none = [rare[0], Step(name="none", count=0, colour="red")]
    assert 'width="0"' in small_funnel(none, "")


def test_a_funnel_that_nobody_entered_has_no_width() -> None:
    assert [wide for _, _, wide in spans([Step(name="entered", count=0, colour="sky")], SMALL)] == [0.0]
