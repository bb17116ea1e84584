from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from livepost.errors import StoreError
from livepost.runtime.courier import seat as seats
from livepost.runtime.courier.seat import take_seat


def test_couriers_on_one_folder_have_seats_and_names_of_their_own(tmp_path: Path) -> None:
    with closing(take_seat(tmp_path)) as one, closing(take_seat(tmp_path)) as two:
        assert [one.number, two.number] == [1, 2]
        assert [one.first, two.first] == [True, False]
        assert one.worker != two.worker


def test_who_takes_a_seat_that_was_left_has_its_name(tmp_path: Path) -> None:
    before = take_seat(tmp_path)
    before.close()
    with closing(take_seat(tmp_path)) as after:
        assert (after.number, after.worker) == (1, before.worker)


def test_seats_of_two_folders_have_other_names(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    with closing(take_seat(tmp_path / "one")) as one, closing(take_seat(tmp_path / "two")) as two:
        assert (one.number, two.number) == (1, 1)
        assert one.worker != two.worker


def test_there_are_no_more_seats_than_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seats, "SEATS", 1)
    with closing(take_seat(tmp_path)), pytest.raises(StoreError, match="expected at most 1 couriers"):
        take_seat(tmp_path)
