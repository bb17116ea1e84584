"""One-time links and the names of cookies."""

from __future__ import annotations

from livepost.govern.session import COOKIE, LINK_MS, LINKS_MAX, Links, cookie_name

NOW = 1_767_603_600_000


def test_a_link_is_followed_once_and_in_time() -> None:
    links = Links()
    word = links.new(NOW)
    assert links.take(word, NOW + 1)
    assert not links.take(word, NOW + 2)
    late = links.new(NOW)
    assert not links.take(late, NOW + LINK_MS)
    assert not links.take("made up", NOW)
    assert not links.take("\ud800", NOW)


def test_beyond_the_bound_the_oldest_link_is_forgotten() -> None:
    links = Links()
    words = [links.new(NOW) for _ in range(LINKS_MAX + 1)]
    assert not links.take(words[0], NOW)
    assert links.take(words[1], NOW)


def test_over_tls_no_other_host_can_set_the_cookie() -> None:
    assert cookie_name(COOKIE, secure=True) == "__Host-livepost_session"
    assert cookie_name(COOKIE, secure=False) == "livepost_session"
