from __future__ import annotations

from hashlib import sha256

from livepost.audit.chain import first_link, next_link


def test_a_link_is_a_hash_over_link_number_and_bytes() -> None:
    first = first_link("shop")
    assert first == sha256(b"livepost audit\0shop").digest()
    assert next_link(first, 258, b"body") == sha256(first + bytes([0] * 6) + b"\x01\x02" + b"body").digest()


def test_whatever_differs_makes_another_link() -> None:
    link = first_link("shop")
    made = {next_link(link, 1, b"a"), next_link(link, 2, b"a"), next_link(link, 1, b"b"), next_link(bytes(32), 1, b"a")}
    assert len(made | {first_link("another"), link}) == 6
