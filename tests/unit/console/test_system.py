"""The page of what runs."""

from __future__ import annotations

from typing import Any

from livepost.console.system import PAGES_SHOWN
from livepost.ledger.base import Divergence
from livepost.model.standing import ProcessStanding, StoreStanding
from livepost.settings.load import Shown
from tests.unit.console.test_flow import STANDING
from tests.unit.console.told import Browser, ToldHouse

ENGINE = ProcessStanding(
    name="engine",
    pid=4_711,
    since=0,
    restarts=2,
    alive=True,
    supervised=True,
    resident_bytes=123_400_000,
    cpu_s=61.0,
)
LOG = StoreStanding(name="log", purpose="every accepted event", bytes=1_500_000, free_bytes=10**9)
PORT = Shown("port", 8300, "LIVEPOST_PORT", "Port of the front.")


def _page(**answers: Any) -> str:
    told = {
        "standing": STANDING,
        "processes": [ENGINE],
        "stores": [LOG],
        "settings": [PORT],
        "changed_pages": [],
        "divergences": [],
        **answers,
    }
    return Browser(ToldHouse(**told)).get("/system").text


def test_processes_stores_and_settings_are_there_with_units_and_origin() -> None:
    text = _page()
    for words in (
        "engine",
        "4711",
        "123.4 MB",
        "1 min 1 s",
        "1.5 MB",
        "1 GB free",
        "LIVEPOST_PORT",
        "every accepted event",
    ):
        assert words in text, words


def test_pages_that_are_not_as_they_were_applied_are_named_with_the_command() -> None:
    text = _page(changed_pages=[f"page-{number:02}.py" for number in range(PAGES_SHOWN + 2)])
    assert "page-00.py, page-01.py" in text and "page-09.py and 2 more changed" in text
    assert "<code>livepost plan</code> says what the change would do" in text
    assert "livepost plan" not in _page()


def test_divergences_are_shown_and_that_nobody_was_mailed() -> None:
    other = Divergence(decision=b"d" * 16, campaign="reminder", position=1_234, fields=("at", "skip"), times=1)
    new = Divergence(decision=b"e" * 16, campaign="welcome", position=9, fields=("missing",), times=2)
    text = _page(divergences=[other, new])
    for words in ("reminder", "1,234", "at, skip", "new: the ledger never had it", "nobody was mailed"):
        assert words in text, words
    assert "Divergences" not in _page()


def test_a_process_that_fell_over_is_said_in_words() -> None:
    fallen = ProcessStanding(
        name="courier", pid=1, since=0, restarts=0, alive=False, supervised=True, resident_bytes=None, cpu_s=None
    )
    text = _page(processes=[fallen])
    assert "is being started again" in text
    assert "not told" in text


def test_a_house_that_nobody_supervises_says_so() -> None:
    alone = ProcessStanding(
        name="front", pid=1, since=0, restarts=0, alive=True, supervised=False, resident_bytes=1, cpu_s=1.0
    )
    assert "Nobody supervises these" in _page(processes=[alone])
    assert "Nobody supervises these" not in _page()
