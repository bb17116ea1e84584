"""Benchmarks that need a server which is not ours: a run of seconds, to show that all works."""

from __future__ import annotations

from pathlib import Path

from livepost.bench import mails
from tests.real.post import smtp_sink


def test_a_quick_run_of_mails_reaches_the_sink_and_leaves_nothing_on_disk(tmp_path: Path) -> None:
    smtp_sink()
    told = mails.run(**mails.QUICK, place=tmp_path)
    assert told["mails_per_s"] > 0 and told["memory_growth"] > 0
    assert told["receipts"] == {"among_events": 50, "alone": 40, "deciding": 40, "beside": 40}
    assert set(told["gates"]) == {*mails.AT_LEAST, *mails.AT_MOST}
    assert list(tmp_path.iterdir()) == []
