from __future__ import annotations

from itertools import count

import pytest

from livepost.errors import StoreError
from livepost.runtime.front.kept import Kept


def test_an_answer_is_kept_for_a_while_by_its_name() -> None:
    at, answers = [0.0], count()
    kept: Kept[int] = Kept(5.0, lambda: at[0])
    assert [kept.get(name, lambda: next(answers)) for name in "abab"] == [0, 1, 0, 1]
    at[0] = 5.0
    assert kept.get("a", lambda: next(answers)) == 2


def test_an_error_is_not_kept() -> None:
    kept: Kept[int] = Kept(5.0)

    def away() -> int:
        raise StoreError("the ledger is away")

    with pytest.raises(StoreError):
        kept.get("a", away)
    assert kept.get("a", lambda: 1) == 1
