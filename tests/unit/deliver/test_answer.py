"""What a server's answer means for a mail, and what is kept of its words."""

import pytest

from livepost.deliver.answer import TEXT_CHARS, after_content, before_content, one_line, queue_id, told


@pytest.mark.parametrize(
    ("codes", "state"),
    [
        ((500, 501, 503, 550, 551, 552, 553, 554, 555, 599), "failed"),
        ((421, 450, 451, 452, 455), "temporary"),
        ((530, 534, 535, 538), "temporary"),
        ((-1, 0, 100, 250, 354, 600), "temporary"),
    ],
)
def test_a_refusal_before_the_content_is_definite_only_where_it_is_about_the_mail(
    codes: tuple[int, ...], state: str
) -> None:
    assert {before_content(code) for code in codes} == {state}


@pytest.mark.parametrize(
    ("codes", "state"),
    [
        ((250, 251, 200, 299), "sent"),
        ((421, 450, 451, 452, 499), "temporary"),
        ((500, 535, 550, 554, 599), "failed"),
        ((-1, 0, 100, 199, 300, 354, 399, 600, 999), "unknown"),
    ],
)
def test_the_answer_to_the_content_is_definite_or_nobody_knows(codes: tuple[int, ...], state: str) -> None:
    assert {after_content(code) for code in codes} == {state}


@pytest.mark.parametrize(
    "text",
    [
        "5.1.1 <ada.b+x@example.com>: Recipient address rejected: User unknown",
        "5.1.1 The account ADA.B+X@EXAMPLE.COM does not exist",
        "5.7.1 unknown user ada.b+x in rcpt",
        "5.7.1 mailbox=ada.b+x (ada.b+x) (ada.b%2Bx%40example.com)",
        "see bounce-ada.b+x=example.com@relay.example",
        "2.1.5 ADA.B+X, Ok",
    ],
)
def test_no_address_stays_in_the_words(text: str) -> None:
    kept = told(550, text, "ada.b+x@example.com").lower()
    assert "ada.b" not in kept and "example.com" not in kept and "(address)" in kept


def test_what_is_no_address_stays() -> None:
    text = "5.7.1 Access denied. AS(201806281) https://support.example/mail/?p=NoSuchUser - gsmtp"
    assert told(550, text, "ada@example.com") == f"550 {text}"


def test_words_of_several_lines_and_bytes_that_are_no_text_become_one_line() -> None:
    assert one_line("one\ntwo\r\n\tthree\x00\udcff four\u2028five") == "one two three four five"
    one_line("\udc80").encode()


def test_words_at_the_bound_stay_whole_and_longer_ones_are_cut() -> None:
    assert one_line("x" * TEXT_CHARS) == "x" * TEXT_CHARS
    assert one_line("x" * (TEXT_CHARS + 1)) == "x" * TEXT_CHARS


@pytest.mark.parametrize(
    ("line", "id"),
    [
        ("250 2.0.0 Ok: queued as 4Xy12z3bNQz", "4Xy12z3bNQz"),
        ("250 OK id=1tE3xY-000000003Ab-1cDe", "1tE3xY-000000003Ab-1cDe"),
        ("250 Ok 0102018f-1234-000000", "250 Ok 0102018f-1234-000000"),
    ],
)
def test_the_servers_name_for_the_mail_is_kept(line: str, id: str) -> None:
    assert queue_id(line) == id
