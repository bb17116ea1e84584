"""The whole house as its processes, from `livepost init` to the mail's own links: what a newcomer does in an afternoon.

One story, told in order on one data folder; each test stands on what the ones before it left.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest

from livepost.deliver.keep import read
from livepost.measure.machine import NO_AGENT
from livepost.model.record import Record, Verdict
from livepost.runtime.author.project import load_project
from livepost.runtime.data.folder import DataFolder
from livepost.runtime.engine.client import EngineClient
from livepost.runtime.front.reasons import reasons_for
from livepost.runtime.sockets.wire import WireError
from livepost.settings.load import load

PATIENCE_S = 20.0
MAIL_WITHIN_S = 5.0
TARGET = "https://shop.example.com/teas?from=mail"
BASKET_NOTE = """

@campaign(on=ProductAdded, purpose="marketing")
def basket_note(shopper: Shopper) -> Email:
    return Email("browse_reminder", subject="In your basket, {{ first_name }}", products=[])
"""
PROCESSES = ["front", "engine", "courier"]


class Reply(msgspec.Struct, frozen=True):
    """What a server answered."""

    status: int
    headers: dict[str, str]
    body: str


COMMAND_S = 120
"""How long a command may take: one that ought to be refused, and is not, would run on."""


class House:
    """A project folder and its command line; `run` and `stop` are what a person types."""

    def __init__(self, parent: Path) -> None:
        outside = {name: value for name, value in os.environ.items() if not name.startswith("LIVEPOST_")}
        self.environment = {**outside, "LIVEPOST_PORT": "0"}
        self.folder = parent / "teashop"
        self.livepost("init", str(self.folder), cwd=parent)
        self._make_quick()
        self.livepost("ropa", "--to", "ropa.md")  # the project has a campaign more now
        self._process: subprocess.Popen[str] | None = None

    @property
    def data(self) -> DataFolder:
        """The data folder, as the processes see it."""
        return DataFolder(load(self.folder, self.environment).settings)

    def livepost(self, *words: str, cwd: Path | None = None) -> str:
        """Run a command to its end; return what it printed."""
        command = [sys.executable, "-m", "livepost.cli", *words]
        done = subprocess.run(
            command,
            cwd=cwd or self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=COMMAND_S,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def run(self) -> str:
        """Start the house and wait until it is whole; return its greeting, which comes once the front takes events."""
        command = [sys.executable, "-m", "livepost.cli", "run"]
        self._process = subprocess.Popen(
            command, cwd=self.folder, env=self.environment, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        greeting = "".join(self._process.stdout.readline() for _ in range(3))
        wait_until_whole(self)
        return greeting

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask the house to end; return its exit code."""
        assert self._process is not None
        self._process.send_signal(number)
        code = self._process.wait(PATIENCE_S)
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._process = None
        return code

    def processes(self) -> dict[str, int]:
        """Return the process ids of the house's processes that are alive, by name."""
        return dict(sorted(found_in(self.folder), key=lambda one: PROCESSES.index(one[0])))

    def post(self, path: str, told: dict[str, Any], key: str) -> Reply:
        """Send a call with a key."""
        login = base64.b64encode(f"{key}:".encode()).decode()
        headers = {"Authorization": f"Basic {login}", "Content-Type": "application/json"}
        return self.ask("POST", path, json.dumps(told), headers)

    def ask(self, method: str, path: str, body: str = "", headers: dict[str, str] | None = None) -> Reply:
        """Send a request to the front; redirects are not followed."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.data.port, timeout=PATIENCE_S)) as connection:
            connection.request(method, path, body, headers or {})
            reply = connection.getresponse()
            told = {name.lower(): value for name, value in reply.getheaders()}
            return Reply(reply.status, told, reply.read().decode())

    def mails(self) -> list[Message]:
        """Return the kept mails as a mail program opens them, the newest first."""
        with closing(self.data.vault(readonly=True)) as vault:
            found = read(self.data.mailbox, vault, self.data.settings.workspace)
        return [message_from_bytes(mail.raw) for mail in found]

    def why(self, person: str, about: str | None = None) -> str:
        """Return what `livepost why` says, without starting it."""
        return str(reasons_for(self.data, load_project(self.folder, self.data.settings), person, about))

    def records(self, name: str) -> list[Record]:
        """Return the log's events of a name."""
        with closing(self.data.log_reader()) as log:
            return [record for block in log.read(-1, 100_000) for record in block.records() if record.name == name]

    def _make_quick(self) -> None:
        """Let the starter's campaign mail at once and hold nobody out; add one that mails at each full basket."""
        page = self.folder / "shop.py"
        quick = page.read_text().replace("wait=hours(2), ", "").replace(", holdout=0.05", "")
        assert "wait" not in quick and "holdout" not in quick
        page.write_text(quick + BASKET_NOTE)
        template = self.folder / "templates" / "browse_reminder.mjml"
        link = f'<mj-text><a href="{TARGET}">All our teas</a></mj-text>\n        <mj-text>Simply'
        told = template.read_text().replace("<mj-text>Simply", link)
        assert TARGET in told
        template.write_text(told)


