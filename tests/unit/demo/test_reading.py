"""What the demo's shoppers do with their mails."""

from __future__ import annotations

from livepost.demo.reading import Habit, Letter, choice_without, habit_of, letter_of
from livepost.ids import digest
from livepost.measure.machine import Request, machine

RAW = (
    b"From: The Shop <hello@shop.example>\r\nTo: h0007@example.com\r\nSubject: Hi\r\n"
    b"List-Unsubscribe: <https://m.example/u/t1>\r\nMIME-Version: 1.0\r\n"
    b'Content-Type: multipart/alternative; boundary="b"\r\n\r\n'
    b"--b\r\nContent-Type: text/plain\r\n\r\nhttps://m.example/c/text\r\n"
    b"--b\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    b'<a href=3D"https://m.example/preferences/t2">choose</a><a href=3D"https://m.example/c/=\r\nt3?a=3D1&amp;b">look</a>'
    b'<a href=3D"https://m.example/c/t4">more</a><img src=3D"https://m.example/o/t5.gif">\r\n--b--\r\n'
)


def test_a_mail_is_read_from_its_own_bytes() -> None:
    assert letter_of(RAW) == Letter(
        to="h0007@example.com",
        picture="https://m.example/o/t5.gif",
        click="https://m.example/c/t3?a=1&b",
        choose="https://m.example/preferences/t2",
        stop="https://m.example/u/t1",
    )


def test_a_mail_with_nothing_to_follow_is_read_too() -> None:
    assert letter_of(b"To: h0007@example.com\r\n\r\nHi\r\n") == Letter("h0007@example.com", "", "", "", "")


HABITS = [habit_of(digest("mail", number)) for number in range(2_000)]


def test_some_open_fewer_click_and_fewer_buy() -> None:
    opened, clicked, bought = (
        sum(getattr(one, what) is not None for one in HABITS) for what in ("opens", "clicks", "buys")
    )
    assert 1_000 < opened < 1_350 and 0.3 < clicked / opened < 0.5 and 0.3 < bought / clicked < 0.6
    assert any(one.chooses for one in HABITS) and any(one.stops for one in HABITS)


def test_everybody_does_one_thing_after_the_other() -> None:
    for one in HABITS:
        times = [one.opens, one.clicks, one.buys]
        told = [at for at in times if at is not None]
        assert told == sorted(told) and times[: len(told)] == told
        assert one.opens is not None or (one.chooses, one.stops) == (None, None)


def test_nobody_reads_with_what_is_taken_for_a_machine() -> None:
    for agent in {one.agent for one in HABITS}:
        for picture in (True, False):
            assert machine(Request(method="GET", agent=agent), picture=picture) == ""
    assert machine(Request(method="GET", agent="Mozilla/5.0"), picture=True)


def test_the_same_mail_is_read_in_the_same_way() -> None:
    assert habit_of(digest("mail", 7)) == HABITS[7] and len({*HABITS}) > 500
    assert isinstance(HABITS[0], Habit)


def test_a_form_goes_back_as_it_was_but_for_the_topic() -> None:
    page = (
        '<input type="hidden" name="whole" value="yes"><input type="hidden" name="shown" value="topic:a">'
        '<input type="checkbox" name="yes" value="topic:a" checked><input type="checkbox" name="yes" value="topic:b" '
        'checked><input type="checkbox" name="yes" value="topic:c">'
        '<input type="radio" name="frequency" value="" checked>'
    )
    assert choice_without(page, "topic:a") == [
        ("whole", "yes"),
        ("shown", "topic:a"),
        ("yes", "topic:b"),
        ("frequency", ""),
    ]
    assert choice_without("<p>Not now</p>", "topic:a") == []
