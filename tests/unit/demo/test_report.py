"""The report of a headless demo."""

from __future__ import annotations

import json
from pathlib import Path

from livepost.demo.expected import Comparison
from livepost.demo.report import Feeding, Report, write_report
from livepost.model.told import Conservation, Quantiles


def test_the_report_has_the_fields_that_the_reference_names(tmp_path: Path) -> None:
    report = Report(
        events_accepted=3,
        conservation=Conservation(
            accepted=3, holds=True, processed=2, duplicate=1, filtered=0, quarantined=0, dead_lettered=0, in_flight=0
        ),
        people=1,
        transitions=1,
        mails=1,
        mails_by_campaign={"welcome": 1},
        freshness_ms=Quantiles(p50=1.0, p99=2.0),
        event_to_mail_ms=Quantiles(p50=10.0, p99=20.0),
        skipped={"cap": 1},
        speed=200_000.0,
        seconds=30.0,
        days=69.4,
        feed=Feeding(
            sent=3, acknowledged=3, synthetic=2, days=69.2, requests=1, retries=0, longest_lag_ms=9.5, cpu_s=0.1
        ),
        oracle={"welcome": Comparison(mails=1, households=1, open=0, differing=0)},
    )
    write_report(report, tmp_path / "report.json")
    told = json.loads((tmp_path / "report.json").read_text())
    assert set(told) >= {
        "events_accepted",
        "conservation",
        "people",
        "transitions",
        "mails",
        "mails_by_campaign",
        "freshness_ms",
        "event_to_mail_ms",
    }
    assert set(told["conservation"]) == {
        "accepted",
        "holds",
        "processed",
        "duplicate",
        "filtered",
        "quarantined",
        "dead_lettered",
        "in_flight",
    }
    assert told["freshness_ms"] == {"p50": 1.0, "p99": 2.0}
    assert told["oracle"]["welcome"]["differing"] == 0
