"""The journal of a person who is two again: nothing that would mail again, or allow more, is forgotten."""

from __future__ import annotations

from livepost.decide.parting import part_journal
from livepost.model.journal import Consent, Journal, Journey, Memory, Watched


def said(at: int, allowed: bool, message_id: str = "m") -> Consent:
    return Consent(at, message_id, allowed, "web")


def test_each_has_the_consent_that_their_own_records_say() -> None:
    whole = Journal({"marketing": said(5, False)}, {"marketing": False})
    kept, other, _, lost = part_journal(whole, {"marketing": said(2, True)}, {"marketing": said(5, False)})
    assert kept.consents == {"marketing": said(2, True)}
    assert other.consents == {"marketing": said(5, False)}
    assert lost == []


def test_a_refusal_of_nobody_the_log_knows_stays_with_both() -> None:
    whole = Journal({"marketing": said(5, False)}, {"marketing": False})
    kept, other, _, lost = part_journal(whole, {"marketing": said(2, True)}, {})
    assert kept.consents == other.consents == {"marketing": said(5, False)}
    assert lost == []


def test_a_permission_of_nobody_the_log_knows_stays_with_neither() -> None:
    whole = Journal({"marketing": said(5, True)}, {"marketing": True})
    kept, other, _, lost = part_journal(whole, {}, {"marketing": said(1, False)})
    assert kept.consents == {}
    assert other.consents == {"marketing": said(1, False)}
    assert lost == ["marketing"]
    assert kept.told == {}


def test_what_was_told_stays_told_of_the_name_and_nothing_was_told_of_the_other() -> None:
    whole = Journal({"marketing": said(5, True)}, {"marketing": True, "service": False})
    kept, other, _, _ = part_journal(whole, {"marketing": said(5, True)}, {})
    assert kept.told == {"marketing": True, "service": False}
    assert other.told == {}


def test_memories_stay_with_both_and_the_journeys_with_nobody() -> None:
    journey = Journey(1, 9, b"cause", "")
    memory = Memory(journey, 1, [3], [Watched(3, b"d")], (2, True))
    kept, other, waiting, _ = part_journal(Journal({}, {}, {"reminder": memory}), {}, {})
    assert kept.campaigns == other.campaigns == {"reminder": Memory(None, 1, [3], [Watched(3, b"d")], (2, True))}
    assert waiting == {"reminder": journey}


def test_the_two_do_not_share_what_they_go_on_with() -> None:
    kept, other, _, _ = part_journal(Journal({}, {}, {"reminder": Memory(None, 1, [3])}), {}, {})
    kept.campaigns["reminder"].decided.append(4)
    assert other.campaigns["reminder"].decided == [3]
