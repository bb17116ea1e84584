"""Passwords: which are taken, how they are hashed, whether one is right.

In: what was typed. Out: Argon2's text of a hash; yes or no. Promised: hashing is Argon2id by OWASP's parameters; only
AT_ONCE are hashed at a time (19 MiB and a core each), and who would have to wait too long is told to come again.
Source: NIST SP 800-63B, 3.1.1.2 (length and a list of common ones, no rules of composition); OWASP's Password Storage
Cheat Sheet.
"""

from __future__ import annotations

import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.resources import files

from argon2 import PasswordHasher, Type
from argon2.exceptions import Argon2Error, InvalidHashError

from livepost.errors import OverloadedError, RejectedError

PASSWORD_MIN = 12
PASSWORD_MAX = 256
DISTINCT_MIN = 5
"""Different characters that a password has at least: 'aaaaaaaaaaaa' is long and no secret."""

OWN_WORDS_MIN = 4
"""How long a part of a user's own address has to be for a password to be refused because of it."""

AT_ONCE = 2
WAITING_MAX = 8

MEMORY_KIB = 19_456
ROUNDS = 2
LANES = 1


class Passwords:
    """Hashes and checks; blocking, from any thread. The parameters are OWASP's unless a test says others."""

    def __init__(self, memory_kib: int = MEMORY_KIB, rounds: int = ROUNDS) -> None:
        self._hasher = PasswordHasher(time_cost=rounds, memory_cost=memory_kib, parallelism=LANES, type=Type.ID)
        self._turns = threading.BoundedSemaphore(AT_ONCE)
        self._waiting = threading.BoundedSemaphore(WAITING_MAX)
        self._nobodys = self._hasher.hash("the password of nobody")

    def hash(self, password: str) -> str:
        """Return the hash of a password that `require_good` let through; raise OverloadedError if too many wait."""
        with self._turn():
            return self._hasher.hash(_normal(password))

    def is_right(self, hashed: str, password: str) -> bool:
        """Return whether a password is that of a hash; takes as long where there is no hash, which is of nobody.

        Raises OverloadedError if too many wait.
        """
        with self._turn():
            try:
                return self._hasher.verify(hashed or self._nobodys, _normal(password[:PASSWORD_MAX])) and bool(hashed)
            except (Argon2Error, InvalidHashError):
                return False

    def is_old(self, hashed: str) -> bool:
        """Return whether a hash was made by other parameters than today's."""
        return self._hasher.check_needs_rehash(hashed)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._waiting.acquire(blocking=False):
            raise OverloadedError("expected fewer people logging in at a time; try again in a few seconds")
        try:
            with self._turns:
                yield
        finally:
            self._waiting.release()


def require_good(password: str, *own: str) -> None:
    """Raise RejectedError (422) for a password that is too short or long, common, or made of the user's own words."""
    if not PASSWORD_MIN <= len(_normal(password)) <= PASSWORD_MAX:
        raise _unfit(f"a password of {PASSWORD_MIN} to {PASSWORD_MAX} characters", "several words make a good one")
    plain = _normal(password).casefold()
    if len(set(plain)) < DISTINCT_MIN or plain in _common() or _stem(plain) in _common():
        raise _unfit("a password that nobody else has", "this one is among the first that are tried")
    words = [word for text in own for word in text.casefold().replace("@", " ").split() if len(word) >= OWN_WORDS_MIN]
    if any(len(plain.replace(word, "")) < PASSWORD_MIN - OWN_WORDS_MIN and word in plain for word in words):
        raise _unfit("a password that is not your name or address", "these are tried first")


def _normal(password: str) -> str:
    """Return a password as it is hashed: the same characters whichever keyboard typed them (NIST SP 800-63B)."""
    return unicodedata.normalize("NFKC", password)


def _stem(plain: str) -> str:
    """Return what is left without digits and signs at both ends, which is all that many add to a common word."""
    letters = [place for place, one in enumerate(plain) if one.isalpha()]
    stem = plain[letters[0] : letters[-1] + 1] if letters else ""
    half = stem[: len(stem) // 2]
    return half if half and half * 2 == stem else stem


@cache
def _common() -> frozenset[str]:
    text = (files("livepost.govern.login") / "common_passwords.txt").read_text()
    return frozenset(text.split())


def _unfit(expected: str, why: str) -> RejectedError:
    return RejectedError(f"expected {expected}, got another: {why}", code="password", status=422)
