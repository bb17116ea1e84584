from __future__ import annotations

from livepost.ids import digest
from livepost.measure.send import sent

ADA, MAIL = digest("ada"), digest("mail")
NOW_MS = 1_700_000_000_000


def test_a_mail_is_sent_once_whenever_that_is_told() -> None:
    first, again = (sent(MAIL, ADA, "welcome", at, known=True) for at in (NOW_MS, NOW_MS + 9))
    assert first.name == "Email Sent"
    assert (first.message_id, first.content_hash) == (again.message_id, again.content_hash)
