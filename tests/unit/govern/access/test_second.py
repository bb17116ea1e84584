from __future__ import annotations

import pytest

from livepost.govern.access.second import eyes


@pytest.mark.parametrize("asked_by", ["user:1", "key:server", "console", "command:root"])
def test_where_there_are_several_users_another_user_approves_and_nobody_else(asked_by: str) -> None:
    assert eyes(asked_by, "user:2", 2) == "two"
    assert eyes("user:2", "user:2", 2) == "same"
    for by in ("key:server", "console", "command:root", "session:0f", ""):
        assert eyes(asked_by, by, 2) == "nobody"


@pytest.mark.parametrize("users", [0, 1])
def test_in_a_house_of_one_nobody_else_is_there(users: int) -> None:
    assert eyes("user:1", "user:1", users) == eyes("console", "console", users) == "alone"
