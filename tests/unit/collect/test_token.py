"""Keys of requests: Basic user or body, and odd headers."""

from __future__ import annotations

import base64

import pytest

from livepost.collect.limits import MAX_TOKEN_CHARS
from livepost.collect.token import MAX_REMEMBERED_BYTES, authenticate, basic_user
from livepost.errors import RejectedError
from livepost.model.record import KeyKind


class AnyKey:
    """Knows every key, as a source of the key's own name."""

    def lookup(self, token: str) -> tuple[str, KeyKind] | None:
        return token, KeyKind.WRITE


@pytest.mark.parametrize(
    ("header", "user"),
    [
        (b"Basic " + base64.b64encode(b"WK:"), "WK"),
        (b"basic " + base64.b64encode(b"WK:password"), "WK"),
        (b"Basic " + base64.b64encode(b"WK"), "WK"),
        (b"Basic ", ""),
        (b"Basic !!!", ""),
        (b"Basic " + base64.b64encode(b"\xff\xfe"), ""),
        (b"Bearer WK", None),
        (b"", None),
    ],
)
def test_the_user_of_basic_authentication_is_the_key(header: bytes, user: str | None) -> None:
    assert basic_user(header) == user


def test_a_key_is_looked_up_to_the_bound_and_refused_beyond() -> None:
    assert authenticate(AnyKey(), None, "k" * MAX_TOKEN_CHARS)[1] is KeyKind.WRITE
    with pytest.raises(RejectedError) as refused:
        authenticate(AnyKey(), None, "k" * (MAX_TOKEN_CHARS + 1))
    assert refused.value.status == 401


def test_an_unreadable_basic_header_is_not_made_good_by_the_body() -> None:
    with pytest.raises(RejectedError):
        authenticate(AnyKey(), b"Basic !!!", "WK")


def test_a_header_is_read_the_same_whether_it_is_remembered_or_too_long_for_that() -> None:
    known = AnyKey()
    for password in ("", "p" * MAX_REMEMBERED_BYTES):
        header = b"Basic " + base64.b64encode(f"k:{password}".encode())
        assert [authenticate(known, header, None) for _ in range(2)] == [("k", KeyKind.WRITE)] * 2
