"""The demo: the packaged shop on a data folder, run by the supervisor and processes of any project, its feed, and those
who read its mails.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from importlib.resources import files
from pathlib import Path

import msgspec

from livepost.clock import WallClock, anchor_clock
from livepost.demo.feed import START_FILE, Account
from livepost.errors import LivepostError, StoreError
from livepost.log.base import Position
from livepost.model.told import Status
from livepost.runtime.data.folder import DataFolder
from livepost.runtime.data.keyring import NewKey
from livepost.runtime.engine.client import EngineClient
from livepost.runtime.house.supervisor import Supervisor, command_of, end
from livepost.runtime.sockets.wire import WireClient
from livepost.settings.load import load

STOP_FEED_S = 20.0
DRAIN_S = 120.0
"""How long after the feed's end everything accepted may take to be decided and sent."""

SOURCE = "demo-shop"
_OWN = (sys.executable, "-m", "livepost.demo")


class DemoError(LivepostError):
    """The demo cannot go on; the sentence says why."""


class DemoHouse:
    """A running demo. `start`, then `stop_feed`, `drain` and `stop`, or `stop` alone."""

    def __init__(self, data: Path, port: int, speed: float, *, readers: bool = False) -> None:
        """Take where it lies; with `readers` its mails are read, and what that brings is in no table."""
        self.project = Path(str(files("livepost.demo"))) / "shop"
        data.mkdir(parents=True, exist_ok=True)
        self._environment = {**os.environ, "LIVEPOST_DATA": str(data.resolve()), "LIVEPOST_PORT": str(port)}
        self.folder = DataFolder(load(self.project, self._environment).settings)
        self.folder.prepare()
        self.supervisor = Supervisor(self.project, self._environment, _command_of)
        self._speed = speed
        self._account = self.folder.path / "feed.json"
        self._feed: subprocess.Popen[bytes] | None = None
        self._with_readers = readers
        self._readers: subprocess.Popen[bytes] | None = None
        self._key: NewKey | None = None

    @property
    def url(self) -> str:
        """Where the front listens."""
        return f"http://localhost:{self.folder.port}"

    @property
    def shop_url(self) -> str:
        """Where the shop is."""
        return f"{self.url}/shop"

    def start(self) -> None:
        """Let the folder's clock go on at the demo's speed, start the house, then the feed."""
        self.supervisor.hold(self.folder)
        with closing(self.folder.log_reader()) as log:
            last = log.last()
        anchor_clock(self.folder.path, self._speed, last.stamp if last.seq >= 0 else None)
        self._key = self.folder.keys.new("secret", SOURCE, WallClock().now_ms())
        self.supervisor.start(self.folder)
        self._feed = self._beside("feed", self.url, str(self.folder.path), str(self._account))
        if self._with_readers:
            self._readers = self._beside("readers", self.url, str(self.project))

    def wait_fed(self) -> None:
        """Wait until the feed has its events ready and begins."""
        assert self._feed is not None
        feed = self._feed
        _wait("the feed to begin", lambda: (self.folder.path / START_FILE).exists() or feed.poll() is not None)
        if feed.poll() is not None:
            raise DemoError(f"the feed ended with {feed.returncode}; its last words are above")

    def stop_feed(self) -> Account:
        """Let the feed finish its turn; return its account."""
        assert self._feed is not None
        code = end(self._feed, STOP_FEED_S)
        self._feed = None
        if code != 0:
            raise DemoError(f"the feed ended with {code}; its last words are above")
        return msgspec.json.decode(self._account.read_bytes(), type=Account)

    def drain(self) -> Position:
        """Let time pass once more, wait until all up to there is decided and sent; return that position.

        Time goes on meanwhile and decides further mails: these are not waited for, or a slow host would never be done.
        """
        with (
            closing(WireClient(self.folder.front_socket)) as front,
            closing(EngineClient(self.folder)) as engine,
            closing(self.folder.ledger()) as ledger,
        ):
            last = front.call("tick", None, Position)
            _wait("the engine to serve the log", lambda: engine.status().complete_to >= last.seq)
            _wait("the courier to take over", lambda: ledger.cursor() >= last.seq)
            _wait("the mails to be sent", lambda: ledger.open_until(last.stamp) == 0)
        return last

    def settled(self) -> Status:
        """Wait until the engine has served the whole log, nobody writing it any more; return where it stands."""
        with closing(EngineClient(self.folder)) as engine, closing(self.folder.log_reader()) as log:
            _wait("the engine to settle", lambda: engine.status().complete_to == log.last().seq)
            return engine.status()

    def stop(self) -> None:
        """Stop everything."""
        for process in (self._feed, self._readers):
            if process is not None:
                end(process, STOP_FEED_S)
        self.supervisor.stop()
        if self._key is not None:
            self.folder.keys.revoke(self._key.stored.id, WallClock().now_ms())
            self._key = None

    def _beside(self, *command: str) -> subprocess.Popen[bytes]:
        """Start a process of the demo's own beside the house, with the shop's secret key."""
        assert self._key is not None
        environment = {**self._environment, "LIVEPOST_DEMO_KEY": self._key.key}
        return subprocess.Popen([*_OWN, *command], env=environment, stdin=subprocess.DEVNULL, start_new_session=True)


def _command_of(name: str) -> list[str]:
    """Return the command of a process: the front is the demo's own, for it has the shop beside it."""
    return [*_OWN, name] if name == "front" else command_of(name)


def _wait(what: str, done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DRAIN_S
    while not _holds(done):
        if time.monotonic() > deadline:
            raise DemoError(f"expected {what} within {DRAIN_S:g} s, it did not; see the processes' words above")
        time.sleep(0.05)


def _holds(done: Callable[[], bool]) -> bool:
    try:
        return done()
    except StoreError:  # just being started again
        return False
