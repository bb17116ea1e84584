"""Benchmarks that need a server which is not ours: a run of seconds, to show that all works."""

from __future__ import annotations

from pathlib import Path

from livepost.bench import mails
from tests.real.post import smtp_sink


def test_a_quick_run_of_mails_reaches_the_sink_and_leaves_nothing_on_disk(tmp_path: Path) -> None:
    smtp_sink()
    told = mails.run(**mails.QUICK, place=tmp_path)
    assert told["mails_per_s"] > 0 and told["memory_growth"] > 0
    assert told["receipts"] == told["receipts_beside"] == 40
    assert list(tmp_path.iterdir()) == []
