from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from livepost.clock import MINUTE_MS, SimulatedClock
from livepost.control.glass import GLASS_MINUTES_MAX, Glasses
from livepost.control.sqlite import ControlStore
from livepost.control.users import Users
from livepost.errors import RejectedError
from livepost.govern.login.accounts import Accounts
from livepost.govern.login.password import Passwords

START = 1_000_000


class Desk:
    """A store with one analyst, logged in."""

    def __init__(self, path: Path) -> None:
        self.store = ControlStore(path)
        self.glasses = Glasses(self.store)
        self.clock = SimulatedClock(START)
        self.user = Users(self.store, bytes(32)).add("Ann", "ann@e.example", "analyst", 1).id
        passwords = Passwords(memory_kib=64, rounds=1)
        self.accounts = Accounts(self.store, bytes(32), self.clock, passwords, "shop")
        self.word = self.accounts.sessions.begin(self.user, START, START + 10**9)

    def glass(self) -> str:
        """Return the glass that the session of the analyst has."""
        who = self.accounts.who(self.word)
        assert who is not None and who.by == f"user:{self.user}"
        return who.glass

    def close(self) -> None:
        self.store.close()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with closing(Desk(tmp_path / "control.db")) as opened:
        yield opened


def test_a_session_has_the_glass_from_when_it_is_broken_until_its_time_is_over(desk: Desk) -> None:
    assert desk.glass() == ""
    one = desk.glasses.break_(f"user:{desk.user}", " a mail went wrong ", START, 5)
    assert (desk.glass(), one.reason) == (one.id, "a mail went wrong")
    desk.clock.advance(5 * MINUTE_MS - 1)
    assert desk.glass() == one.id
    desk.clock.advance(1)
    assert desk.glass() == ""
    assert desk.glasses.listed() == [one]
    assert [one.holds(at) for at in (START - 1, START, one.until - 1, one.until)] == [False, True, True, False]


def test_it_ends_at_once_where_somebody_ends_it_and_once(desk: Desk) -> None:
    one = desk.glasses.break_(f"user:{desk.user}", "why", START, 5)
    desk.glasses.end(one.id, "user:owner", START + 1)
    assert desk.glass() == ""
    assert (desk.glasses.listed()[0].ended_by, desk.glasses.listed()[0].holds(START + 1)) == ("user:owner", False)
    for id, at in ((one.id, START + 2), ("0" * 16, START)):
        with pytest.raises(RejectedError, match="that is broken"):
            desk.glasses.end(id, "user:owner", at)


def test_breaking_it_again_ends_what_was_broken_before_so_that_an_end_is_one(desk: Desk) -> None:
    first = desk.glasses.break_(f"user:{desk.user}", "why", START, 60)
    second = desk.glasses.break_(f"user:{desk.user}", "still", START, 5)
    assert desk.glass() == second.id
    assert {one.id: one.ended_at for one in desk.glasses.listed()}[first.id] == START
    desk.glasses.end(second.id, "user:owner", START)
    assert desk.glass() == ""


@pytest.mark.parametrize("by", ["session:1", "command:ann", "console", "key:server"])
def test_only_a_user_who_logged_in_breaks_it(desk: Desk, by: str) -> None:
    with pytest.raises(RejectedError, match="expected a user who logged in"):
        desk.glasses.break_(by, "why", START, 5)


@pytest.mark.parametrize(("reason", "minutes"), [("", 5), ("  ", 5), ("why", 0), ("why", GLASS_MINUTES_MAX + 1)])
def test_a_reason_and_a_short_time_are_asked_for(desk: Desk, reason: str, minutes: int) -> None:
    with pytest.raises(RejectedError, match="a reason, and 1 to 60 minutes"):
        desk.glasses.break_(f"user:{desk.user}", reason, START, minutes)
    assert desk.glasses.listed() == []


def test_what_another_user_broke_is_theirs(desk: Desk) -> None:
    desk.glasses.break_("user:other", "why", START, 5)
    assert desk.glass() == ""
