from __future__ import annotations

from livepost.ids import digest
from livepost.measure.click import clicked

ADA, MAIL = digest("ada"), digest("mail")
NOW_MS = 1_700_000_000_000


def test_a_click_is_of_an_unknown_class_and_changes_no_consent() -> None:
    record = clicked(MAIL, ADA, 2, NOW_MS, known=False)
    assert record.properties == {"decision": MAIL.hex(), "link": 2, "class": "unknown", "human": None}
    assert (record.context, record.mentions, record.sealed) == ({}, (), {})
