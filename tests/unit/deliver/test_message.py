"""The bytes of mails: both ways give the same; no value gets into a header that does not belong there (E1, E4)."""

from __future__ import annotations

import email
import email.policy
import re
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livepost.deliver.message import MAX_HEADER_CHARS, From, HeaderError, Parts, Skeleton, compose, is_address

SHOP = From('Größe & Co, "the" Shop', "hello@shop.example")
URL = "https://m.shop.example/u/"
SKELETONS = {one_click: Skeleton(SHOP, one_click=one_click) for one_click in (True, False)}

GREETINGS = [
    "Still thinking, {}?", "Noch unentschlossen, {}?", "Tu hésites encore, {} ?", "¿Aún lo piensas, {}?",
    "Ancora indecisa, {}?", "Ainda pensando, {}?", "Nog aan het twijfelen, {}?", "Funderar du än, {}?",
    "Tænker du stadig, {}?", "Mietitkö vielä, {}?", "Tenker du fortsatt, {}?", "Wciąż się wahasz, {}?",
    "Ještě váháte, {}?", "Ešte váhate, {}?", "Még gondolkodik, {}?", "Încă te gândești, {}?", "Още ли мислиш, {}?",
    "Всё ещё думаете, {}?", "Ще вагаєтеся, {}?", "Ακόμα το σκέφτεσαι, {};", "Hâlâ düşünüyor musun, {}?",
    "עדיין מתלבט, {}?",
    "ما زلت تفكر، {}؟",
    "هنوز فکر می‌کنید، {}؟",
    "अब भी सोच रहे हैं, {}?",
    "এখনও ভাবছেন, {}?",
    "இன்னும் யோசிக்கிறீர்களா, {}?",
    "ఇంకా ఆలోచిస్తున్నారా, {}?", "ยังคิดอยู่ไหม {}?", "Vẫn đang nghĩ, {}?",
    "Masih memikirkannya, {}?", "Nag-iisip ka pa ba, {}?",
    "还在考虑吗,{}?", "還在考慮嗎,{}?", "まだ考え中ですか、{}さん?",
    "아직 고민 중이신가요, {}님?", "Ikke sikker, {}?", "Ertu enn að hugsa, {}?", "Fós ag smaoineamh, {}?",
    "🤔 {} 🛒",
]  # fmt: skip


def parts(**also: Any) -> Parts:
    told: dict[str, Any] = {
        "recipient": "ada@example.com",
        "subject": "Hi",
        "at_ms": 1_700_000_000_123,
        "message_id": "<" + "a" * 32 + "@shop.example>",
        "boundary": "=_" + "b" * 32,
        "text": "Hi\n",
        "html": "<p>Hi</p>",
        "unsubscribe_url": URL + "A" * 400,
    }
    return Parts(**told | also)


def parsed(raw: bytes) -> EmailMessage:
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def printable(**also: Any) -> st.SearchStrategy[str]:
    return st.text(**also).filter(lambda text: text.isprintable() and "=?" not in text)


@settings(max_examples=150, deadline=None)
@given(
    subject=printable(max_size=250),
    text=st.text(max_size=300),
    html=st.text(max_size=3_000),
    local=st.from_regex(r"[a-z0-9]([a-z0-9._+-]{0,30}[a-z0-9])?", fullmatch=True).filter(lambda x: ".." not in x),
    domain=st.from_regex(r"[a-z]{1,60}(\.[a-z]{1,60}){1,3}", fullmatch=True),
    one_click=st.booleans(),
)
def test_the_skeleton_gives_the_bytes_of_email_message(
    subject: str, text: str, html: str, local: str, domain: str, one_click: bool
) -> None:
    given_parts = parts(
        subject=subject,
        text=text,
        html=html,
        recipient=f"{local}@{domain}",
        unsubscribe_url=URL + "A" * 400 if one_click else "",
    )
    assert SKELETONS[one_click].fill(given_parts) == compose(SHOP, given_parts)


@pytest.mark.parametrize("number", range(300))
def test_a_mail_is_right_on_the_wire(number: int) -> None:
    greeting = GREETINGS[number % len(GREETINGS)]
    subject = greeting.format("Ada " * (number % 7)).strip()
    html = f"<p>{greeting}</p>" + "x" * (number * 40)
    url = URL + "A" * (50 + 350 * (number % 2))
    raw = SKELETONS[True].fill(parts(subject=subject, html=html, text=greeting, unsubscribe_url=url))
    lines = raw.split(b"\r\n")
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert max(map(len, lines)) <= MAX_HEADER_CHARS
    assert lines.count(b"List-Unsubscribe-Post: List-Unsubscribe=One-Click") == 1
    assert lines.count(f"List-Unsubscribe: <{url}>".encode()) == 1
    head = raw.split(b"\r\n\r\n", 1)[0]
    for word in re.findall(rb"=\?[^\s]*\?=", head):
        assert len(word) <= 75
    for line in head.split(b"\r\n"):
        assert len(line) <= 78 or line.startswith((b"List-Unsubscribe:", b"Message-ID:"))
    body = raw.split(b"\r\n\r\n", 1)[1]
    assert max(map(len, body.split(b"\r\n"))) <= 76
    message = parsed(raw)
    assert not message.defects
    assert message["Subject"] == subject
    assert message["From"].addresses[0].display_name == SHOP.name
    plain, rich = message.iter_parts()
    assert isinstance(plain, EmailMessage)
    assert isinstance(rich, EmailMessage)
    assert (plain.get_content_type(), rich.get_content_type()) == ("text/plain", "text/html")
    assert plain.get_content().rstrip() == greeting
    assert rich.get_content().rstrip() == html


