import sys
from contextlib import closing
from pathlib import Path

import pytest

from livepost.bench.house import BenchError, house, send, wait
from livepost.bench.load import Job


def test_what_a_load_generator_sends_is_in_the_log_and_nothing_is_left_on_disk(tmp_path: Path) -> None:
    with house(tmp_path) as new:
        new.start(["front"])
        assert set(new.pids()) == {"front"}
        job = Job(port=new.folder.port, key=new.key, requests=2, connections=1, run="r", batch=5)
        assert send(job).refused == 0
        with pytest.raises(BenchError, match="2 were not"):
            send(Job(port=new.folder.port, key="unknown", requests=2, connections=1, run="s"))
        with closing(new.folder.log_reader()) as log:
            assert log.events_after(-1) == 10
    assert list(tmp_path.iterdir()) == []


def test_what_never_comes_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["livepost.bench.house"], "PATIENCE_S", 0.01)
    with pytest.raises(BenchError, match=r"expected the moon within 0\.01 s"):
        wait("the moon", lambda: False)