class Keys(msgspec.Struct, frozen=True):
    """The house's keys."""

    write: str
    secret: str


def found_in(folder: Path) -> Iterator[tuple[str, int]]:
    """Go through (name, process id) of Livepost's processes that work in a folder."""
    for place in Path("/proc").glob("[0-9]*"):
        try:
            words = (place / "cmdline").read_bytes().decode().split("\0")
            here = os.readlink(place / "cwd") == str(folder)
        except OSError:
            continue
        if here and words[1:4] == ["-m", "livepost.cli", "run"] and words[4] in PROCESSES:
            yield words[4], int(place.name)


def wait_until(what: str, done: Callable[[], bool], patience_s: float = PATIENCE_S) -> None:
    """Return when `done` says so."""
    deadline = time.monotonic() + patience_s
    while not done():
        assert time.monotonic() < deadline, f"expected {what} within {patience_s:g} s"
        time.sleep(0.05)


def known_as(person: str) -> dict[str, Any]:
    """Return the identify call of somebody with an address who allows marketing."""
    return {
        "userId": person,
        "messageId": f"{person}-1",
        "traits": {"email": f"{person}@example.com", "firstName": person.title()},
        "context": {"consent": {"categoryPreferences": {"marketing": True}}},
    }


def look(person: str, product: str) -> dict[str, Any]:
    """Return the call that tells of a look at a product."""
    told = {"event": "Product Viewed", "properties": {"productId": product}}
    return {"userId": person, "messageId": f"{person}-looks-{product}", **told}


def three_looks(house: House, key: str, person: str) -> None:
    """Let somebody look at three products."""
    for product in ("green-tea", "black-tea", "oolong"):
        reply = house.post("/v1/track", look(person, product), key)
        assert (reply.status, json.loads(reply.body)) == (200, {"success": True})


def fill_basket(house: House, key: str, person: str, product: str) -> None:
    """Let somebody put a product into the basket: that brings a mail each time."""
    told = {"event": "Product Added", "properties": {"productId": product}}
    call = {"userId": person, "messageId": f"{person}-adds-{product}", **told}
    assert house.post("/v1/track", call, key).status == 200


def wait_until_whole(house: House) -> None:
    """Return when all processes are there, the front takes events and the engine answers: it listens last."""
    wait_until("all processes", lambda: list(house.processes()) == PROCESSES)
    wait_until("the front to take events", lambda: answers(house))
    wait_until("the engine to answer", lambda: engine_answers(house))


def answers(house: House) -> bool:
    """Say whether the front takes events."""
    try:
        return house.ask("GET", "/readyz").status == 200
    except OSError:
        return False


def engine_answers(house: House) -> bool:
    """Say whether the engine answers questions."""
    with suppress(WireError), closing(EngineClient(house.data)) as engine:
        return engine.status().complete_to >= -1
    return False


def html_of(mail: Message) -> str:
    """Return the HTML part of a mail."""
    (found,) = [part for part in mail.walk() if part.get_content_type() == "text/html"]
    body = found.get_payload(decode=True)
    assert isinstance(body, bytes)
    return body.decode()