def test_control_pythons_own_policy_folds_the_long_address_into_encoded_words() -> None:
    message = EmailMessage(policy=email.policy.SMTP)
    message["List-Unsubscribe"] = f"<{URL}{'A' * 400}>"
    assert b"=?utf-8?q?" in message.as_bytes()


BREAKS = [
    "\n", "\r", "\r\n", "\n\r", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029", "\x00", "\x1b",
    "\x7f", "\x08", "\t", "\ud800", "\udfff", "\x80", "\x9f",
]  # fmt: skip


@pytest.mark.parametrize("broken", BREAKS)
@pytest.mark.parametrize("field", ["subject", "recipient", "message_id", "unsubscribe_url"])
@pytest.mark.parametrize("shape", ["{0}Bcc: x@evil.example", "a{0}Bcc: x@evil.example", "a{0} b", "a{0}"])
def test_no_newline_or_control_of_any_kind_gets_into_a_header(broken: str, field: str, shape: str) -> None:
    value = shape.format(broken) + ("@example.com" if field == "recipient" else "")
    bad = parts(**{field: value})
    for make in (lambda: compose(SHOP, bad), lambda: SKELETONS[True].fill(bad)):
        with pytest.raises(HeaderError) as raised:
            make()
        assert "evil" not in str(raised.value)


@pytest.mark.parametrize("value", ["=?utf-8?q?a=0d=0aBcc:_x@evil.example?=", "x =?utf-8?b?DQpCY2M6IHhAeQ==?= y", "=?"])
def test_an_encoded_word_is_refused(value: str) -> None:
    with pytest.raises(HeaderError, match="expected plain text"):
        SKELETONS[True].fill(parts(subject=value))


@pytest.mark.parametrize("name", ["Shop\r\nBcc: x@evil.example", "a\u2028b", "=?utf-8?q?x?="])
def test_a_sender_with_a_newline_is_refused_at_the_start(name: str) -> None:
    with pytest.raises(HeaderError, match="From"):
        Skeleton(From(name, "hello@shop.example"), one_click=True)


@pytest.mark.parametrize(
    ("address", "good"),
    [
        ("ada@example.com", True),
        ("a.b+c@sub.example.co", True),
        ("o'neil@example.com", True),
        ("a" * 64 + "@example.com", True),
        ("a" * 65 + "@example.com", False),
        ("ada@" + "a" * 63 + ".example", True),
        ("ada@" + "a" * 64 + ".example", False),
        ("ada@" + ".".join(["a" * 60] * 5), False),
        ("", False),
        ("@", False),
        ("ada", False),
        ("ada@localhost", False),
        ("ada@@example.com", False),
        ("a@b@example.com", False),
        (".ada@example.com", False),
        ("a..b@example.com", False),
        ('"ada"@example.com', False),
        ("Ada <ada@example.com>", False),
        ("ada@example.com, bob@example.com", False),
        ("ada@example.com>", False),
        ("ada@exämple.com", False),
        ("ada@[127.0.0.1]", False),
        ("ada @example.com", False),
    ],
)
def test_an_address_is_one_that_can_be_written_to(address: str, good: bool) -> None:
    assert is_address(address) is good


def test_a_line_of_dots_and_from_is_only_text() -> None:
    text = ".\r\n..\r\nFrom x\r\n--=_" + "b" * 32 + "--\r\n"
    message = parsed(SKELETONS[False].fill(parts(text=text, unsubscribe_url="")))
    plain, _ = message.iter_parts()
    assert isinstance(plain, EmailMessage)
    assert plain.get_content() == text
    assert message["List-Unsubscribe"] is None


def test_one_click_needs_an_address_and_the_other_skeleton_none() -> None:
    with pytest.raises(HeaderError, match="unsubscribe address"):
        SKELETONS[True].fill(parts(unsubscribe_url=""))
    with pytest.raises(HeaderError, match="unsubscribe address"):
        SKELETONS[False].fill(parts())


def test_an_unsubscribe_address_fits_its_line_or_is_refused() -> None:
    room = MAX_HEADER_CHARS - len("List-Unsubscribe: <>") - len(URL)
    assert f"<{URL}{'A' * room}>\r\n".encode() in SKELETONS[True].fill(parts(unsubscribe_url=URL + "A" * room))
    with pytest.raises(HeaderError, match="998"):
        SKELETONS[True].fill(parts(unsubscribe_url=URL + "A" * (room + 1)))
