"""The whole house, live, against SQL: 70 days of real baskets in a minute, and the mails that must come of them.

The demo compares its own mails with the tables and reports it; here the figures that must be so are held, and the
comparison itself is put to the test: the report's numbers must be those that the tables give for that stretch of time.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from livepost.clock import DAY_MS, HOUR_MS
from livepost.demo.expected import CAMPAIGNS, Run, expected_mails
from livepost.demo.tables import open_tables

SECONDS = 60
SPEED = 100_000
"""Half of what the host it was set on can do: a host that is twice as slow is not yet behind."""

OPEN_AT_MOST = 0.05
"""The largest share of households that may be set aside because a boundary lies within a stamp's span."""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("demo")
    told = folder / "report.json"
    arguments = ["--port", "0", "--data", str(folder / "data"), "--speed", str(SPEED), "--headless"]
    command = [
        sys.executable,
        "-m",
        "livepost.cli",
        "demo",
        *arguments,
        "--seconds",
        str(SECONDS),
        "--report",
        str(told),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS + 120, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(Path(told).read_text())
    return found


@pytest.mark.parametrize("campaign", CAMPAIGNS)
def test_the_mails_are_those_the_tables_ask_for(report: dict[str, Any], campaign: str) -> None:
    found = report["oracle"][campaign]
    assert found["differing"] == 0, found
    assert found["open"] <= OPEN_AT_MOST * (found["open"] + found["households"])
    assert found["mails"] > 0


def test_the_comparison_is_about_as_large_as_the_tables_say(report: dict[str, Any]) -> None:
    start = 1_800_000_000_000
    fed, end = (start + int(days * DAY_MS) for days in (report["feed"]["days"], report["days"]))
    must = expected_mails(open_tables(), Run(start, fed, as_of_ms=end, lag_ms=HOUR_MS))
    for campaign in CAMPAIGNS:
        number = sum(each.campaign == campaign for each in must)
        assert report["mails_by_campaign"][campaign] == pytest.approx(number, rel=0.1)


def test_nothing_is_lost_on_the_way(report: dict[str, Any]) -> None:
    conservation = report["conservation"]
    assert conservation["holds"]
    assert conservation["dead_lettered"] == conservation["quarantined"] == 0
    assert report["events_accepted"] >= report["feed"]["acknowledged"]


def test_seventy_days_go_by(report: dict[str, Any]) -> None:
    assert report["days"] >= 0.9 * SECONDS * SPEED / 86_400
    assert report["people"] > 2_000
