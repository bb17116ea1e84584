"""A project changed while the house runs: a new 90-day feature under load, through kills, and parity after it.

One story, told in order on one data folder; each test stands on what the ones before it left.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from livepost.project.diff import diff
from livepost.project.renames import renames_of
from livepost.runtime.author.project import load_project
from livepost.runtime.engine.client import EngineClient
from livepost.runtime.outside.applying import Applying
from livepost.settings.load import load
from tests.real.test_house import House, fill_basket, known_as, wait_until, wait_until_whole

PEOPLE = 1_200
"""Three seeds of history for each new feature."""

BATCH = 25
BATCHES_PER_S = 12
PRODUCTS = 5
LOOKS = 4
"""From so many looks on somebody is in the new segment."""

FEATURE = "    views_90d  = count(ProductViewed, over=days(90))\n"
SEGMENT = f"    lookers   = segment(views_90d >= {LOOKS})\n"


class Load:
    """Looks at products by everybody in turn, a few hundred a second, until stopped; each told until acknowledged."""

    def __init__(self, house: House, key: str) -> None:
        self.acknowledged: Counter[str] = Counter()
        self._house = house
        self._key = key
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._tell)

    def __enter__(self) -> Load:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stop.set()
        self._thread.join()

    def _tell(self) -> None:
        number = 0
        while not self._stop.wait(1 / BATCHES_PER_S):
            calls = [_look(number + place) for place in range(BATCH)]
            while not self._is_taken(calls):
                time.sleep(0.1)  # the front is being started again
            self.acknowledged.update(call["userId"] for call in calls)
            number += BATCH

    def _is_taken(self, calls: list[dict[str, Any]]) -> bool:
        try:
            return self._house.post("/v1/batch", {"batch": calls}, self._key).status == 200
        except OSError:
            return False


def _look(number: int) -> dict[str, Any]:
    told = {"event": "Product Viewed", "properties": {"productId": f"tea-{number % PRODUCTS}"}}
    return {"type": "track", "userId": f"shopper-{number % PEOPLE}", "messageId": f"look-{number}", **told}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    one = House(tmp_path_factory.mktemp("apply"))
    one.run()
    yield one
    one.stop()


@pytest.fixture(scope="module")
def key(house: House) -> str:
    return house.livepost("keys", "new", "secret").splitlines()[0].rpartition(" ")[2]


def command(house: House, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, whatever comes of it."""
    return subprocess.run(
        [sys.executable, "-m", "livepost.cli", *words],
        cwd=house.folder,
        env=house.environment,
        capture_output=True,
        text=True,
        check=False,
    )


def edit(page: Path, before: str, text: str) -> None:
    told = page.read_text()
    assert before in told
    page.write_text(told.replace(before, text + before, 1))


def segments(house: House) -> dict[str, int]:
    """Return how many people are in each segment."""
    with closing(EngineClient(house.data)) as engine:
        return {one.segment: one.people for one in engine.segments()}


