"""Sessions and the links that open them."""

from __future__ import annotations

import pytest

from livepost.govern.session import LINK_MS, LINKS_MAX, SESSION_MS, Links, Sessions

NOW = 1_767_603_600_000
SECRET = bytes(range(32))


def test_a_session_holds_until_its_end_and_not_a_millisecond_longer() -> None:
    sessions = Sessions(SECRET)
    word = sessions.begin(NOW)
    assert sessions.holds(word, NOW)
    assert sessions.holds(word, NOW + SESSION_MS - 1)
    assert not sessions.holds(word, NOW + SESSION_MS)


def test_no_two_sessions_have_the_same_word() -> None:
    sessions = Sessions(SECRET)
    assert len({sessions.begin(NOW) for _ in range(100)}) == 100


def test_another_workspace_s_word_opens_nothing() -> None:
    assert not Sessions(bytes(32)).holds(Sessions(SECRET).begin(NOW), NOW)


def test_a_word_with_any_character_changed_opens_nothing() -> None:
    sessions = Sessions(SECRET)
    word = sessions.begin(NOW)
    for place, letter in enumerate(word):
        changed = word[:place] + ("A" if letter != "A" else "B") + word[place + 1 :]
        assert not sessions.holds(changed, NOW), place


@pytest.mark.parametrize("word", ["", "A", "====", "ü" * 20, "\ud800", "A" * 76, "A" * 10_000_000, "a b", "-_-_"])
def test_what_is_no_word_opens_nothing(word: str) -> None:
    assert not Sessions(SECRET).holds(word, NOW)


def test_a_link_opens_once() -> None:
    links = Links()
    word = links.new(NOW)
    assert not links.take(word + "x", NOW)
    assert links.take(word, NOW + LINK_MS - 1)
    assert not links.take(word, NOW + LINK_MS - 1)


def test_a_link_that_waited_too_long_opens_nothing() -> None:
    links = Links()
    word = links.new(NOW)
    assert not links.take(word, NOW + LINK_MS)


def test_the_oldest_link_goes_when_there_are_too_many() -> None:
    links = Links()
    words = [links.new(NOW) for _ in range(LINKS_MAX + 1)]
    assert [links.take(word, NOW) for word in words] == [False] + [True] * LINKS_MAX


def test_no_word_of_a_link_breaks_it() -> None:
    assert not Links().take("\ud800", NOW)
