"""TC strings of IAB Europe's Transparency and Consent Framework, read (version 2, policies 2.2 and 2.3).

In: the text of a `tcString`. Out: what it says. Promised: what does not fit the format is refused with a ValueError
that has no value in it; nothing is looked up; sets of vendors stay ranges, however large they are.

Source: IAB Tech Lab, "Consent string and vendor list formats v2" (github.com/InteractiveAdvertisingBureau/
GDPR-Transparency-and-Consent-Framework), sections "The core string", "Disclosed vendors", "Publisher purposes".
"""

from __future__ import annotations

import base64
import binascii
import re
from functools import lru_cache
from typing import TypeAlias

import msgspec

MAX_CHARS = 8_192
MAX_SEGMENTS = 4
CACHED = 1_024
DECISECOND_MS = 100

Ranges: TypeAlias = tuple[tuple[int, int], ...]
"""Vendor ids, by first and last of each range, ascending as they were told."""

_SEGMENT = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_DISCLOSED = 1
_A = ord("A")


class Restriction(msgspec.Struct, frozen=True):
    """What the publisher restricts: a purpose, how (0: not allowed, 1: consent only, 2: legitimate interest only), and
    for which vendors.
    """

    purpose: int
    kind: int
    vendors: Ranges


class TcString(msgspec.Struct, frozen=True, kw_only=True):
    """What a TC string says; times are UTC ms. Purposes and special features are numbered from 1.

    purposes            those consented to
    interests           those whose legitimate interest was told of, and not objected to
    vendors, vendor_interests, disclosed   vendors in the same two senses, and those shown (None: no such segment)
    """

    created: int
    updated: int
    cmp: int
    policy: int
    special_features: frozenset[int]
    purposes: frozenset[int]
    interests: frozenset[int]
    vendors: Ranges
    vendor_interests: Ranges
    restrictions: tuple[Restriction, ...]
    disclosed: Ranges | None = None

    def allows(self, purposes: tuple[int, ...], *, by_interest: bool = False) -> bool:
        """Say whether all of some purposes are consented to, or with `by_interest` not objected to; of none, no."""
        return bool(purposes) and (self.interests if by_interest else self.purposes).issuperset(purposes)


def has_vendor(ranges: Ranges, vendor: int) -> bool:
    """Say whether a vendor is among some.

    >>> has_vendor(((2, 2), (5, 9)), 7)
    True
    """
    return any(first <= vendor <= last for first, last in ranges)


@lru_cache(CACHED)
def read_tc_string(text: str) -> TcString:
    """Return what a TC string says; raise ValueError if it is none of version 2, or is cut or broken.

    >>> sorted(read_tc_string("COvFyGBOvFyGBAbAAAENAPCAAOAAAAAAAAAAAEEUACCKAAA").purposes)
    [1, 2, 3]
    """
    if len(text) > MAX_CHARS:
        raise ValueError(f"expected at most {MAX_CHARS} characters, got {len(text)}")
    segments = text.split(".")
    if len(segments) > MAX_SEGMENTS:
        raise ValueError(f"expected at most {MAX_SEGMENTS} segments, got {len(segments)}")
    disclosed = None
    for bits in map(_Bits, segments[1:]):
        if bits.take(3) == _DISCLOSED:
            disclosed = _vendors(bits)
    return _core(_Bits(segments[0]), disclosed)


class _Bits:
    """Bits of a segment, taken from the left."""

    def __init__(self, segment: str) -> None:
        if not _SEGMENT.fullmatch(segment):
            raise ValueError("expected segments in base64url without padding, got other text")
        try:
            raw = base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
        except binascii.Error:
            # A length that base64 does not know: CMPs leave such when they cut padding bits; whole bytes are enough.
            raw = base64.urlsafe_b64decode(segment + "A" + "=" * (-(len(segment) + 1) % 4))
        self._bits = int.from_bytes(raw, "big")
        self._left = 8 * len(raw)

    def take(self, width: int) -> int:
        if width > self._left:
            raise ValueError(f"expected {width} more bits, got {self._left}: the string is cut")
        self._left -= width
        return (self._bits >> self._left) & ((1 << width) - 1)

    def numbers(self, width: int) -> frozenset[int]:
        field = self.take(width)
        return frozenset(number for number in range(1, width + 1) if field >> (width - number) & 1)


def _core(bits: _Bits, disclosed: Ranges | None) -> TcString:
    version = bits.take(6)
    if version != 2:
        raise ValueError(f"expected version 2, got {version}")
    created, updated = bits.take(36) * DECISECOND_MS, bits.take(36) * DECISECOND_MS
    cmp = bits.take(12)
    bits.take(12 + 6 + 12 + 12)  # version of the CMP, screen, language, version of the vendor list
    policy = bits.take(6)
    bits.take(2)  # service specific, other texts
    special_features, purposes, interests = bits.numbers(12), bits.numbers(24), bits.numbers(24)
    bits.take(1 + 12)  # how purpose 1 is treated, country of the publisher
    return TcString(
        created=created,
        updated=updated,
        cmp=cmp,
        policy=policy,
        special_features=special_features,
        purposes=purposes,
        interests=interests,
        vendors=_vendors(bits),
        vendor_interests=_vendors(bits),
        restrictions=tuple(
            Restriction(bits.take(6), bits.take(2), _ranges(bits, (1 << 16) - 1)) for _ in range(bits.take(12))
        ),
        disclosed=disclosed,
    )


def _vendors(bits: _Bits) -> Ranges:
    most, in_ranges = bits.take(16), bits.take(1)
    if in_ranges:
        return _ranges(bits, most)
    field = f"{bits.take(most):0{most}b}" if most else ""
    return tuple((found.start() + 1, found.end()) for found in re.finditer("1+", field))


def _ranges(bits: _Bits, most: int) -> Ranges:
    ranges = []
    for _ in range(bits.take(12)):
        is_range, first = bits.take(1), bits.take(16)
        last = bits.take(16) if is_range else first
        if not 1 <= first <= last <= most:
            raise ValueError(f"expected vendors of 1 to {most}, got a range {first} to {last}")
        ranges.append((first, last))
    return tuple(ranges)
