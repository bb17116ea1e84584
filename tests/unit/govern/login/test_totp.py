"""Codes by time: RFC 6238's own vectors, drift, and what people type."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from livepost.govern.login import totp

SECRET = b"12345678901234567890"
VECTORS = {  # RFC 6238, appendix B, SHA-1, eight digits
    59: "94287082",
    1111111109: "07081804",
    1111111111: "14050471",
    1234567890: "89005924",
    2000000000: "69279037",
    20000000000: "65353130",
}
NOW = 1_767_603_600_000
STEP = NOW // 1000 // totp.STEP_S


@pytest.mark.parametrize(("second", "code"), VECTORS.items())
def test_codes_are_those_of_the_standard(second: int, code: str) -> None:
    assert totp.code_at(SECRET, second // totp.STEP_S, digits=8) == code
    assert totp.code_at(SECRET, second // totp.STEP_S) == code[-6:]


@pytest.mark.parametrize(("drift", "found"), [(-2, None), (-1, STEP - 1), (0, STEP), (1, STEP + 1), (2, None)])
def test_a_code_may_be_one_step_off(drift: int, found: int | None) -> None:
    assert totp.step_of(SECRET, totp.code_at(SECRET, STEP + drift), NOW) == found


def test_spaces_do_not_count_and_other_texts_are_no_codes() -> None:
    code = totp.code_at(SECRET, STEP)
    assert totp.step_of(SECRET, f" {code[:3]} {code[3:]} ", NOW) == STEP
    for text in ("", "000000x", code[:5], code + "0", "١٢٣٤٥٦", "\ud800"[:0] + "é"):
        assert totp.step_of(SECRET, text, NOW) is None


def test_the_picture_holds_nothing_that_a_strict_policy_refuses() -> None:
    address = totp.address(SECRET, "Livepost The corner shop", "ada@example.com")
    assert address.startswith("otpauth://totp/Livepost%20The%20corner%20shop:ada%40example.com?secret=GEZDGNBVGY3TQOJQ")
    svg = totp.picture(address)
    root = ET.fromstring(svg)
    assert root.get("class") == "qr"
    assert "style" not in svg
    assert {element.tag.rpartition("}")[2] for element in root.iter()} == {"svg", "path"}


def test_recovery_codes_are_taken_however_they_are_typed() -> None:
    codes = totp.new_recovery_codes()
    assert len(set(codes)) == totp.RECOVERY_CODES
    assert totp.as_recovery_code(codes[0].upper().replace("-", " ")) == codes[0]
    assert len(totp.new_secret()) == totp.SECRET_BYTES
