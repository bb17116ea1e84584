"""The tutorial, word by word: each of its commands is run in order and must print what stands below it.

What a person does by hand (an edit, a key pasted, a terminal killed) is done here by hand as well. Ids, keys, times and
how long tests took are a reader's own: they are compared by their form.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[2]
TUTORIAL = HOUSE / "docs" / "tutorial" / "first-afternoon.md"
PORT = "8300"
PATIENCE_S = 30.0
GREETING = """Livepost runs with 1 campaign and takes events at http://localhost:8300
  write key   lp_write_YBGHk3BM4iZPEms0Ma7mfhVgm13DQsh9   (public: websites and apps send events with it)
  console     http://localhost:8300/open/Ca2XQW7cosXZSU9-SbdSLM6N9aUDS8to   (opens once; `livepost console` prints another)
  secret keys are made by `livepost keys new secret`; Ctrl-C stops
"""  # noqa: E501
FORMS = (
    (r"lp_(write|secret)_[\w-]{32}", "KEY"),
    (r"localhost:\d+", "localhost:PORT"),
    (r"/open/[\w-]{32}", "/open/WORD"),
    (r"/(u|preferences)/[\w-]{60,400}", r"/\1/TOKEN"),
    (r"[0-9a-f]{32}", "ID"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "TIME"),
    (r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d", "DATE"),
    (r"in \d+\.\d+s", "in A WHILE"),
    (r"^ *\d+  expected", "POSITION  expected"),
    (r"record \d+", "record NUMBER"),
    (r"at position \d+", "at position NUMBER"),
    (r" +\[100%\]", " [100%]"),
    (r"\S+/shop\.py", "shop.py"),
)


class Reader:
    """Somebody who sits down with the tutorial: a folder, two terminals, an editor."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.steps = steps(TUTORIAL.read_text())
        with closing(socket.socket()) as free:
            free.bind(("127.0.0.1", 0))
            self._port = str(free.getsockname()[1])
        outside = {name: value for name, value in os.environ.items() if not name.startswith(("LIVEPOST_", "PYTEST_"))}
        tools = commands_of(sys.executable, folder / "bin")
        self._environment = {**outside, "PATH": f"{tools}:{outside['PATH']}", "LIVEPOST_PORT": self._port}
        self._kept = ""
        self._house: subprocess.Popen[str] | None = None

    def types(self, beginning: str, **pasted: str) -> str:
        """Type the next block, with what a reader pastes into it; hold what it prints against what stands below it."""
        command, promised = next(self.steps)
        assert command.startswith(beginning)
        for place, own in pasted.items():
            assert place in command
            command = command.replace(place, own)
        said = self._run(command)
        assert form(said) == form(promised)
        return said

    def keeps(self, beginning: str, **pasted: str) -> None:
        """Type the next block, a variable or a function, which the terminal keeps for all that follows."""
        command, promised = next(self.steps)
        assert command.startswith(beginning) and not promised
        for place, own in pasted.items():
            command = command.replace(place, own)
        self._kept += self._here(command)

    def starts_the_house(self) -> None:
        """Type `livepost run` in the other terminal."""
        command, promised = next(self.steps)
        assert command == "livepost run\n"
        self._start(promised)

    def pulls_the_plug(self, promised: str) -> None:
        """Kill every process of the house, and start it again: one block of the tutorial."""
        command, _ = next(self.steps)
        assert command.startswith("pkill -9 -f") and command.endswith("livepost run\n")
        house = self._running()
        children = Path(f"/proc/{house.pid}/task/{house.pid}/children").read_text().split()
        for pid in (house.pid, *map(int, children)):
            assert re.search(r"livepost(\.cli)? run", command_line(pid))  # what the block's pattern finds
            os.kill(pid, signal.SIGKILL)
        self._ended(house)
        self._start(promised)

    def waits_for_a_mail(self) -> None:
        """Wait as the tutorial says: about ten seconds."""
        deadline = time.monotonic() + PATIENCE_S
        while not (self.folder / "data" / "mailbox").exists() or self._run("livepost mailbox list --json") == "[]\n":
            assert time.monotonic() < deadline
            time.sleep(0.2)

    def presses_ctrl_c(self) -> int:
        """End the house; return its exit code."""
        house = self._running()
        house.send_signal(signal.SIGINT)
        return self._ended(house)

    def edits(self, name: str, old: str, new: str) -> None:
        """Change a file of the project."""
        text = (self.folder / name).read_text()
        assert old in text
        (self.folder / name).write_text(text.replace(old, new))

    def _run(self, command: str) -> str:
        words = ["bash", "-c", self._kept + self._here(command)]
        done = subprocess.run(
            words, cwd=self.folder, env=self._environment, capture_output=True, text=True, timeout=120, check=False
        )
        return done.stdout + done.stderr

    def _here(self, command: str) -> str:
        return command.replace(f"localhost:{PORT}", f"localhost:{self._port}")

    def _start(self, promised: str) -> None:
        self._house = subprocess.Popen(
            ["livepost", "run"], cwd=self.folder, env=self._environment, stdout=subprocess.PIPE, text=True
        )
        assert self._house.stdout is not None
        said = "".join(self._house.stdout.readline() for _ in promised.splitlines())
        assert form(said) == form(promised)

    def _running(self) -> subprocess.Popen[str]:
        assert self._house is not None
        return self._house

    def _ended(self, house: subprocess.Popen[str]) -> int:
        code = house.wait(PATIENCE_S)
        assert house.stdout is not None
        house.stdout.close()
        self._house = None
        return code


