"""Entries of a person's line of time."""

from __future__ import annotations

from typing import get_args

import msgspec
import pytest

from livepost.console.picture.mark import SHAPES
from livepost.console.story import KINDS, entry, kind_of
from livepost.model.story import Happening
from tests.unit.console.test_person import ALL, EVENT


def test_every_kind_has_a_word_and_a_shape_of_its_own() -> None:
    tags = {one.__struct_config__.tag for one in get_args(Happening)}
    assert tags == set(KINDS) == set(SHAPES)
    assert len(set(SHAPES.values())) == len(SHAPES)
    assert {kind_of(one) for one in ALL} == tags


def test_keys_of_entries_tell_them_apart() -> None:
    assert len({entry(one).key for one in ALL}) == len(ALL)


@pytest.mark.parametrize(("verdict", "colour"), [("filtered", "soft"), ("quarantined", "warn"), ("dead", "bad")])
def test_an_event_that_does_not_count_says_so(verdict: str, colour: str) -> None:
    one = msgspec.structs.replace(EVENT, verdict=verdict, reason="why", origin="live")
    assert entry(one).tags == ((f"{verdict}: why", colour),)
    assert entry(msgspec.structs.replace(EVENT, verdict="accepted", reason="", origin="live")).tags == ()


def test_an_event_told_on_time_has_one_time_and_a_late_one_two() -> None:
    names = [name for name, _ in entry(msgspec.structs.replace(EVENT, effective_ts=EVENT.at - 1_000)).details]
    assert "happened" not in names
    late = msgspec.structs.replace(EVENT, effective_ts=EVENT.at - 1_001)
    assert "happened" in [name for name, _ in entry(late).details]


def test_an_outcome_whose_mail_the_ledger_forgot_leads_nowhere() -> None:
    told = entry(msgspec.structs.replace(ALL[0], campaign="", position=None))
    assert (told.about, told.path, told.details) == ("mail abababababab…", "", [])
