"""A mail taken apart is what its bytes say."""

from __future__ import annotations

import msgspec
import pytest

from livepost.deliver.esp.mail import plain, unsubscribe_url
from tests.unit.deliver.esp.desk import mail
from tests.unit.deliver.test_message import GREETINGS


def test_all_values_come_back() -> None:
    values = plain(mail())
    assert values.sender == "Ada's Tée <hello@shop.example>"
    assert values.subject == "Grüße: still thinking it over?"
    assert (values.text, values.html) == ("Dear Ada,\nété at 5 €.\n", "<p>Dear Ada,<br>été at 5 €.</p>\n")
    assert values.headers == {
        "Message-ID": mail().message_id,
        "List-Unsubscribe": f"<https://m.shop.example/u/{'A' * 300}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
    assert unsubscribe_url(values.headers) == f"https://m.shop.example/u/{'A' * 300}"


def test_a_transactional_mail_has_no_unsubscribe_headers() -> None:
    values = plain(mail(marketing=False))
    assert list(values.headers) == ["Message-ID"]
    assert unsubscribe_url(values.headers) == ""


def test_the_recipient_is_the_envelopes() -> None:
    one = msgspec.structs.replace(mail(), recipient="eve@example.com")
    assert plain(one).recipient == "eve@example.com"


@pytest.mark.parametrize("subject", GREETINGS)
def test_a_subject_of_any_language_comes_back(subject: str) -> None:
    raw = mail().raw.replace(b"Subject: =?utf-8?b?R3LDvMOfZTo=?= still thinking it over?", b"Subject: SUBJECT")
    assert b"SUBJECT" in raw
    one = msgspec.structs.replace(mail(), raw=raw.replace(b"SUBJECT", subject.encode()))
    assert plain(one).subject.strip()


def test_a_mail_of_one_part_has_that_part() -> None:
    one = msgspec.structs.replace(mail(), raw=b"Subject: Hi\r\n\r\nHi\r\n")
    assert (plain(one).text, plain(one).html, plain(one).sender) == ("Hi\n", "", "hello@shop.example")
