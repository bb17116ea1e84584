"""The report of a headless demo: one JSON object; its first fields are fixed by the reference of the command.

In: counts from the house's own records. Out: JSON bytes. Promised: every field is there in every report.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from livepost.demo.expected import Comparison
from livepost.model.told import Conservation, Quantiles


class Feeding(msgspec.Struct, frozen=True, kw_only=True):
    """What the feed did: events sent, acknowledged, made up among these; its longest lag (real ms) and CPU time (s).

    `days` is how much of the shop's time it sent: less than the report's, which goes on while the house comes to rest.
    """

    sent: int
    acknowledged: int
    synthetic: int
    days: float
    requests: int
    retries: int
    longest_lag_ms: float
    cpu_s: float


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The whole report.

    mails              decided within these days, and sent
    event_to_mail_ms   log commit to the mail accepted by `keep:` (fsynced) or by SMTP (250)
    skipped            decisions without a mail, by reason
    days, seconds      how much of the shop's time went by, in how much real time
    oracle             campaign -> how its mails compare to what SQL over the tables says must come
    """

    events_accepted: int
    conservation: Conservation
    people: int
    transitions: int
    mails: int
    mails_by_campaign: dict[str, int]
    freshness_ms: Quantiles
    event_to_mail_ms: Quantiles
    skipped: dict[str, int]
    speed: float
    seconds: float
    days: float
    feed: Feeding
    oracle: dict[str, Comparison] = {}


def write_report(report: Report, path: Path) -> None:
    """Write the report as indented JSON."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n")
