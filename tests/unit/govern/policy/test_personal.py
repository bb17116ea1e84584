"""What looks personal, and what only has the form of it."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from livepost.govern.policy.personal import Seen, said_by


def found(values: Iterable[object]) -> dict[str, int]:
    seen = Seen()
    for value in values:
        seen.add(value)
    return seen.found


PERSONAL = [
    ("email", "ada@example.com"),
    ("email", "please write to ada+shop@example.co.uk, thanks"),
    ("phone", "+49 30 123456-78"),
    ("phone", "+14155550123"),
    ("ip", "203.0.113.7"),
    ("ip", "2001:db8::1"),
    ("iban", "DE89 3704 0044 0532 0130 00"),
    ("iban", "GB29NWBK60161331926819"),
    ("card", "4111 1111 1111 1111"),
    ("card", "378282246310005"),
    ("card", 5555555555554444),
    ("national id (ES)", "12345678Z"),
    ("national id (ES)", "X1234567L"),
    ("national id (IT)", "RSSMRA85T10A562S"),
    ("national id (BR)", "529.982.247-25"),
    ("national id (PL)", "44051401359"),
    ("national id (FI)", "131052-308T"),
]


@pytest.mark.parametrize(("kind", "value"), PERSONAL)
def test_a_personal_value_is_found(kind: str, value: object) -> None:
    assert found([value]) == {kind: 1}
    assert found([["nothing", value]]) == {kind: 1}


WRONG = ["DE89370400440532013001", "4111 1111 1111 1112", "12345678A", "RSSMRA85T10A562T", "529.982.247-26"]
ORDINARY = ["green-tea", "SKU-4711", "order 1234", "1.2.3", 1_700_000_000_000, 4006381333931, True, None, 3.14, "a@b"]


@pytest.mark.parametrize("value", [*WRONG, "44051401358", "131052-308U", "111.111.111-11", *ORDINARY])
def test_what_only_has_the_form_and_what_is_ordinary_is_not(value: object) -> None:
    assert found([value]) == {}


def test_ids_that_have_check_digits_right_by_chance_are_ids() -> None:
    assert found(4_000_000_000_000_000 + number for number in range(1_000)) == {}
    assert found(["4111 1111 1111 1111", *(f"note {number}" for number in range(1_000))]) == {"card": 1}


def test_names_say_what_fields_are() -> None:
    told = {"email": "email", "contact_email": "email", "firstName": "name", "shippingAddress": "address", "IP": "ip"}
    assert {name: said_by(name) for name in told} == told
    assert [said_by(name) for name in ("product_id", "name", "price", "zip_discount", "order_total")] == [None] * 5
