"""The demo's house: a second one on the same folder changes nothing before it is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from livepost.demo.house import DemoHouse
from livepost.errors import StoreError


def files(folder: Path) -> dict[str, bytes]:
    """Return what stands in a data folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_second_demo_on_one_folder_is_refused_before_it_touches_clock_or_keys(tmp_path: Path) -> None:
    first, second = DemoHouse(tmp_path, 0, 2_000.0), DemoHouse(tmp_path, 0, 500.0)
    first.supervisor.hold(first.folder)
    before = files(tmp_path)
    try:
        with pytest.raises(StoreError, match="a house runs on"):
            second.start()
        assert files(tmp_path) == before
    finally:
        second.stop()
        first.stop()
    second.supervisor.hold(second.folder)  # nobody holds it any more
    second.stop()