def unsubscribe_path(mail: Message) -> str:
    """Return the path of a mail's one-click address."""
    return urlsplit(mail["List-Unsubscribe"].strip("<>")).path


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    one = House(tmp_path_factory.mktemp("real"))
    yield one
    if one._process is not None:
        one.stop()


@pytest.fixture(scope="module")
def keys(house: House) -> Keys:
    write, secret = (json.loads(house.livepost("keys", "new", kind, "--json"))["key"] for kind in ("write", "secret"))
    return Keys(write, secret)


def test_a_new_project_is_sound_and_runs_as_three_processes(house: House, keys: Keys) -> None:
    assert house.livepost("check") == "The project is sound.\n"
    greeting = house.run()
    assert f"Livepost runs with 2 campaigns and takes events at http://localhost:{house.data.port}" in greeting
    assert keys.write in greeting
    assert list(house.processes()) == PROCESSES
    assert house.ask("GET", "/readyz").status == 200


def test_an_event_is_acknowledged_with_its_position_and_an_unknown_key_is_refused(house: House, keys: Keys) -> None:
    reply = house.post("/v1/identify", known_as("ada"), keys.secret)
    assert (reply.status, json.loads(reply.body)) == (200, {"success": True})
    assert int(reply.headers["x-livepost-position"]) >= 0
    refused = house.post("/v1/identify", known_as("eve"), "lp_write_nobody")
    assert (refused.status, json.loads(refused.body)["code"]) == (401, "invalid_key")


def test_three_looks_by_a_website_bring_a_mail_within_seconds(house: House, keys: Keys, tmp_path: Path) -> None:
    three_looks(house, keys.write, "ada")
    wait_until("a mail", lambda: bool(house.mails()), MAIL_WITHIN_S)
    (row,) = json.loads(house.livepost("mailbox", "list", "--json"))
    assert (row["to"], row["subject"]) == ("ada@example.com", "Still thinking it over, Ada?")
    house.livepost("mailbox", "show", "--raw", str(tmp_path / "mail.eml"))
    mail = message_from_bytes((tmp_path / "mail.eml").read_bytes())
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert "oolong" in html_of(mail)


def test_an_address_that_only_a_website_told_gets_no_mail(house: House, keys: Keys) -> None:
    house.post("/v1/identify", known_as("mallory"), keys.write)
    three_looks(house, keys.write, "mallory")
    wait_until("the reason", lambda: "no address" in house.why("mallory", "browse_reminder"))
    assert len(house.mails()) == 1


def test_a_click_leads_on_and_comes_back_into_the_log(house: House, keys: Keys) -> None:
    (link,) = {urlsplit(found).path for found in re.findall(r'href="([^"]*/c/[^"]*)"', html_of(house.mails()[0]))}
    reply = house.ask("GET", link)
    assert (reply.status, reply.headers["location"]) == (302, TARGET)
    assert "set-cookie" not in reply.headers
    wait_until("the click", lambda: bool(house.records("Email Link Clicked")))
    [click] = house.records("Email Link Clicked")
    assert (click.verdict, click.reason) == (Verdict.FILTERED, f"a machine's: {NO_AGENT}"), (
        "no browser is without a name"
    )
    assert house.ask("GET", link[:-3] + "abc").status == 404


def test_looking_at_the_unsubscribe_page_decides_nothing(house: House, keys: Keys) -> None:
    page = house.ask("GET", unsubscribe_path(house.mails()[0]))
    assert (page.status, "Unsubscribe" in page.body) == (200, True)
    assert house.why("ada").splitlines()[0].endswith("marketing allowed")


def test_one_click_unsubscribes_without_login_cookie_or_redirect(house: House, keys: Keys) -> None:
    path = unsubscribe_path(house.mails()[0])
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    reply = house.ask("POST", path, "List-Unsubscribe=One-Click", form)
    assert reply.status == 200
    assert "set-cookie" not in reply.headers and "location" not in reply.headers
    wait_until("the echo", lambda: house.why("ada").splitlines()[0].endswith("marketing not allowed"))
    assert len(house.records("Unsubscribed")) == 1


