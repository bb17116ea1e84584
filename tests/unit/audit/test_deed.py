from __future__ import annotations

import pytest

from livepost.audit.deed import by_key, by_session, named, people_of, source_of


@pytest.mark.parametrize("name", ["browse_reminder", "*", "ab" * 16, "position.17", "$opens"])
def test_names_and_ids_are_kept(name: str) -> None:
    assert named(name) == name


@pytest.mark.parametrize("text", ["ada@example.com", "Ada Lovelace", "+49 30 1234", "10115", "x" * 101, "", "a\nb"])
def test_what_could_be_a_persons_own_words_is_not(text: str) -> None:
    assert named(text) == ""


def test_people_are_named_once_and_whoever_acts_by_what_they_came_with() -> None:
    assert people_of(["ab", "cd", "ab"]) == (b"\xab", b"\xcd")
    assert (by_key("server"), by_session("0f")) == ("key:server", "session:0f")
    assert source_of(by_key("server")) == "server"
