"""What is personal stands nowhere in clear: not in a file, not in what a store's reader gives, not in what is printed.

Every personal value of one shopper is a word found nowhere else; a product she looked at is such a word too, declared
and open: it must be found, or the scan is blind.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager, redirect_stderr
from dataclasses import dataclass
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest

from livepost.deliver.keep import each
from livepost.vault.base import USER, ExternalId
from tests.crash.house import House, wait_until
from tests.crash.load import send
from tests.crash.scanning import files_of, forms_of, found_in, read_out

OPEN = "opencontrolproduct7731"
LEAKED = "leaked.address.5512@mail-zq.example"
ADDRESS = "ada.lovelace.9917@mail-zq.example"
FIRST_NAME = "Adazephyrine"
USER_ID = "customer-qx-40417"
ANONYMOUS_ID = "device-qx-58120"

PERSONAL = (
    ADDRESS,
    "ada.lovelace.9917",
    FIRST_NAME,
    USER_ID,
    ANONYMOUS_ID,
    "earlier-qx-77311",
    "group-qx-30091",
    "+15550177342",
    "198.51.100.177",
    "QxBrowser/9.31",
    "https://shop.example/account/qx-61442?token=qxsecret",
    "https://search.example/?q=qx-referrer-88",
    "Qx Her Own Page",
    "qx-undeclared-4242",
    "qx-dead-letter-5150",
    "qx-nobody-declared-me-606",
    "qx-no-json-707",
    "qx-unknown-route-808",
    "qx-bad-key-909",
    "qx-no-http-1010",
)
"""Unique words in places of every kind: ids, traits, context, page, undeclared fields and events, what is refused."""


@dataclass(frozen=True)
class Scanned:
    """A stopped house in which one shopper did everything, and what its processes printed."""

    house: House
    printed: bytes


@pytest.fixture(scope="module")
def scanned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scanned]:
    folder = tmp_path_factory.mktemp("scan")
    with overheard(folder / "printed"):
        house = House(folder / "house")
        lived(house)
    yield Scanned(house, (folder / "printed").read_bytes())


@contextmanager
def overheard(path: Path) -> Iterator[None]:
    """Write what this process and those it starts print as errors into a file."""
    before = os.dup(2)
    with path.open("w", buffering=1) as printed, redirect_stderr(printed):
        os.dup2(printed.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(before, 2)
            os.close(before)


def lived(house: House) -> None:
    """Run a house through everything that brings personal values in and out; kill every process once on the way."""
    house.start()
    try:
        send(house, calls())
        refused(house)
        wait_until("her mail to be kept", lambda: mail_is_kept(house))
        for name in ("courier", "engine", "front"):
            house.kill(name)
        send(house, calls())
        house.drain()
        scan_while_running(house)
    finally:
        house.stop()


def scan_while_running(house: House) -> None:
    """WALs are put away when a house stops: they are looked at before."""
    assert found_in(PERSONAL, files_of(house.folder.path)) == []
    wals = [path for path in house.folder.path.rglob("*-wal") if path.stat().st_size]
    assert wals, "expected a WAL with something in it while the house runs"


def calls() -> Iterator[dict[str, Any]]:
    """Go through the calls of a shopper whose every value is a word of its own."""
    who = {"userId": USER_ID, "anonymousId": ANONYMOUS_ID}
    seen = {"ip": "198.51.100.177", "userAgent": "QxBrowser/9.31"}
    page = {
        "url": "https://shop.example/account/qx-61442?token=qxsecret",
        "referrer": "https://search.example/?q=qx-referrer-88",
        "title": "Qx Her Own Page",
    }
    consent = {"categoryPreferences": {"marketing": True, "orders": True}}
    traits = {"email": ADDRESS, "firstName": FIRST_NAME, "phone": "+15550177342", "note": "qx-undeclared-4242"}
    context = {**seen, "page": page, "consent": consent}
    yield {"type": "alias", "messageId": "m0", "previousId": "earlier-qx-77311", "userId": USER_ID}
    yield {"type": "identify", "messageId": "m1", **who, "traits": traits, "context": context}
    yield {"type": "page", "messageId": "m2", **who, "properties": page, "context": seen}
    yield {"type": "group", "messageId": "m3", **who, "groupId": "group-qx-30091", "traits": traits}
    yield track("m4", who, "Product Viewed", product_id=["qx-dead-letter-5150"])
    yield track("m5", who, "Nobody Declared Me", note="qx-nobody-declared-me-606")
    for number in range(3):
        yield track(f"m{6 + number}", who, "Product Viewed", product_id=OPEN, note="qx-undeclared-4242")
    yield track("m9", who, "Order Completed", order_id="o1", total=10)


def track(message_id: str, who: dict[str, str], event: str, **properties: Any) -> dict[str, Any]:
    return {"type": "track", "messageId": message_id, **who, "event": event, "properties": properties}


def refused(house: House) -> None:
    """Send what is refused: no JSON, a key that is none, a route that is none, no HTTP."""
    key = base64.b64encode(f"{house.write_key}:".encode()).decode()
    bad = base64.b64encode(b"qx-bad-key-909:").decode()
    body = json.dumps({"userId": USER_ID, "event": "Product Viewed"})
    assert answered(house, "POST", "/v1/track", '{"userId": "qx-no-json-707', key) == 400
    assert answered(house, "POST", "/v1/track", body, bad) == 401
    assert answered(house, "GET", f"/qx-unknown-route-808?email={ADDRESS}", "", key) == 404
    assert answered(house, "GET", f"/c/{ADDRESS}", "", key) == 404

    with closing(socket.create_connection(("127.0.0.1", house.folder.port), timeout=10)) as connection:
        connection.sendall(b"qx-no-http-1010 of customer-qx-40417\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 400")


def answered(house: House, method: str, path: str, body: str, key: str) -> int:
    with closing(http.client.HTTPConnection("127.0.0.1", house.folder.port, timeout=10)) as connection:
        connection.request(method, path, body, {"Authorization": f"Basic {key}"})
        reply = connection.getresponse()
        reply.read()
        return reply.status


def mail_is_kept(house: House) -> bool:
    with closing(house.folder.vault(readonly=True)) as vault:
        return any(each(house.folder.mailbox, vault, house.folder.settings.workspace))


def readers_that_tell(house: House, word: str) -> set[str]:
    """Return the stores whose reader gives a word."""
    return {line.partition(":")[0] for line in found_in([word], read_out(house.folder, house.project.compiled))}


def test_nothing_personal_stands_in_a_file(scanned: Scanned) -> None:
    assert found_in(PERSONAL, files_of(scanned.house.folder.path)) == []


def test_nothing_personal_is_given_by_a_store(scanned: Scanned) -> None:
    assert found_in(PERSONAL, read_out(scanned.house.folder, scanned.house.project.compiled)) == []


def test_nothing_personal_is_printed(scanned: Scanned) -> None:
    assert found_in(PERSONAL, [("printed", scanned.printed)]) == []
    assert b"courier ended with -9" in scanned.printed
    assert b"Invalid HTTP request" in scanned.printed


def test_what_is_declared_and_open_is_found_in_log_and_state(scanned: Scanned) -> None:
    """The positive control: the scan sees what is there in clear."""
    assert readers_that_tell(scanned.house, OPEN) == {"log", "people", "state.db"}


def test_an_address_in_an_open_field_would_be_found(tmp_path: Path) -> None:
    """The negative control: an address where the plan says that none is."""
    house = House(tmp_path / "house")
    house.start()
    try:
        send(house, [track("m1", {"userId": "u"}, "Product Viewed", product_id=LEAKED)])
        house.drain()
    finally:
        house.stop()
    assert readers_that_tell(house, LEAKED) == {"log", "people", "state.db"}
    assert found_in([LEAKED], files_of(house.folder.path)) != []


def test_whoever_has_the_vault_reads_it_all(scanned: Scanned) -> None:
    """It was there to be found: the vault opens her id, the mail went to her address by her name."""
    folder = scanned.house.folder
    with closing(folder.vault(readonly=True)) as vault:
        subject = vault.find(ExternalId(USER, USER_ID))
        assert subject is not None
        assert vault.external_ids([subject.subject]) == [ExternalId(USER, USER_ID)]
        mails = [message_from_bytes(mail.raw, policy=policy.SMTP) for mail in each(folder.mailbox, vault, "crash")]
    assert {mail["To"] for mail in mails} == {ADDRESS}
    assert any(FIRST_NAME in mail["Subject"] for mail in mails)


@pytest.mark.parametrize("written", [USER_ID.upper(), f'"{USER_ID}"', USER_ID.encode().hex()])
def test_the_scan_sees_a_word_however_it_is_written(written: str) -> None:
    assert found_in([USER_ID], [("there", b"..." + written.encode() + b"...")]) != []


@pytest.mark.parametrize("before", ["", "a", "ab", "abc"])
def test_the_scan_sees_a_word_within_base64(before: str) -> None:
    wrapped = base64.b64encode(f"{before}{USER_ID}tail".encode())
    assert any(form in wrapped for name, form in forms_of(USER_ID) if name == "base64")
    assert found_in([USER_ID], [("there", wrapped)]) != []
