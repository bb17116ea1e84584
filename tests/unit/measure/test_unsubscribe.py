from __future__ import annotations

from livepost.ids import digest
from livepost.measure.outcome import SOURCE
from livepost.measure.unsubscribe import unsubscribed
from livepost.model.record import KeyKind, Kind, Origin, Verdict

ADA = digest("ada")
NOW_MS = 1_700_000_000_000


def test_an_unsubscribe_takes_back_consent_in_the_log_too() -> None:
    record = unsubscribed(ADA, "marketing", NOW_MS, "one-click", known=True)
    assert (record.kind, record.origin, record.key, record.verdict) == (
        Kind.EVENT,
        Origin.LIVE,
        KeyKind.NONE,
        Verdict.ACCEPTED,
    )
    assert (record.name, record.source, record.subject, record.known) == ("Unsubscribed", SOURCE, ADA, True)
    assert record.context == {"consent": {"marketing": False}}
    assert (record.effective_ts, record.seq, record.stamp) == (NOW_MS, -1, -1)
