"""What differs, and what a row says while it is under way and behind it."""

from __future__ import annotations

from typing import Any

from livepost.sync.card import NOTHING, Card, Change, Ident, Row, accepted, differ, doubted, intended

ADA = Ident("email", "ada@example.com")
WANTED = Change(handle=b"h", person=b"p", ident=ADA)


def digest(value: Any) -> str:
    return f"<{value!r}>"


def row(sure: str = "", maybe: str = "", **values: Any) -> Row:
    digests = {name: digest(value) for name, value in values.items()}
    return Row(handle=b"h", person=b"p", ident=b"", sure=frozenset(sure), maybe=frozenset(maybe), digests=digests)


def card(lists: str, **values: Any) -> Card:
    return Card(lists=frozenset(lists), values=values)


def told(before: Row | None, wanted: Card | None) -> tuple[str, str, dict[str, Any], bool] | None:
    change = differ(before, WANTED, wanted, digest)
    return change and ("".join(change.add), "".join(change.remove), dict(change.values), change.delete)


def test_only_what_differs_is_told() -> None:
    assert told(None, card("ab", x=1)) == ("ab", "", {"x": 1}, False)
    assert told(row("ab", "ab", x=1), card("ab", x=1)) is None
    assert told(row("ab", "ab", x=1, y=2), card("ab", x=3, y=2)) == ("", "", {"x": 3}, False)
    assert told(row("ab", "ab"), card("bc")) == ("c", "a", {}, False)


def test_what_may_be_there_goes_and_is_put_again() -> None:
    assert told(row("", "ab"), card("b")) == ("b", "a", {}, False)
    assert told(row("", "a"), NOTHING) == ("", "a", {}, False)
    assert told(row("", ""), NOTHING) is None
    assert told(None, NOTHING) is None


def test_values_of_whoever_is_in_no_list_stay_here() -> None:
    assert told(row("a", "a", x=1), Card(values={"x": 2})) == ("", "a", {}, False)


def test_who_is_forgotten_is_deleted_if_there_was_ever_anything() -> None:
    assert told(row(), None) == ("", "", {}, True)
    assert told(None, None) is None


def test_nothing_that_is_under_way_is_sure() -> None:
    change = differ(row("ab", "ab", x=1, y=2), WANTED, card("bc", x=3, y=2), digest)
    assert change is not None
    under_way = intended(row("ab", "ab", x=1, y=2), change)
    assert under_way == row("b", "abc", y=2)
    assert accepted(under_way, change, digest) == row("bc", "bc", x=3, y=2)
    again = differ(under_way, WANTED, card("bc", x=3, y=2), digest)
    assert again == change, "it may be repeated as it was"
    assert doubted(row("b", "bc", x=1)) == row("", "bc")
