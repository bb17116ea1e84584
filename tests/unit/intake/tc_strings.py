"""An encoder of TC strings, written apart from the decoder: bits as text, as the specification has them."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence

import msgspec

VENDORS_MAX = 200


class Told(msgspec.Struct, kw_only=True):
    """What a string is to say; times in deciseconds."""

    version: int = 2
    created: int = 0
    updated: int = 0
    cmp: int = 0
    policy: int = 5
    special_features: frozenset[int] = frozenset()
    purposes: frozenset[int] = frozenset()
    interests: frozenset[int] = frozenset()
    vendors: frozenset[int] = frozenset()
    vendor_interests: frozenset[int] = frozenset()
    restrictions: Sequence[tuple[int, int, frozenset[int]]] = ()
    disclosed: frozenset[int] | None = None
    in_ranges: bool = False


def encoded(told: Told) -> str:
    """Return the TC string."""
    restricted = "".join(f"{purpose:06b}{kind:02b}{_ranges(vendors)}" for purpose, kind, vendors in told.restrictions)
    core = "".join(
        (
            *(f"{told.version:06b}", f"{told.created:036b}", f"{told.updated:036b}", f"{told.cmp:012b}"),
            *(f"{7:012b}", f"{1:06b}", f"{4:06b}{13:06b}", f"{48:012b}", f"{told.policy:06b}", "10"),
            *(_field(told.special_features, 12), _field(told.purposes, 24), _field(told.interests, 24)),
            *("0", f"{3:06b}{4:06b}"),
            *(_vendors(told.vendors, told.in_ranges), _vendors(told.vendor_interests, told.in_ranges)),
            *(f"{len(told.restrictions):012b}", restricted),
        )
    )
    segments = [core]
    if told.disclosed is not None:
        segments.append("001" + _vendors(told.disclosed, told.in_ranges))
    return ".".join(map(_text, segments))


def runs(numbers: Iterable[int]) -> tuple[tuple[int, int], ...]:
    """Return numbers as ranges."""
    found: list[tuple[int, int]] = []
    for number in sorted(numbers):
        if found and found[-1][1] == number - 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return tuple(found)


def _field(numbers: frozenset[int], width: int) -> str:
    return "".join("1" if place in numbers else "0" for place in range(1, width + 1))


def _vendors(numbers: frozenset[int], in_ranges: bool) -> str:
    most = max(numbers, default=0)
    return f"{most:016b}1{_ranges(numbers)}" if in_ranges else f"{most:016b}0{_field(numbers, most)}"


def _ranges(numbers: frozenset[int]) -> str:
    found = runs(numbers)
    told = (f"1{a:016b}{b:016b}" if a != b else f"0{a:016b}" for a, b in found)
    return f"{len(found):012b}{''.join(told)}"


def _text(bits: str) -> str:
    whole = bits + "0" * (-len(bits) % 8)
    return base64.urlsafe_b64encode(int(whole, 2).to_bytes(len(whole) // 8, "big")).decode().rstrip("=")
