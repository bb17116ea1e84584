"""A mail as commands and content: nothing injected, nothing altered, nothing said that the server did not offer."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livepost.deliver.envelope import MAX_MAIL_BYTES, Opening, content, envelope, unfit, unoffered
from livepost.deliver.message import MAX_HEADER_CHARS
from livepost.model.message import Message

MAIL = Message(
    decision=bytes(16),
    person=bytes(16),
    sender="shop@example.com",
    recipient="ada@example.com",
    message_id="<1@example.com>",
    raw=b"Subject: Hi\r\n\r\nHi\r\n",
)


def mail(**also: object) -> Message:
    return msgspec.structs.replace(MAIL, **also)


def received(wire: bytes) -> bytes:
    """Return what a server makes of the content (RFC 5321, 4.5.2): written apart from ours, line by line."""
    lines = []
    for line in wire.split(b"\r\n"):
        if line == b".":
            break
        lines.append(line.removeprefix(b"."))
    return b"".join(line + b"\r\n" for line in lines)


def test_an_ordinary_mail_is_fit_and_needs_nothing_of_the_server() -> None:
    assert unfit(MAIL) == unoffered(MAIL, {}) == ""
    assert envelope(MAIL, {}) == (b"MAIL FROM:<shop@example.com>", b"RCPT TO:<ada@example.com>")


@pytest.mark.parametrize(
    "address",
    [
        "", "ada", "@example.com", "ada@", "a@b@c.de", "ada@example.com>\r\nDATA", "ada@example.com\n",
        "<ada@example.com>", "ada@example.com SIZE=1", "ada\x00@example.com", "a\x85b@example.com",
        "a\u2028b@example.com", "a\udc80@example.com", "a" * 65 + "@example.com",
    ],
)  # fmt: skip
def test_an_address_that_is_not_bare_is_refused(address: str) -> None:
    assert "bare addresses" in unfit(mail(recipient=address))
    assert "bare addresses" in unfit(mail(sender=address))


@pytest.mark.parametrize(
    "raw", [b"a\nb\r\n", b"a\rb\r\n", b"a\r\n\n", b"\r\r\n", b"a\r\n.\n\r\n", b"a\0b\r\n", b"a\n\r"]
)
def test_a_bare_newline_is_refused_since_servers_differ_about_where_the_mail_ends(raw: bytes) -> None:
    assert "CRLF" in unfit(mail(raw=raw))


def test_a_line_at_the_bound_is_taken_and_one_byte_more_is_not() -> None:
    assert unfit(mail(raw=b"x" * MAX_HEADER_CHARS + b"\r\n")) == ""
    assert "lines of at most 998" in unfit(mail(raw=b"x" * (MAX_HEADER_CHARS + 1) + b"\r\n"))


def test_a_mail_at_the_bound_is_taken_and_one_byte_more_is_not() -> None:
    raw = (b"x" * 98 + b"\r\n") * (MAX_MAIL_BYTES // 100)
    assert unfit(mail(raw=raw)) == ""
    assert "expected at most" in unfit(mail(raw=raw + b"x"))


def test_characters_beyond_ascii_in_an_address_need_smtputf8() -> None:
    one = mail(recipient="ådå@example.com")
    assert unfit(one) == ""
    assert "no SMTPUTF8" in unoffered(one, {"8bitmime": ""})
    assert unoffered(one, {"smtputf8": ""}) == ""
    assert envelope(one, {"smtputf8": ""}) == (
        b"MAIL FROM:<shop@example.com> SMTPUTF8",
        "RCPT TO:<ådå@example.com>".encode(),
    )


def test_bytes_beyond_ascii_need_8bitmime() -> None:
    one = mail(raw="Subject: Hi\r\n\r\nå\r\n".encode())
    assert "no 8BITMIME" in unoffered(one, {"smtputf8": ""})
    assert unoffered(one, {"8bitmime": ""}) == ""
    assert envelope(one, {"8bitmime": ""})[0] == b"MAIL FROM:<shop@example.com> BODY=8BITMIME"


def test_options_that_no_mail_needs_are_not_said_though_offered_and_the_size_is() -> None:
    offered = {"8bitmime": "", "smtputf8": "", "size": "10240000", "pipelining": ""}
    assert envelope(MAIL, offered)[0] == b"MAIL FROM:<shop@example.com> SIZE=%d" % len(MAIL.raw)


@given(st.lists(st.sampled_from([b"", b".", b"..", b".x", b"x", b"x.", b". .", b"\xc3\xa5"]), min_size=1, max_size=8))
def test_what_a_server_receives_is_what_was_given(lines: list[bytes]) -> None:
    raw = b"".join(line + b"\r\n" for line in lines)
    wire = content(raw)
    assert received(wire) == raw
    assert wire.endswith(b".\r\n") and wire.count(b"\r\n.\r\n") + wire.startswith(b".\r\n") == 1


def test_without_doubled_dots_the_mail_would_be_cut_and_the_check_would_see_it() -> None:
    raw = b"a\r\n.\r\nb\r\n"
    assert received(raw + b".\r\n") != raw


def test_content_without_a_newline_at_its_end_gets_one() -> None:
    assert received(content(b"a")) == b"a\r\n"


SAID = b"MAIL FROM:<shop@example.com>\r\n", b"RCPT TO:<ada@example.com>\r\n", b"DATA\r\n"


def test_commands_are_said_one_by_one_and_together_only_where_it_is_offered() -> None:
    apart, together = Opening(MAIL, {}), Opening(MAIL, {"pipelining": ""})
    for words, code in zip(SAID, (250, 250, 354), strict=True):
        assert not apart.is_over
        assert [apart.next_words(), apart.next_words()] == [(words, 1), (b"", 0)]
        apart.hear(code)
        assert apart.is_granted
    assert apart.is_over
    assert [together.next_words(), together.next_words()] == [(b"".join(SAID), 3), (b"", 0)]


@pytest.mark.parametrize(
    ("codes", "granted", "owed", "awaited", "would_arrive"),
    [
        ((250, 250, 354), True, False, True, True),
        ((550,), False, True, False, False),
        ((250, 550), False, True, False, False),
        ((250, 550, 354), False, False, True, False),
        ((550, 250, 354), False, False, True, True),
        ((550, 503, 503), False, False, False, False),
        ((250, 251, 451), False, False, False, False),
    ],
)
def test_what_was_refused_is_told_from_what_still_waits_for_a_content(
    codes: tuple[int, ...], granted: bool, owed: bool, awaited: bool, would_arrive: bool
) -> None:
    opening = Opening(MAIL, {"pipelining": ""})
    opening.next_words()
    for code in codes:
        opening.hear(code)
    found = (opening.is_granted, opening.is_owed, opening.is_awaited, opening.would_arrive)
    assert found == (granted, owed, awaited, would_arrive)
