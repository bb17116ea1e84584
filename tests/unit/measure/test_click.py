from __future__ import annotations

from livepost.ids import digest
from livepost.measure.click import clicked
from livepost.model.record import Verdict

ADA, MAIL = digest("ada"), digest("mail")
NOW_MS = 1_700_000_000_000


def test_a_click_is_of_an_unknown_class_and_changes_no_consent() -> None:
    record = clicked(MAIL, ADA, 2, NOW_MS, known=False)
    assert record.properties == {"decision": MAIL.hex(), "link": 2, "class": "unknown", "human": None}
    assert (record.context, record.mentions, record.sealed) == ({}, (), {})


def test_a_machines_click_is_filtered_with_its_reason_and_has_the_id_of_any_other() -> None:
    record = clicked(MAIL, ADA, 2, NOW_MS, known=False, machine="several links at once")
    assert (record.verdict, record.reason) == (Verdict.FILTERED, "a machine's: several links at once")
    assert record.properties == {"decision": MAIL.hex(), "link": 2, "class": "machine", "human": False}
    assert record.message_id == clicked(MAIL, ADA, 2, NOW_MS, known=False).message_id
