"""Whose a record is, when others made one person of several."""

from __future__ import annotations

import msgspec

from livepost.model.record import KeyKind, Record
from livepost.process.sharded.home import Home, Links
from tests.unit.process.records import NOW, event, mention, subject


def at(seq: int, record: Record) -> Record:
    return msgspec.structs.replace(record, seq=seq, stamp=NOW + seq)


def test_a_record_is_the_person_s_who_is_called_as_its_subject_until_told_otherwise() -> None:
    home = Home()
    assert home.item(at(0, event("b", "m")), None).person == subject("b")
    home.rename([subject("b")], subject("A"))
    assert home.item(at(1, event("b", "n")), None).person == subject("A")


def test_at_a_meeting_a_record_is_the_winner_s_and_keeps_only_mentions_that_merge() -> None:
    record = at(4, event("b", "m", mentions="ABc"))
    told = Links().take(record)
    assert told.meeting is not None
    assert (told.meeting.position, told.meeting.at, told.meeting.subject) == (4, NOW + 4, subject("b"))
    item = Home().item(record, told.meeting)
    assert (item.person, item.losers) == (subject("A"), (subject("b"), subject("c")))
    assert item.record.mentions == (mention("A"), mention("c"))
    assert [one.subject for one in told.sighted] == [subject("B")]


def test_a_mention_that_merges_nobody_is_dropped_and_whom_nobody_else_belongs_to_is_sighted() -> None:
    record = at(0, event("A", "m", mentions="B"))
    told = Links().take(record)
    assert (told.meeting, told.sighted) == (None, [mention("B")])
    assert Home().item(record, None).record.mentions == ()


def test_who_has_become_one_with_others_is_not_sighted_again() -> None:
    links = Links()
    links.take(at(0, event("A", "m", mentions="b")))
    assert links.take(at(1, event("C", "n", mentions="b"))).sighted == []


def test_an_alias_counts_only_with_a_secret_key() -> None:
    links = Links()
    assert links.take(at(0, event("A", "m", "$alias", mentions="B"))).meeting is None
    assert links.take(at(1, event("A", "n", "$alias", mentions="B", key=KeyKind.SECRET))).meeting is not None