def commands_of(python: str, folder: Path) -> Path:
    """Make `python` and `livepost` as the virtual environment of the tutorial has them; return their folder."""
    folder.mkdir()
    for name, words in (("python", python), ("livepost", f"{python} -m livepost.cli")):
        (folder / name).write_text(f'#!/bin/sh\nexec {words} "$@"\n')
        (folder / name).chmod(0o700)
    return folder


def command_line(pid: int) -> str:
    """Return a process's command line."""
    return Path(f"/proc/{pid}/cmdline").read_bytes().decode().replace("\0", " ")


def steps(text: str) -> Iterator[tuple[str, str]]:
    """Go through (block of commands, what stands below it as its output, "" for nothing)."""
    for found in re.finditer(r"^```sh\n(.*?)^```\n(?:\n```\n(.*?)^```$)?", text, re.DOTALL | re.MULTILINE):
        yield found[1], found[2] or ""


def form(said: str) -> str:
    """Return what was printed, with a reader's own values in their form only."""
    for pattern, word in FORMS:
        said = re.sub(pattern, word, said, flags=re.MULTILINE)
    return said.strip()


def second_test() -> str:
    """Return the test that the tutorial has one write."""
    found = re.search(r"^```python\n(.*?)^```", TUTORIAL.read_text(), re.DOTALL | re.MULTILINE)
    assert found is not None
    return found[1]


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    one = Reader(tmp_path)
    yield one
    if one._house is not None:
        one.presses_ctrl_c()


def test_every_command_of_the_tutorial_prints_what_stands_below_it(reader: Reader) -> None:
    assert next(reader.steps)[0].startswith("make .venv/.test")  # what runs this test was installed so
    reader.types("livepost init teashop")
    reader.folder /= "teashop"
    reader.types("livepost check")
    reader.edits("shop.py", "segment((views_7d >= 3)", 'segment((views_7d >= "three")')
    assert form(reader._run("livepost check")) in form(TUTORIAL.read_text())
    reader.edits("shop.py", 'segment((views_7d >= "three")', "segment((views_7d >= 3)")
    reader.edits("shop.py", "holdout=0.05", "holdout=0.0")  # Ada and Bob are not among those held out
    reader.types("python -m pytest")
    reader.edits("tests/test_shop.py", "import hours", "import Money, hours")
    reader.edits("tests/test_shop.py", "import ProductViewed", "import OrderCompleted, ProductViewed")
    page = reader.folder / "tests" / "test_shop.py"
    page.write_text(page.read_text() + "\n\n" + second_test())
    assert "2 passed" in reader._run("python -m pytest -q")
    reader.edits("shop.py", "wait=hours(2)", "wait=seconds(10)")
    reader.edits("shop.py", "latest, segment", "latest, seconds, segment")
    assert "1 failed, 1 passed" in reader._run("python -m pytest -q")
    reader.starts_the_house()
    secret = reader.types("livepost keys new secret").split()[4]
    reader.keeps("KEY=", **{"lp_secret_dJmngkGDr8KAjjKYpTv9ZZawtJZf-7_X": secret})
    reader.keeps("send()")
    reader.types("send identify")
    reader.types("grep -r ada@example.com")
    reader.types("for product in")
    reader.waits_for_a_mail()
    mail = reader.types("livepost mailbox show")
    unsubscribe = re.search(r"^List-Unsubscribe: <(\S+)>", mail, re.MULTILINE)
    assert unsubscribe is not None
    reader.types("livepost why ada browse_reminder")
    reader.types("curl -s", **{"http://localhost:8300/u/...": unsubscribe[1]})
    reader.types("send identify")
    reader.types("send track")
    reader.pulls_the_plug(GREETING)
    reader.types("livepost parity")
    assert reader.presses_ctrl_c() == 0
    reader.edits("shop.py", "wait=seconds(10)", "wait=hours(2)")
    assert "2 passed" in reader._run("python -m pytest -q")
    assert list(reader.steps) == []


def test_an_output_that_is_another_would_be_found(reader: Reader) -> None:
    """The negative control: a word less, and a number more, are seen; a reader's own id and time are not."""
    promised = "no mail: no consent; decided 2026-11-22 02:06:27 UTC\n2 people at position 13: no mismatch\n"
    assert form(promised) == form(promised.replace("02:06:27", "23:59:59").replace("13", "99"))
    assert form(promised) != form(promised.replace("no consent", "consent"))
    assert form(promised) != form(promised.replace("2 people", "3 people"))