def _secret(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def begin_and_fall(house: House) -> None:
    """Begin the change, and kill the engine, then the front, then let go, once the first seed is in."""
    settings = load(house.folder, house.environment).settings
    project = load_project(house.folder, settings, house.data.speed, anew=True)
    with Applying(house.data) as applying:
        found = diff(applying.named.serving, project.compiled, renames_of(project.declarations))
        for progress in applying.carry_out(project.compiled, found.carried):
            if progress.stage == "history" and progress.done == 1:
                break
        assert progress.of >= 3  # it is cut short
        for name in ("engine", "front"):
            os.kill(house.processes()[name], signal.SIGKILL)
    wait_until_whole(house)


def test_a_change_cut_short_by_kills_goes_on_and_everything_is_counted_once(house: House, key: str) -> None:
    with Load(house, key) as load_:
        wait_until("everybody to have looked", lambda: len(load_.acknowledged) == PEOPLE, 60.0)
        edit(house.folder / "shop.py", "    favourites = ", FEATURE)
        edit(house.folder / "shop.py", "    vip       = ", SEGMENT)
        planned = command(house, "plan")
        assert planned.returncode == 2, planned.stderr
        assert "+ views_90d" in planned.stdout and "+ lookers" in planned.stdout
        assert "lookers" not in segments(house)
        begin_and_fall(house)
        assert "lookers" not in segments(house)  # the old page serves until the new one is ready
        assert "under way" in command(house, "plan").stdout
        applied = command(house, "apply", "--yes")
        assert applied.returncode == 0, applied.stderr
        assert "lookers" in applied.stdout
        assert command(house, "plan").returncode == 0
    looks = load_.acknowledged
    wait_until(
        "those who looked often enough to be in the segment",
        lambda: segments(house)["lookers"] == sum(times >= LOOKS for times in looks.values()),
    )
    parity = command(house, "parity")
    assert (parity.returncode, parity.stderr) == (0, "")
    assert parity.stdout.endswith("no mismatch\n")


def test_mails_are_made_with_the_page_that_was_applied_and_with_no_other(house: House, key: str) -> None:
    page = house.folder / "shop.py"
    assert house.post("/v1/identify", known_as("ada"), key).status == 200
    fill_basket(house, key, "ada", "first")
    wait_until("the old page's mail", lambda: len(house.mails()) == 1)
    text = page.read_text()
    page.write_text(text.replace("def basket_note", "def basket_letter").replace("In your basket,", "You put it in,"))
    fill_basket(house, key, "ada", "second")
    wait_until("another one", lambda: len(house.mails()) == 2)
    assert [mail["Subject"] for mail in house.mails()] == 2 * ["In your basket, Ada"]  # nothing is applied yet
    assert command(house, "apply", "--yes").returncode == 0
    fill_basket(house, key, "ada", "third")
    wait_until("the new page's mail", lambda: len(house.mails()) == 3)
    assert house.mails()[0]["Subject"] == "You put it in, Ada"
    reply = house.ask("GET", "/api/people/ada/preview?campaign=basket_letter", headers=_secret(key))
    assert (reply.status, "You put it in" in reply.body) == (200, True)


def test_the_change_is_there_after_a_restart_which_takes_no_other_page(house: House) -> None:
    before = segments(house)
    house.stop()
    edit(house.folder / "shop.py", "    vip       = ", "    everybody = segment(views_90d >= 0)\n")
    house.run()
    assert segments(house) == before
    assert command(house, "plan").returncode == 2
    assert command(house, "parity").returncode == 0
    assert house.ask("GET", "/readyz").status == 200


def test_a_house_that_does_not_run_is_said_and_run_says_that_the_page_is_not_applied(house: House) -> None:
    house.stop()
    told = command(house, "apply", "--yes")
    assert told.returncode == 1
    assert "expected a house that runs, to change it" in told.stderr
    run = [sys.executable, "-m", "livepost.cli", "run"]
    with subprocess.Popen(run, cwd=house.folder, env=house.environment, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        lines = [running.stdout.readline() for _ in range(6)]
        running.terminate()
    assert lines[4].startswith("The project in this folder is not what is applied")
    house.run()


def test_beside_what_is_applied_a_broken_template_is_said_and_mails_are_made_with_the_one_kept(
    house: House, key: str
) -> None:
    house.stop()
    template = house.folder / "templates" / "browse_reminder.mjml"
    whole = template.read_text()
    template.write_text(whole.replace("<mjml>", "<mjml>{{ first_name | nofilter }}"))
    run = [sys.executable, "-m", "livepost.cli", "run"]
    before = len(house.mails())
    with subprocess.Popen(run, cwd=house.folder, env=house.environment, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        lines = [running.stdout.readline() for _ in range(6)]
        assert lines[4].startswith("The project in this folder is not sound: ")
        fill_basket(house, key, "ada", "beside-a-broken-template")
        wait_until("a mail all the same", lambda: len(house.mails()) == before + 1)
        running.terminate()
    template.write_text(whole)
    house.run()
