from __future__ import annotations

import pytest

from livepost.govern.access.mask import HIDDEN, STRICTNESS, How, masked, pseudonym, stricter

KEY = bytes(range(32))


@pytest.mark.parametrize(
    ("value", "partial", "bucket"),
    [
        ("ada@example.com", "a…@example.com", HIDDEN),
        ("Ada Lovelace", "A…", HIDDEN),
        ("x", HIDDEN, HIDDEN),
        (" ", HIDDEN, HIDDEN),
        (41, HIDDEN, "40 to 49"),
        (0, HIDDEN, "0 to 9"),
        (-3, HIDDEN, HIDDEN),
        (float("nan"), HIDDEN, HIDDEN),
        (1e300, HIDDEN, HIDDEN),
        (True, HIDDEN, HIDDEN),
        ("1990-05-17", "1…", "1990s"),
        ("1990-05-17T10:00:00.000Z", "1…", "1990s"),
        ({"street": "Main"}, HIDDEN, HIDDEN),
    ],
)
def test_a_part_and_a_range_say_less_and_else_nothing(value: object, partial: str, bucket: str) -> None:
    assert masked(value, "partial", KEY) == partial
    assert masked(value, "bucket", KEY) == bucket


@pytest.mark.parametrize("how", [how for how in STRICTNESS if how != "plain"])
def test_no_mask_says_a_value_and_nothing_stays_nothing(how: How) -> None:
    assert "lovelace" not in str(masked(["Ada Lovelace", {"a": "Lovelace"}], how, KEY)).casefold()
    assert masked(None, how, KEY) is None
    assert masked("", how, KEY) == ""


def test_a_pseudonym_is_of_one_value_under_one_key() -> None:
    assert pseudonym("ada@example.com", KEY) == pseudonym("ADA@example.com ", KEY)
    assert len({pseudonym(value, key) for value in ("ada", "bob") for key in (KEY, bytes(32))}) == 4
    assert pseudonym("ada", b"") == HIDDEN
    assert "ada" not in pseudonym("ada", KEY)


def test_the_stricter_of_two_says_less() -> None:
    assert stricter("hide", "partial") == stricter("partial", "hide") == "hide"
    assert stricter("plain", "bucket") == "bucket"
