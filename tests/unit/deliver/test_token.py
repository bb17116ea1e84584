from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livepost.deliver.message import is_address
from livepost.deliver.token import MAX_TOKEN_CHARS, Bounces, Click, Tokens, Unsubscribe, is_web_address
from livepost.errors import SealError
from livepost.ids import digest

TOKENS = Tokens(digest("workspace", size=32))
ADA, MAIL = digest("ada"), digest("mail")


@given(st.text(max_size=50))
def test_a_token_says_what_it_was_made_for(purpose: str) -> None:
    link = Unsubscribe(MAIL, ADA, purpose)
    token = TOKENS.unsubscribe(link)
    assert TOKENS.open_unsubscribe(token) == link
    assert token == TOKENS.unsubscribe(link)
    assert len(token) <= MAX_TOKEN_CHARS
    assert token.isascii()


def test_nothing_readable_is_in_a_token() -> None:
    token = TOKENS.click(Click(MAIL, ADA, 3, "https://shop.example/a-cup"))
    assert token is not None
    raw = base64.urlsafe_b64decode(token + "==")
    assert not any(secret in raw for secret in (ADA, MAIL, b"shop", b"cup"))


@pytest.mark.parametrize("place", [0, 11, 12, 40, 59, -1])
def test_one_changed_byte_makes_a_token_nobodys(place: int) -> None:
    raw = bytearray(base64.urlsafe_b64decode(TOKENS.unsubscribe(Unsubscribe(MAIL, ADA, "news")) + "=="))
    raw[place] ^= 1
    with pytest.raises(SealError, match="expected a link from one of our mails"):
        TOKENS.open_unsubscribe(base64.urlsafe_b64encode(bytes(raw)).decode())


def test_tokens_of_another_kind_or_workspace_are_refused() -> None:
    click = TOKENS.click(Click(MAIL, ADA, 0, "https://shop.example"))
    assert click is not None
    with pytest.raises(SealError):
        TOKENS.open_unsubscribe(click)
    with pytest.raises(SealError):
        Tokens(digest("other", size=32)).open_click(click)


@pytest.mark.parametrize("token", ["", "x", "a" * 401, "ä", "a b", "%00", "../../etc", "A" * 38, "=" * 40, "A" * 400])
def test_what_is_no_token_is_refused(token: str) -> None:
    with pytest.raises(SealError):
        TOKENS.open_unsubscribe(token)


def test_a_token_has_at_most_400_characters() -> None:
    longest = "x" * 240
    assert len(TOKENS.unsubscribe(Unsubscribe(MAIL, ADA, longest))) == MAX_TOKEN_CHARS
    with pytest.raises(ValueError, match="at most 240 bytes"):
        TOKENS.unsubscribe(Unsubscribe(MAIL, ADA, longest + "x"))
    target = "https://shop.example/" + "x" * (238 - 21)
    fits = TOKENS.click(Click(MAIL, ADA, 1, target))
    assert fits is not None
    assert len(fits) == MAX_TOKEN_CHARS
    assert TOKENS.open_click(fits).target == target
    assert TOKENS.click(Click(MAIL, ADA, 1, target + "x")) is None


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)", "data:text/html,x", "//evil.example", "/path", "http:", "http://", "https:///x",
        "ftp://x.example", "https://a@b.example", "https://user:pw@b.example", "http://x y.example", "", "x",
        "https://x.example/\r\nSet-Cookie: a", "https://x.example/\u2028", "https://x.example\\@evil.example",
        "http://[::1", "java\tscript:x", "https://ü.example",
    ],
)  # fmt: skip
def test_a_click_leads_only_to_web_addresses(address: str) -> None:
    assert not is_web_address(address)
    assert TOKENS.click(Click(MAIL, ADA, 0, address)) is None


BOUNCES = Bounces("bounces@shop.example", digest("workspace", size=32))


@given(st.binary(min_size=16, max_size=16))
def test_the_address_a_mail_bounces_to_names_its_decision(decision: bytes) -> None:
    address = BOUNCES.address(decision)
    assert BOUNCES.decision(address) == BOUNCES.decision(address.upper()) == decision
    local, _, domain = address.partition("@")
    assert len(local) <= 64 and local.startswith("bounces+") and domain == "shop.example"
    assert is_address(address)


def test_nobody_without_the_secret_makes_such_an_address() -> None:
    address = BOUNCES.address(MAIL)
    other = Bounces("bounces@shop.example", digest("other", size=32))
    assert other.decision(address) is None
    local, _, domain = address.partition("@")
    for at in range(len("bounces+"), len(local)):
        letter = "b" if local[at] == "a" else "a"
        changed = f"{local[:at]}{letter}{local[at + 1 :]}@{domain}"
        assert BOUNCES.decision(changed) in (None, MAIL if at == len(local) - 1 else None), at


@pytest.mark.parametrize(
    "address", ["", "bounces@shop.example", "bounces+@shop.example", "bounces+short@shop.example", "x" * 1_000]
)
def test_an_address_that_is_none_of_ours_names_nothing(address: str) -> None:
    assert BOUNCES.decision(address) is None


def test_an_address_of_another_domain_or_mailbox_names_nothing() -> None:
    address = BOUNCES.address(MAIL)
    assert BOUNCES.decision(address.replace("shop.example", "evil.example")) is None
    assert BOUNCES.decision(address.replace("bounces+", "other+")) is None
    assert BOUNCES.decision(address.replace("shop.example", "shopxexample")) is None
