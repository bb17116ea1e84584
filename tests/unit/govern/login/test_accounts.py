"""Accounts: getting in, staying in, getting out, and who slows down whom."""

from __future__ import annotations

from pathlib import Path

import pytest

from livepost.clock import SECOND_MS, SimulatedClock
from livepost.control.sqlite import ControlStore
from livepost.errors import RejectedError
from livepost.govern.login import totp
from livepost.govern.login.accounts import (
    IDLE_MS,
    INVITATION_MS,
    SESSION_MS,
    TOUCH_MS,
    Accounts,
    require_above,
)
from livepost.govern.login.accounts import (
    SECOND_MS as WAIT_MS,
)
from livepost.govern.login.password import Passwords
from livepost.govern.login.throttle import ACCOUNT_FREE, PAIR_FREE
from livepost.model.principal import Principal

START = 1_767_603_600_000
GOOD, OTHER = "seven orange ladders", "nine purple kettles"
EMAIL, HOME, AWAY = "ada@example.com", "192.0.2.1", "198.51.100.7"
QUICK = Passwords(memory_kib=64, rounds=1)


class House:
    """Accounts over a store in memory, with one owner who has a password."""

    def __init__(self, passwords: Passwords = QUICK) -> None:
        self.clock = SimulatedClock(START)
        self.store = ControlStore(Path(":memory:"))
        self.accounts = Accounts(self.store, bytes(32), self.clock, passwords, "The corner shop")
        user, word = self.accounts.add("Ada", EMAIL, "owner")
        self.id = user.id
        self.accounts.accept(word, GOOD)

    def fails(self, address: str = AWAY, email: str = EMAIL) -> str:
        with pytest.raises(RejectedError) as refused:
            self.accounts.log_in(email, OTHER, address)
        return refused.value.code

    def with_second(self) -> bytes:
        enrolling = self.accounts.enrol(self.id, GOOD, HOME)
        secret = self.accounts._enrolling[self.id][0]
        assert enrolling.typed == totp.base32(secret)
        self.codes = self.accounts.confirm_second(self.id, self.code(secret))[1]
        return secret

    def code(self, secret: bytes, steps: int = 0) -> str:
        return totp.code_at(secret, self.clock.now_ms() // 1000 // totp.STEP_S + steps)


def refusal(work: object) -> str:
    with pytest.raises(RejectedError) as refused:
        work()  # type: ignore[operator]
    return refused.value.code


def test_a_password_lets_its_user_in_with_their_role() -> None:
    house = House()
    entered = house.accounts.log_in(" ADA@example.com", GOOD, HOME)
    assert not entered.second
    assert house.accounts.who(entered.word) == Principal(by=f"user:{house.id}", role="owner")
    assert house.accounts.who("") is None
    assert house.accounts.who("x" * 43) is None


def test_who_came_by_a_link_is_the_owner_without_an_account() -> None:
    house = House()
    who = house.accounts.who(house.accounts.begin_by_link())
    assert who is not None
    assert (who.by.partition(":")[0], who.role) == ("session", "owner")


def test_unknown_wrong_and_disabled_are_refused_alike() -> None:
    house = House()
    house.accounts.add("Bob", "bob@example.com", "analyst")
    said = set()
    for email, password in ((EMAIL, OTHER), ("nobody@example.com", GOOD), ("bob@example.com", GOOD)):
        with pytest.raises(RejectedError) as refused:
            house.accounts.log_in(email, password, HOME)
        said.add((str(refused.value), refused.value.code, refused.value.status))
    house.accounts.users.disable(house.id, disabled=True)
    with pytest.raises(RejectedError) as refused:
        house.accounts.log_in(EMAIL, GOOD, HOME)
    assert said == {(str(refused.value), refused.value.code, refused.value.status)}


def test_each_login_has_a_session_of_its_own_which_ends() -> None:
    house = House()
    first = house.accounts.log_in(EMAIL, GOOD, HOME).word
    assert house.accounts.log_in(EMAIL, GOOD, HOME).word != first
    house.clock.advance(IDLE_MS)
    assert house.accounts.who(first) is None
    used = house.accounts.log_in(EMAIL, GOOD, HOME).word
    for _ in range(SESSION_MS // (IDLE_MS - 1)):
        house.clock.advance(IDLE_MS - 1)
        session = house.accounts.session(used)
        assert session is not None
        assert house.accounts.is_stale(session)
        house.accounts.touch(session)
        house.clock.advance(0)
    house.clock.advance(SESSION_MS)
    assert house.accounts.who(used) is None


def test_use_is_noted_once_a_minute() -> None:
    house = House()
    word = house.accounts.begin_by_link()
    house.clock.advance(TOUCH_MS - 1)
    session = house.accounts.session(word)
    assert session is not None
    assert not house.accounts.is_stale(session)


def test_a_new_password_ends_all_sessions_but_the_one_it_begins() -> None:
    house = House()
    old = house.accounts.log_in(EMAIL, GOOD, HOME).word
    new = house.accounts.change_password(house.id, GOOD, OTHER, HOME)
    assert house.accounts.who(old) is None
    assert house.accounts.who(new) is not None
    assert refusal(lambda: house.accounts.log_in(EMAIL, GOOD, HOME)) == "login"
    assert refusal(lambda: house.accounts.change_password(house.id, GOOD, OTHER, HOME)) == "password"
    assert refusal(lambda: house.accounts.change_password(house.id, OTHER, "too short", HOME)) == "password"


def test_a_session_proven_by_what_is_no_longer_so_does_not_begin() -> None:
    house = House()
    proven = house.accounts.users.get(house.id)
    house.accounts.set_password(house.id, OTHER)
    assert refusal(lambda: house.accounts._enter(proven)) == "login"
    assert house.store.read("SELECT count(*) FROM sessions WHERE user_id IS NOT NULL") == [(0,)]


def test_a_second_factor_is_asked_for_and_its_code_good_once() -> None:
    house = House()
    secret = house.with_second()
    house.clock.advance(totp.STEP_S * SECOND_MS)
    waiting = house.accounts.log_in(EMAIL, GOOD, HOME)
    assert waiting.second
    assert house.accounts.who(waiting.word) is None
    code = house.code(secret)
    wrong = "000000" if code != "000000" else "111111"
    assert refusal(lambda: house.accounts.second(waiting.word, wrong, HOME)) == "second"
    assert house.accounts.who(house.accounts.second(waiting.word, code, HOME).word) is not None
    assert refusal(lambda: house.accounts.second(waiting.word, house.code(secret, 1), HOME)) == "second_over"
    again = house.accounts.log_in(EMAIL, GOOD, HOME).word
    assert refusal(lambda: house.accounts.second(again, code, HOME)) == "second"
    assert house.accounts.second(again, house.code(secret, 1), HOME)


def test_the_code_that_proved_a_second_factor_is_used_up() -> None:
    house = House()
    secret = house.with_second()
    waiting = house.accounts.log_in(EMAIL, GOOD, HOME).word
    assert refusal(lambda: house.accounts.second(waiting, house.code(secret), HOME)) == "second"


def test_a_wait_for_a_code_ends_and_ends_with_the_password() -> None:
    house = House()
    secret = house.with_second()
    waiting = house.accounts.log_in(EMAIL, GOOD, HOME).word
    house.clock.advance(WAIT_MS)
    assert refusal(lambda: house.accounts.second(waiting, house.code(secret), HOME)) == "second_over"
    waiting = house.accounts.log_in(EMAIL, GOOD, HOME).word
    house.accounts.set_password(house.id, OTHER)
    assert refusal(lambda: house.accounts.second(waiting, house.code(secret), HOME)) == "login"


def test_a_recovery_code_is_good_once() -> None:
    house = House()
    house.with_second()
    for expected in (None, "second"):
        waiting = house.accounts.log_in(EMAIL, GOOD, HOME).word
        if expected is None:
            assert house.accounts.second(waiting, house.codes[0].upper(), HOME).user.id == house.id
        else:
            assert refusal(lambda word=waiting: house.accounts.second(word, house.codes[0], HOME)) == expected


def test_setting_up_needs_the_password_and_the_apps_own_code() -> None:
    house = House()
    assert refusal(lambda: house.accounts.enrol(house.id, OTHER, HOME)) == "password"
    assert refusal(lambda: house.accounts.confirm_second(house.id, "000000")) == "second"
    secret = house.with_second()
    assert refusal(lambda: house.accounts.confirm_second(house.id, house.code(secret))) == "second"
    assert refusal(lambda: house.accounts.drop_second(house.id, OTHER, HOME)) == "password"
    assert house.accounts.who(house.accounts.drop_second(house.id, GOOD, HOME)) is not None
    assert not house.accounts.log_in(EMAIL, GOOD, HOME).second


def test_guessing_is_slowed_down_and_the_right_password_does_not_help_meanwhile() -> None:
    house = House()
    assert [house.fails() for _ in range(PAIR_FREE)] == ["login"] * PAIR_FREE
    assert refusal(lambda: house.accounts.log_in(EMAIL, GOOD, AWAY)) == "too_many_tries"
    house.clock.advance(SECOND_MS)
    assert house.accounts.log_in(EMAIL, GOOD, AWAY)


def test_an_attack_from_elsewhere_does_not_lock_out_who_got_in_before() -> None:
    house = House()
    house.accounts.log_in(EMAIL, GOOD, HOME)
    for attacker in range(ACCOUNT_FREE):
        house.fails(address=f"203.0.113.{attacker}")
    assert refusal(lambda: house.accounts.log_in(EMAIL, GOOD, "203.0.113.99")) == "too_many_tries"
    assert house.accounts.log_in(EMAIL, GOOD, HOME)


def test_an_account_that_is_not_there_is_slowed_down_alike() -> None:
    house = House()
    codes = [house.fails(email="nobody@example.com") for _ in range(PAIR_FREE + 1)]
    assert codes == ["login"] * PAIR_FREE + ["too_many_tries"]


def test_an_old_hash_is_made_anew_at_the_next_login() -> None:
    house = House()
    before = house.accounts.users.get(house.id).password
    stronger = Accounts(house.store, bytes(32), house.clock, Passwords(memory_kib=128, rounds=1), "shop")
    kept = stronger.log_in(EMAIL, GOOD, HOME).word
    after = stronger.users.get(house.id).password
    assert before != after
    assert "m=128" in after
    assert stronger.who(kept) is not None


def test_an_invitation_is_for_one_good_password_in_time() -> None:
    house = House()
    user, word = house.accounts.add("Bob", "bob@example.com", "analyst")
    assert refusal(lambda: house.accounts.accept(word, "short")) == "password"
    assert house.accounts.accept(word, OTHER).user.id == user.id
    assert refusal(lambda: house.accounts.accept(word, OTHER)) == "link"
    late = house.accounts.invite(user.id)
    house.clock.advance(INVITATION_MS)
    assert refusal(lambda: house.accounts.accept(late, OTHER)) == "link"


def test_a_reset_forgets_password_and_second_factor() -> None:
    house = House()
    house.with_second()
    word = house.accounts.reset(house.id)
    assert refusal(lambda: house.accounts.log_in(EMAIL, GOOD, HOME)) == "login"
    house.accounts.accept(word, OTHER)
    assert not house.accounts.log_in(EMAIL, OTHER, HOME).second


@pytest.mark.parametrize(
    ("role", "roles", "may"),
    [
        ("owner", ("owner",), True),
        ("admin", ("marketer",), True),
        ("admin", (), True),
        ("admin", ("owner",), False),
        ("admin", ("marketer", "owner"), False),
        ("developer", ("owner",), False),
        ("admin", ("privacy_officer",), False),
        ("owner", ("privacy_officer",), True),
    ],
)
def test_only_an_owner_changes_owners(role: str, roles: tuple[str, ...], may: bool) -> None:
    who = Principal(by="user:1", role=role)  # type: ignore[arg-type]
    if may:
        require_above(who, *roles)  # type: ignore[arg-type]
    else:
        assert refusal(lambda: require_above(who, *roles)) == "role"  # type: ignore[arg-type]
