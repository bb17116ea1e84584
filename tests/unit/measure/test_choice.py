from __future__ import annotations

from livepost.ids import digest
from livepost.intake.context import CONSENT_EVENT
from livepost.measure.choice import chosen

ADA = digest("ada")


def test_a_choice_is_told_to_the_log_as_a_consent_event_once() -> None:
    record = chosen(ADA, "topic:tea", False, 5, "preferences d", known=True)
    assert (record.name, record.subject, record.context) == (CONSENT_EVENT, ADA, {"consent": {"topic:tea": False}})
    assert record == chosen(ADA, "topic:tea", False, 5, "preferences d", known=True)


def test_each_word_has_an_id_of_its_own() -> None:
    words = [("topic:tea", False, 5), ("topic:tea", True, 5), ("topic:tea", False, 6), ("topic:pot", False, 5)]
    assert len({chosen(ADA, *word, "", known=True).message_id for word in words}) == 4
