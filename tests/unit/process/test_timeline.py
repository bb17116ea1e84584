"""Where in the log a moment falls."""

from __future__ import annotations

import numpy as np
import pytest

from livepost.process.timeline import Timeline, empty_timeline
from tests.unit.process.records import NOW, block, event

BLOCKS = [
    block(10, NOW, event("a", "1"), event("a", "2")),
    block(12, NOW + 5, event("a", "3")),
    block(13, NOW + 5, event("a", "4")),
    block(14, NOW + 9, event("a", "5")),
]


def whole() -> Timeline:
    return empty_timeline().extended(BLOCKS, keep_from=0)


@pytest.mark.parametrize(
    ("at", "seq", "stamp"),
    [(-3, 10, 0), (0, 10, 0), (1, 12, 5), (5, 12, 5), (6, 14, 9), (9, 14, 9)],
)
def test_a_moment_falls_at_the_first_record_whose_stamp_is_not_before_it(at: int, seq: int, stamp: int) -> None:
    assert whole().position(NOW + at) == (seq, NOW + stamp)


def test_many_moments_fall_where_each_alone_would() -> None:
    seqs, stamps = whole().positions(np.array([NOW + 6, NOW, NOW + 1]))
    assert (seqs.tolist(), stamps.tolist()) == ([14, 10, 12], [NOW + 9, NOW, NOW + 5])


@pytest.mark.parametrize(("keep_from", "first"), [(0, 10), (11, 10), (12, 12), (13, 13), (99, 14)])
def test_blocks_that_end_before_what_is_kept_are_dropped(keep_from: int, first: int) -> None:
    assert whole().extended([], keep_from).firsts[0] == first


def test_a_timeline_cut_and_extended_answers_as_the_whole_one_from_there_on() -> None:
    cut = empty_timeline().extended(BLOCKS[:2], 0).extended(BLOCKS[2:], keep_from=12)
    assert cut.position(NOW + 3) == (12, NOW + 5)
    assert cut.position(NOW + 7) == (14, NOW + 9)