def test_no_further_mail_comes_and_the_reason_is_on_record(house: House, keys: Keys) -> None:
    house.post("/v1/identify", known_as("bob"), keys.secret)
    for person in ("ada", "bob"):
        fill_basket(house, keys.write, person, "green-tea")
    wait_until("bob's mail", lambda: len(house.mails()) == 2, MAIL_WITHIN_S)
    assert [mail["To"] for mail in house.mails()] == ["bob@example.com", "ada@example.com"]
    assert house.livepost("why", "ada", "basket_note").startswith("no mail: no consent for this purpose")
    assert house.why("bob", "basket_note").startswith("sent: ")
    assert house.why("ada", "browse_reminder").startswith("sent: entered Shopper.browsing")


def test_the_live_state_is_what_sql_over_the_log_says(house: House, keys: Keys) -> None:
    position = house.post("/v1/track", look("bob", "first"), keys.write).headers["x-livepost-position"]
    broken = {"userId": "bob", "messageId": "broken", "event": "Product Added"}
    assert house.post("/v1/track", broken, keys.write).status == 200
    wait_until("the look", lambda: "views_7d is 1" in house.why("bob", "browsing"))
    (letter,) = json.loads(house.livepost("dead", "list", "--after", position, "--json"))
    assert letter["reason"].startswith("expected field `product_id` in `Product Added`")
    found = json.loads(house.livepost("parity", "--json"))
    assert found["holds"] and found["people"] == 3


def test_a_second_house_on_the_same_folder_is_refused_and_the_first_goes_on(house: House, keys: Keys) -> None:
    before = house.processes()
    with pytest.raises(AssertionError, match="a house runs on"):
        house.livepost("run")
    assert house.processes() == before
    assert house.ask("GET", "/readyz").status == 200


def test_a_killed_process_is_back_soon(house: House, keys: Keys) -> None:
    for name in PROCESSES:
        pid = house.processes()[name]
        os.kill(pid, signal.SIGKILL)
        wait_until(f"another {name}", lambda name=name, pid=pid: house.processes().get(name, pid) != pid)
    wait_until_whole(house)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_stops_all_processes_and_a_restart_goes_on(house: House, keys: Keys, number: signal.Signals) -> None:
    count = len(house.mails())
    fill_basket(house, keys.write, "bob", number.name)
    assert house.stop(number) == 0
    assert list(found_in(house.folder)) == []
    assert house.why("bob", "basket_note").startswith(("sent: ", "not yet: "))
    house.run()
    wait_until("the mail of before", lambda: len(house.mails()) == count + 1)
    assert house.why("bob", "basket_note").startswith("sent: ")


def test_a_supervisor_that_is_killed_takes_its_processes_along_and_a_restart_goes_on(house: House, keys: Keys) -> None:
    count = len(house.mails())
    house.stop(signal.SIGKILL)
    wait_until("the processes to end", lambda: list(found_in(house.folder)) == [])
    house.run()
    fill_basket(house, keys.write, "bob", "after a killed supervisor")
    wait_until("bob's next mail", lambda: len(house.mails()) == count + 1)


def test_only_a_supervised_process_ends_with_its_input(house: House) -> None:
    alone, supervised = start_recorder(house), start_recorder(house, "--supervised")
    try:
        assert supervised.wait(PATIENCE_S) in (0, -signal.SIGTERM)
        assert alone.poll() is None
    finally:
        alone.kill()
        alone.wait(PATIENCE_S)


def start_recorder(house: House, *words: str) -> subprocess.Popen[bytes]:
    """Start one of the house's processes by hand, with no input."""
    command = [sys.executable, "-m", "livepost.cli", "run", "recorder", *words]
    return subprocess.Popen(command, cwd=house.folder, env=house.environment, stdin=subprocess.DEVNULL)


def test_a_call_sent_again_after_all_that_counts_once(house: House, keys: Keys) -> None:
    count = len(house.mails())
    fill_basket(house, keys.write, "bob", "green-tea")
    house.post("/v1/track", look("bob", "last"), keys.write)
    wait_until("the last look", lambda: "views_7d is 2" in house.why("bob", "browsing"))
    assert len(house.mails()) == count
    assert json.loads(house.livepost("parity", "--json"))["holds"]
