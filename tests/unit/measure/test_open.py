from __future__ import annotations

from livepost.ids import digest
from livepost.measure.open import opened
from livepost.model.record import Verdict

ADA, MAIL = digest("ada"), digest("mail")
NOW_MS = 1_700_000_000_000


def test_an_open_is_of_an_unknown_class() -> None:
    record = opened(MAIL, ADA, NOW_MS, known=True)
    assert (record.name, record.subject, record.verdict) == ("Email Opened", ADA, Verdict.ACCEPTED)
    assert record.properties == {"decision": MAIL.hex(), "class": "unknown", "human": None}


def test_a_machines_is_filtered_with_its_reason() -> None:
    record = opened(MAIL, ADA, NOW_MS, known=True, machine="Apple Mail Privacy Protection")
    assert record.verdict is Verdict.FILTERED
    assert record.reason == "a machine's: Apple Mail Privacy Protection"
    assert record.properties == {"decision": MAIL.hex(), "class": "machine", "human": False}
