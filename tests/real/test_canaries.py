"""S4: what comes in by any way is in no log, no metric, no URL that the house makes and no name of a file.

Every process runs without the redactor, so that what the first net lets through is seen. Words of each kind are put
into every route, header and command; then all that the house says is looked through, byte by byte.
"""

from __future__ import annotations

import base64
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar
from urllib.parse import urlencode, urlsplit

import httpx
import pytest

from livepost.audit.entry import decoded
from livepost.audit.sqlite import SqliteAudit
from livepost.deliver.keep import each
from livepost.runtime.front.ruled import PUBLIC, ruled
from livepost.runtime.house.supervisor import command_of
from livepost.runtime.sockets.wire import WireClient
from tests.crash.house import House, wait_until
from tests.crash.load import send
from tests.crash.scanning import found_in
from tests.crash.test_byte_scan import overheard
from tests.real.inputs import WRITE_KEY, Asked, collected, described, routed
from tests.real.unmasked import LEAKS

WORDS = {
    "user": "zq-customer-70441",
    "address": "zephyra.quillon.9917@mail-zq.example",
    "name": "Zephyraquillon",
    "phone": "+15550166801",
    "ip": "198.51.100.166",
    "text": "zq said in her own words 5582",
    "token": "zq-token-4417-0123456789abcdef",
}
"""Unique words, one of each kind."""

UNSAID = tuple(word for kind, word in WORDS.items() if kind not in ("name", "user", "token"))
"""What the audit never has: it may name what is declared, and a word that is typed in the place of a name looks so."""

COMMANDS = (
    ("why", WORDS["user"], WORDS["name"]),
    ("people", "unlink", WORDS["user"], "--yes"),
    ("requests", "enter", "access", WORDS["user"], "--verified", "by a call back"),
    ("requests", "restrict", WORDS["address"], "--verified", "by a call back"),
    ("test-send", WORDS["name"], WORDS["user"], WORDS["address"]),
    ("suppressions", "add", WORDS["address"]),
    ("consents", WORDS["user"]),
    ("export", WORDS["token"]),
    ("sql", f"SELECT '{WORDS['address']}'", "--purpose", "shop"),
    ("erase", WORDS["token"], "--yes"),
)
"""What somebody types; they are told what they typed on their own screen, and nowhere else."""


class Target(BaseHTTPRequestHandler):
    """A webhook's target: what URLs it is asked by."""

    asked: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.asked.append(self.path)
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


class Unmasked(House):
    """A house whose processes say what they say."""

    def _command(self, name: str) -> list[str]:
        return ["tests.real.unmasked" if part == "livepost.cli" else part for part in command_of(name)]


@dataclass
class Heard:
    """What a house said while every way into it was asked."""

    house: House
    routes: set[str] = field(default_factory=set)
    statuses: set[int] = field(default_factory=set)
    sinks: dict[str, bytes] = field(default_factory=dict)

    def found(self, sink: str, words: tuple[str, ...] = tuple(WORDS.values())) -> list[str]:
        return found_in(words, [(sink, self.sinks[sink])])


def lived(folder: Path, settings: dict[str, str], inputs: Callable[[Any], Iterator[Asked]]) -> Heard:
    """Ask a house by every way that `inputs` gives of its description, and keep what it said."""
    house = Unmasked(folder / "house", settings=settings)
    heard = Heard(house)
    with overheard(folder / "printed"):
        house.start()
        try:
            send(house, calls())
            wait_until("her mail to be kept", lambda: bool(mails(house)))
            with closing(browser(house)) as client:
                for one in [*inputs(client.get("/openapi.json").json()), *followed(house)]:
                    heard.routes.add(one.route)
                    heard.statuses.add(asked(client, house, one))
            heard.sinks["metrics"] = httpx.get(f"http://localhost:{house.folder.port}/metrics").content
            heard.sinks["names"] = "\n".join(str(path) for path in house.folder.path.rglob("*")).encode()
        finally:
            house.stop()
    heard.sinks["printed"] = (folder / "printed").read_bytes()
    return heard


def calls() -> Iterator[dict[str, Any]]:
    """Let somebody live whose every value is such a word, and be mailed."""
    who = {"userId": WORDS["user"], "anonymousId": WORDS["token"]}
    context = {"ip": WORDS["ip"], "consent": {"categoryPreferences": {"marketing": True, "orders": True}}}
    traits = {"email": WORDS["address"], "firstName": WORDS["name"], "phone": WORDS["phone"], "note": WORDS["text"]}
    yield {"type": "identify", "messageId": "m0", **who, "traits": traits, "context": context}
    for number in range(3):
        viewed = {"product_id": "tea", "note": WORDS["text"]}
        yield {"type": "track", "messageId": f"m{number}-", **who, "event": "Product Viewed", "properties": viewed}


def followed(house: House) -> Iterator[Asked]:
    """Go through what somebody may do with the links of their mails, with words in what a link does not say."""
    for link in links(house):
        path = urlsplit(link).path
        for word in WORDS.values():
            query, form = urlencode({"q": word}), urlencode({"yes": word, "whole": "yes", "frequency": word})
            yield Asked(path, "GET", f"{path}?{query}")
            yield Asked(path, "POST", f"{path}?{query}", form.encode(), "application/x-www-form-urlencoded")


