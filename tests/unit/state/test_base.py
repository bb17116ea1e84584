from __future__ import annotations

import pytest

from livepost.state.base import require_limit, require_not_back


def test_one_item_may_be_asked_for_and_none_may_not() -> None:
    require_limit(1)
    with pytest.raises(ValueError, match="at least 1, got 0"):
        require_limit(0)


def test_a_commit_may_stay_at_its_position_and_may_not_go_back() -> None:
    require_not_back(5, 5)
    with pytest.raises(ValueError, match="position 5 or later, got 4; reset the state to replay"):
        require_not_back(4, 5)
