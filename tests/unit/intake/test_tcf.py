"""TC strings: IAB's published examples, drawn ones against an encoder of our own, and what is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livepost.intake.tcf import MAX_CHARS, has_vendor, read_tc_string

from .tc_strings import Told, encoded, runs

IAB = (
    "COvFyGBOvFyGBAbAAAENAPCAAOAAAAAAAAAAAEEUACCKAAA.IFoEUQQgAIQwgIwQABAEAAAAOIAACAIAAAAQAIAgEAACEAAAAAgAQBAAAAAAAGBA"
    "AgAAAAAAAFAAECAAAgAAQARAEQAAAAAJAAIAAgAAAYQEAAAQmAgBC3ZAYzUw"
)
"""The example of IAB's specification of the format, with its disclosed vendors."""

PERL = "CLcVDxRMWfGmWAVAHCENAXCkAKDAADnAABRgA5mdfCKZuYJez-NQm0TBMYA4oCAAGQYIAAAAAAEAIAEgAA.argAC0gAAAAAAAAAAAA"
"""The example of the documentation of GDPR::IAB::TCFv2, with publisher purposes."""

NUMBERS = st.frozensets(st.integers(1, 200), max_size=30)
PURPOSES = st.frozensets(st.integers(1, 24))
DECISECONDS = st.integers(0, 2**36 - 1)
TOLD = st.builds(
    Told,
    created=DECISECONDS,
    updated=DECISECONDS,
    cmp=st.integers(0, 4_095),
    policy=st.integers(0, 63),
    special_features=st.frozensets(st.integers(1, 12)),
    purposes=PURPOSES,
    interests=PURPOSES,
    vendors=NUMBERS,
    vendor_interests=NUMBERS,
    restrictions=st.lists(st.tuples(st.integers(1, 24), st.integers(0, 2), NUMBERS), max_size=3),
    disclosed=st.none() | NUMBERS,
    in_ranges=st.booleans(),
)


def test_iabs_own_example_is_read() -> None:
    read = read_tc_string(IAB)
    assert (read.created, read.updated, read.cmp, read.policy) == (1_582_243_059_300, 1_582_243_059_300, 27, 2)
    assert (read.purposes, read.interests, read.special_features) == ({1, 2, 3}, set(), set())
    assert read.vendors == read.vendor_interests == ((2, 2), (6, 6), (8, 8))
    assert read.disclosed is not None and has_vendor(read.disclosed, 720) and not has_vendor(read.disclosed, 721)


def test_another_decoders_documented_example_is_read() -> None:
    read = read_tc_string(PERL)
    assert (read.created // 1_000, read.updated // 1_000, read.cmp) == (1_228_644_257, 1_326_215_413, 21)
    assert (read.purposes, read.special_features) == ({1, 3, 9, 10}, {2})
    assert not has_vendor(read.vendors, 284)


@given(told=TOLD)
def test_what_is_encoded_is_read(told: Told) -> None:
    read = read_tc_string(encoded(told))
    assert (read.created, read.updated) == (told.created * 100, told.updated * 100)
    assert (read.cmp, read.policy) == (told.cmp, told.policy)
    assert (read.special_features, read.purposes, read.interests) == (
        told.special_features,
        told.purposes,
        told.interests,
    )
    assert (read.vendors, read.vendor_interests) == (runs(told.vendors), runs(told.vendor_interests))
    restricted = [(purpose, kind, runs(vendors)) for purpose, kind, vendors in told.restrictions]
    assert [(one.purpose, one.kind, one.vendors) for one in read.restrictions] == restricted
    assert read.disclosed == (None if told.disclosed is None else runs(told.disclosed))


@given(told=TOLD, data=st.data())
def test_a_string_that_is_cut_before_its_end_is_refused(told: Told, data: st.DataObject) -> None:
    core = encoded(told).partition(".")[0]
    with pytest.raises(ValueError, match="expected"):
        read_tc_string(core[: data.draw(st.integers(0, len(core) - 3))])


@given(text=st.text(max_size=80) | st.text("ABCDEFabcdef0123_-.", max_size=200))
def test_any_text_is_read_or_refused_and_nothing_else(text: str) -> None:
    try:
        read_tc_string(text)
    except ValueError as error:
        assert len(str(error)) < 150 and (len(text) < 12 or text not in str(error))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (encoded(Told(version=1)), "version 2, got 1"),
        ("A" * (MAX_CHARS + 1), "characters"),
        (".".join([encoded(Told())] * 5), "segments"),
        (encoded(Told()) + "=", "base64url"),
        (encoded(Told(restrictions=[(1, 0, frozenset((0,)))])), "vendors of 1 to"),
    ],
)
def test_what_is_none_is_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read_tc_string(text)


def test_a_purpose_is_allowed_where_all_of_its_numbers_are() -> None:
    read = read_tc_string(encoded(Told(purposes=frozenset((1, 3)), interests=frozenset((7,)))))
    assert read.allows((1, 3)) and not read.allows((1, 4)) and not read.allows((7,)) and not read.allows(())
    assert read.allows((7,), by_interest=True) and not read.allows((1,), by_interest=True)
