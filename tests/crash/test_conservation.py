"""The negative controls of `tests.conservation`, which every house is asked at its end."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import apsw
import pytest

from tests.conservation import vanished_in
from tests.crash.counter import Counter, moments_of


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("UPDATE counts SET count = count - 1 WHERE name = 'processed'", "were accepted, but"),
        ("UPDATE counts SET count = count + 1 WHERE name = 'duplicate'", "were accepted, but"),
        ("UPDATE progress SET position = position - 1", "were accepted, but"),
        ("UPDATE counts SET count = count + 1 WHERE name = 'dead_lettered'", "dead letters"),
        ("INSERT INTO dead VALUES (0, 'dead_lettered', 'nobody knows', 0, '', '', NULL)", "dead letters"),
    ],
)
def test_an_event_that_vanished_or_came_from_nowhere_is_found(fault: str, told: str, tmp_path: Path) -> None:
    with closing(Counter(tmp_path / "data")) as counter:
        counter.live(moments_of("conserved", 3, 8))
    assert vanished_in(tmp_path / "data") == ""
    with closing(apsw.Connection(str(tmp_path / "data" / "state.db"))) as state:
        state.execute(fault)
    assert told in vanished_in(tmp_path / "data")
