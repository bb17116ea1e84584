"""What an undo brings: each part's own records, counted once, up to where the log was read."""

from __future__ import annotations

from typing import Any

import pytest

from livepost.errors import StoreError
from livepost.ids import event_id
from livepost.log.base import Position
from livepost.model.block import Block, block_of
from livepost.model.compiled import Compiled, EventSpec, FeatureSpec
from livepost.model.journal import Consent
from livepost.model.record import Mention, Origin, Record
from livepost.model.unlink import EVENTS_MAX, SUBJECTS_MAX, Apart
from livepost.ops.unlinks import Unlinks
from livepost.ops.unlinks import unlinks as making

NOW = 1_767_225_600_000
ADA, TABLET, OTHER = (bytes([letter]) * 16 for letter in b"ato")
VIEWS = FeatureSpec(name="views", kind="count", event="Viewed", version="v")
PROJECT = Compiled(features=(VIEWS,), events=(EventSpec(name="Viewed", cls="Viewed", fields=()),))


def viewed(seq: int, subject: bytes, message_id: str = "", **also: Any) -> Record:
    told: dict[str, Any] = {
        "source": "web",
        "subject": subject,
        "known": subject == ADA,
        "message_id": message_id or f"m{seq}",
        "name": "Viewed",
        "effective_ts": NOW + seq,
        "content_hash": bytes(16),
        "seq": seq,
    }
    return Record(**told | also)


LINK = viewed(2, ADA, mentions=(Mention(TABLET, False),), context={"consent": {"marketing": True}})


def blocks(*records: Record) -> list[Block]:
    return [block_of([record], record.seq, NOW + record.seq) for record in records]


def read(unlinks: Unlinks, *records: Record) -> None:
    unlinks.read(blocks(*records), Position(records[-1].seq, NOW + records[-1].seq))


def test_each_part_has_its_own_records_consents_and_events() -> None:
    with Unlinks(PROJECT, (ADA, TABLET)) as unlinks:
        read(unlinks, viewed(0, TABLET), viewed(1, TABLET), LINK, viewed(3, OTHER), viewed(4, TABLET))
        told = unlinks.unlink(unlinks.links.links[0], {})
    ada, tablet = told.parts
    assert (told.link, told.mentioned, told.upto, told.project) == (2, TABLET, 4, PROJECT.hash())
    assert (ada.subjects, tablet.subjects) == (((ADA, True),), ((TABLET, False),))
    assert (ada.history, tablet.history) == ({"v": [{"count": [(0, 1)]}]}, {"v": [{"count": [(0, 3)]}]})
    assert (ada.consents, tablet.consents) == ({"marketing": Consent(NOW + 2, "m2", True, "web")}, {})
    assert tablet.events == tuple(event_id("web", f"m{seq}") for seq in (0, 1, 4))


def test_a_duplicate_of_anybodys_record_does_not_count() -> None:
    with Unlinks(PROJECT, (ADA, TABLET)) as unlinks:
        read(
            unlinks,
            viewed(0, OTHER, "same"),
            viewed(1, TABLET, "same"),
            LINK,
            viewed(3, TABLET),
            viewed(4, TABLET, "m3"),
        )
        told = unlinks.unlink(unlinks.links.links[0], {})
    assert told.parts[1].history == {"v": [{"count": [(0, 1)]}]}


def test_what_comes_meanwhile_is_read_on_top() -> None:
    with Unlinks(PROJECT, (ADA, TABLET)) as unlinks:
        read(unlinks, viewed(0, TABLET), viewed(1, TABLET), LINK)
        read(unlinks, viewed(3, TABLET), viewed(4, TABLET, "m0"))
        told = unlinks.unlink(unlinks.links.links[0], {})
        assert unlinks.records == 5
    assert told.upto == 4
    assert told.parts[1].history == {"v": [{"count": [(0, 3)]}]}


def test_imports_are_history_and_no_journeys_beginning() -> None:
    with Unlinks(PROJECT, (ADA, TABLET)) as unlinks:
        read(unlinks, viewed(0, TABLET, origin=Origin.IMPORT), viewed(1, TABLET), LINK)
        tablet = unlinks.unlink(unlinks.links.links[0], {}).parts[1]
    assert tablet.history == {"v": [{"count": [(0, 2)]}]}
    assert tablet.events == (event_id("web", "m1"),)


def test_the_newest_events_are_told_up_to_the_bound() -> None:
    many = [viewed(3 + number, TABLET) for number in range(EVENTS_MAX + 1)]
    with Unlinks(PROJECT, (ADA, TABLET)) as unlinks:
        read(unlinks, viewed(0, TABLET), viewed(1, TABLET), LINK, *many)
        tablet = unlinks.unlink(unlinks.links.links[0], {}).parts[1]
    assert len(tablet.events) == EVENTS_MAX
    assert tablet.events[0] == event_id("web", "m4")


def test_whether_a_subject_is_known_is_told_where_the_log_does_not_have_it() -> None:
    with Unlinks(PROJECT, (ADA, OTHER, TABLET)) as unlinks:
        read(unlinks, viewed(0, TABLET), viewed(1, TABLET), LINK)
        told = unlinks.unlink(unlinks.links.links[0], {OTHER: True})
    assert told.parts[0].subjects == ((ADA, True), (OTHER, True))


def test_a_person_of_too_many_subjects_is_refused() -> None:
    person = [number.to_bytes(16, "big") for number in range(SUBJECTS_MAX + 1)]
    Unlinks(PROJECT, person[:-1]).close()
    with pytest.raises(StoreError, match="at most 1000 subjects, got 1001"):
        Unlinks(PROJECT, person)


def test_a_log_that_breaks_off_before_the_position_is_refused() -> None:
    with Unlinks(PROJECT, (ADA, TABLET)) as unlinks, pytest.raises(StoreError, match="the log up to record 9"):
        unlinks.read(blocks(viewed(0, TABLET)), Position(9, NOW))


def test_a_person_of_too_many_records_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "OWN_MAX", 3)
    with Unlinks(PROJECT, (ADA, TABLET)) as unlinks:
        read(unlinks, viewed(0, TABLET), viewed(1, TABLET), LINK, viewed(3, OTHER))
        with pytest.raises(StoreError, match="at most 3 records, got more"):
            read(unlinks, viewed(4, TABLET))


def test_undos_of_whoever_the_person_was_one_with_are_gone_through_too() -> None:
    """Bob had the tablet before Ada: while he did, her mention was no link."""
    bob = b"b" * 16
    tablet = (Mention(TABLET, False),)
    records = [viewed(0, bob, mentions=tablet, known=True), viewed(1, ADA, mentions=tablet)]
    undo = Apart(2, 0, TABLET, ((bob,), (TABLET,)))
    strange = Apart(3, 9, OTHER, ((b"x" * 16,), (OTHER,)))
    with Unlinks(PROJECT, (ADA, TABLET), [undo, strange]) as unlinks:
        read(unlinks, *records, viewed(2, OTHER), viewed(3, ADA, mentions=tablet))
        assert [(link.position, link.subject) for link in unlinks.links.links] == [(3, ADA)]