def mails(house: House) -> list[Any]:
    with closing(house.folder.vault(readonly=True)) as vault:
        return list(each(house.folder.mailbox, vault, house.folder.settings.workspace))


def browser(house: House) -> httpx.Client:
    """Return somebody with the console's session."""
    base = f"http://localhost:{house.folder.port}"
    client = httpx.Client(base_url=base, headers={"Origin": base}, timeout=60)
    with closing(WireClient(house.folder.front_socket)) as front:
        client.get(front.call("link", None, str))
    return client


def asked(client: httpx.Client, house: House, one: Asked) -> int:
    """Send a request with a word in every header that the house may read; return the status."""
    basic = base64.b64encode(f"{house.secret_key}:".encode()).decode()
    headers = {
        "User-Agent": WORDS["text"],
        "Referer": f"https://shop.example/?email={WORDS['address']}",
        "X-Forwarded-For": WORDS["ip"],
        "X-Request-Id": WORDS["token"],
        "Idempotency-Key": WORDS["text"],
        "Sec-GPC": WORDS["name"],
    }
    if one.path.startswith(("/v1", "/i", "/com")):
        headers["Authorization"] = f"Basic {basic}"
    if one.path.startswith("/api") and one.method == "POST":  # what is read is read in the session, which sees more
        headers["Authorization"] = f"Bearer {house.secret_key}"
    if one.kind == "websocket":
        headers |= {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
    elif one.kind:
        headers["Content-Type"] = one.kind
    path = one.path.replace(WRITE_KEY, house.write_key)
    with client.stream(one.method, path, content=one.body, headers=headers) as reply:
        return reply.status_code


@pytest.fixture(scope="module")
def target() -> Iterator[str]:
    """The address of a webhook's target that notes by which URLs it is asked."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Target)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory, target: str) -> Heard:
    settings = {
        "LIVEPOST_WEBHOOKS": f'[{{"name": "till", "url": "http://{target}/hook", "secret": "env:TILL"}}]',
        "LIVEPOST_ALLOW_OUTGOING": f'["{target}"]',
        "TILL": f"whsec_{base64.b64encode(bytes(32)).decode()}",
    }

    def everything(document: Any) -> Iterator[Asked]:
        yield from described(document, WORDS)
        yield from collected(WORDS)
        yield from routed(WORDS)

    heard = lived(tmp_path_factory.mktemp("canaries"), settings, everything)
    heard.sinks["urls"] = "\n".join([*Target.asked, *links(heard.house)]).encode()
    return heard


def links(house: House) -> list[str]:
    """Return the links of all mails."""
    told = [str(one) for one in mails(house)]
    return [link for text in told for link in re.findall(r"https?://[^\s\"'<>\\]+", text)]


def test_every_route_was_asked(heard: Heard) -> None:
    assert {path for _, path, _ in ruled()} | {*PUBLIC} <= heard.routes
    assert {200, 400, 401, 404} <= heard.statuses, "the routes were reached, and refused what does not fit"
    assert not any(status >= 500 and status != 503 for status in heard.statuses)


@pytest.mark.parametrize("sink", ["printed", "metrics", "names", "urls"])
def test_no_word_is_in_what_the_house_says(heard: Heard, sink: str) -> None:
    assert heard.sinks[sink], "the sink is not empty"
    assert heard.found(sink) == []


def test_no_word_is_in_the_audit_but_in_the_place_of_a_name(heard: Heard) -> None:
    folder = heard.house.folder
    with closing(SqliteAudit(folder.audit_file, folder.settings.workspace, readonly=True)) as audit:
        entries = "\n".join(str(decoded(one.body)) for one in audit.stored())
    assert "people.read" in entries or "person.read" in entries, entries[:2_000]
    assert found_in(UNSAID, [("audit", entries.encode())]) == []


def test_what_somebody_types_is_told_to_nobody_else(heard: Heard) -> None:
    house, folder = heard.house, heard.house.folder
    for arguments in COMMANDS:
        subprocess.run(
            [sys.executable, "-m", "livepost.cli", *arguments],
            cwd=house.project_folder,
            env=house._environment,
            capture_output=True,
            timeout=60,
            check=False,
        )
    with closing(SqliteAudit(folder.audit_file, folder.settings.workspace, readonly=True)) as audit:
        entries = "\n".join(str(decoded(one.body)) for one in audit.stored())
    assert "command:" in entries
    assert found_in(UNSAID, [("audit", entries.encode())]) == []


def test_a_log_and_a_metric_of_what_was_asked_are_found(tmp_path: Path) -> None:
    """The negative control: a front that writes paths down as they were asked for."""
    leaking = lived(tmp_path, {LEAKS: "yes"}, lambda document: described(document, WORDS))
    assert any(WORDS["user"] in one for one in leaking.found("printed"))
    assert any(WORDS["text"] in one for one in leaking.found("printed"))
    assert any(WORDS["user"] in one for one in leaking.found("metrics"))


def test_a_word_in_a_link_or_a_name_is_found() -> None:
    """The negative control of the other sinks."""
    assert found_in(WORDS.values(), [("urls", f"https://m.example/u/{WORDS['token']}".encode())])
    assert found_in(WORDS.values(), [("names", f"log/person={WORDS['name']}/1.blk".encode())])
