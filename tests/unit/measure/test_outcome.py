from __future__ import annotations

from livepost.ids import digest
from livepost.measure.click import clicked
from livepost.measure.send import sent
from livepost.measure.unsubscribe import unsubscribed

ADA, MAIL = digest("ada"), digest("mail")
NOW_MS = 1_700_000_000_000


def test_the_same_outcome_has_the_same_id_and_another_another() -> None:
    first = unsubscribed(ADA, "marketing", NOW_MS, "one-click", known=True)
    again = unsubscribed(ADA, "marketing", NOW_MS, "page", known=True)
    assert (first.message_id, first.content_hash) == (again.message_id, again.content_hash)
    others = [
        unsubscribed(ADA, "news", NOW_MS, "one-click", known=True),
        unsubscribed(ADA, "marketing", NOW_MS + 1, "one-click", known=True),
        sent(MAIL, ADA, "welcome", NOW_MS, known=True),
        clicked(MAIL, ADA, 0, NOW_MS, known=True),
        clicked(MAIL, ADA, 1, NOW_MS, known=True),
    ]
    assert len({first.message_id, *(one.message_id for one in others)}) == 6
