"""Visitors: known by ids that nobody can guess, at addresses that nobody has."""

from __future__ import annotations

import uuid

import msgspec
import pytest

from livepost.demo.shoppers import anonymous_id, is_household, user_id
from livepost.demo.storefront.visitor import SigningIn, identify_call, is_anonymous_id, new_user_id

BROWSER = "4f489be9-e442-4d4f-9a8b-0123456789ab"


def test_what_a_browser_draws_is_taken() -> None:
    assert is_anonymous_id(BROWSER) and all(is_anonymous_id(str(uuid.uuid4())) for _ in range(100))


@pytest.mark.parametrize(
    "named",
    [
        user_id(900),
        anonymous_id(900),
        "h0900@example.com",
        pytest.param(new_user_id(), id="a user drawn"),
        pytest.param(uuid.uuid4().hex, id="32 hex digits"),  # a subject's id has this form
        BROWSER.upper(),
        BROWSER + "\n",
        f"{BROWSER}/why",
        "",
    ],
)
def test_nobody_is_named_by_anything_else(named: str) -> None:
    assert not is_anonymous_id(named)


def test_user_ids_differ_and_are_no_households() -> None:
    drawn = {new_user_id() for _ in range(1_000)}
    assert len(drawn) == 1_000
    said = SigningIn(visitor=BROWSER, first_name=" Ada ", may_write=True)
    call = identify_call(said, new_user_id())
    assert not is_household(call["traits"]["email"])
    assert call["traits"]["email"].endswith(".example")  # reserved by RFC 2606
    assert (call["anonymousId"], call["traits"]["firstName"]) == (BROWSER, "Ada")


@pytest.mark.parametrize("may", [True, False])
def test_consent_is_told_as_it_was_ticked(may: bool) -> None:
    call = identify_call(SigningIn(visitor=BROWSER, first_name="Ada", may_write=may), "visitor-1")
    assert call["context"]["consent"]["categoryPreferences"] == {"Marketing": may}


@pytest.mark.parametrize("name", ["", "a" * 41])
def test_a_name_has_1_to_40_characters(name: str) -> None:
    said = msgspec.json.encode({"visitor": BROWSER, "first_name": name, "may_write": True})
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(said, type=SigningIn)
