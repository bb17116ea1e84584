"""Passwords: which are taken, and how they are hashed."""

from __future__ import annotations

import threading

import pytest

from livepost.errors import OverloadedError, RejectedError
from livepost.govern.login.password import (
    LANES,
    MEMORY_KIB,
    PASSWORD_MAX,
    ROUNDS,
    WAITING_MAX,
    Passwords,
    require_good,
)

QUICK = Passwords(memory_kib=64, rounds=1)


@pytest.mark.parametrize(
    "password",
    [
        "short enough",
        "seven orange ladders",
        "пароль из слов",
        "x" * 8 + "yzab1234",
        "correct horse battery",
        "no digits or signs at all",
    ],
)
def test_what_is_long_and_not_common_is_taken_whatever_it_is_made_of(password: str) -> None:
    require_good(password, "ada@example.com")


@pytest.mark.parametrize(
    "password",
    [
        "elevenchars",
        "aaaaaaaaaaaaaaaa",
        "123123123123",
        "123456789012",
        "Password1234",
        "P@ssw0rd!!!!!",
        "qwertyuiop123",
        "!!welcome2026!!",
        "passwordpassword",
        "LiverpoolFC2026",
        "correcthorsebatterystaple",
        "livepost2026!!",
        "lovelacelovelace",
        "ada.lovelace1",
        "x" * (PASSWORD_MAX + 1),
    ],
)
def test_what_is_short_common_or_ones_own_name_is_not(password: str) -> None:
    with pytest.raises(RejectedError, match="expected a password"):
        require_good(password, "lovelace@example.com", "ada.lovelace")


def test_a_hash_is_argon2id_by_owasps_parameters() -> None:
    hashed = Passwords().hash("seven orange ladders")
    assert hashed.startswith(f"$argon2id$v=19$m={MEMORY_KIB},t={ROUNDS},p={LANES}$")
    assert (MEMORY_KIB, ROUNDS, LANES) == (19_456, 2, 1)


def test_only_the_same_password_is_right() -> None:
    hashed = QUICK.hash("seven orange ladders")
    assert QUICK.is_right(hashed, "seven orange ladders")
    assert not QUICK.is_right(hashed, "Seven orange ladders")
    assert not QUICK.is_right("", "seven orange ladders")
    assert not QUICK.is_right("", "the password of nobody")
    assert not QUICK.is_right("no hash at all", "seven orange ladders")


def test_other_keyboards_write_the_same_password() -> None:
    assert QUICK.is_right(QUICK.hash("cafe\u0301 au lait"), "caf\u00e9 au lait")


def test_a_hash_of_other_parameters_is_old() -> None:
    hashed = QUICK.hash("seven orange ladders")
    assert not QUICK.is_old(hashed)
    stronger = Passwords(memory_kib=128, rounds=1)
    assert stronger.is_old(hashed)
    assert stronger.is_right(hashed, "seven orange ladders")


def test_without_a_hash_the_work_is_the_same() -> None:
    verified: list[str] = []
    passwords = Passwords(memory_kib=64, rounds=1)
    hasher = passwords._hasher

    class Counting:
        def verify(self, hashed: str, password: str) -> bool:
            verified.append(hashed.split("$")[3])
            return hasher.verify(hashed, password)

    passwords._hasher = Counting()  # type: ignore[assignment]
    passwords.is_right("", "seven orange ladders")
    passwords.is_right(hasher.hash("another password"), "seven orange ladders")
    assert verified == ["m=64,t=1,p=1"] * 2


def test_who_would_wait_too_long_is_told_so() -> None:
    passwords = Passwords(memory_kib=64, rounds=1)
    held = [passwords._waiting.acquire() for _ in range(WAITING_MAX)]
    with pytest.raises(OverloadedError, match="fewer people"):
        passwords.hash("seven orange ladders")
    for _ in held:
        passwords._waiting.release()
    done = [threading.Thread(target=passwords.hash, args=("seven orange ladders",)) for _ in range(WAITING_MAX)]
    for one in done:
        one.start()
    for one in done:
        one.join()
    assert passwords.hash("seven orange ladders")
