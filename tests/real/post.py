"""Mail servers for the tests of `smtp:`: postfix's smtp-sink, aiosmtpd, an authority that signs their certificates.

`Counter` is a courier with a real ledger before them: what the engine would hand over comes from lists.
"""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import os
import re
import shutil
import socket
import ssl
import subprocess
import time
from collections import Counter as Tally
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from threading import Thread
from typing import Any

import msgspec
import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from livepost.clock import SimulatedClock, WallClock
from livepost.deliver.courier import Courier, recover, send_due
from livepost.deliver.mail import Maker, Shop
from livepost.deliver.message import From
from livepost.deliver.sender import Sender
from livepost.errors import StoreError
from livepost.ids import digest
from livepost.ledger.base import Move
from livepost.ledger.sqlite import SqliteLedger
from livepost.model.compiled import ADDRESS_FEATURE
from livepost.model.decision import Decision
from livepost.model.message import EmailDraft
from livepost.model.outbox import OutboxPage
from livepost.model.person import PersonView
from livepost.model.record import SealedValue
from livepost.render.template import Templates
from livepost.testing.contracts.ledger import START_MS, consent, decision, page
from livepost.vault.base import ExternalId
from livepost.vault.memory import MemoryVault

PATIENCE_S = 20.0
SINK = "/usr/sbin/smtp-sink"
SHOP = Shop(
    sender=From("The Shop", "hello@shop.example"),
    name="The Shop",
    address="1 Road, Town",
    public_url="https://m.shop.example",
)
MJML = """<mjml><mj-body><mj-section><mj-column><mj-text>Hi {{ first_name | default: "friend" }}
<a href="https://shop.example/?a=1">look</a> <a href="{{ unsubscribe_url }}">Unsubscribe</a> {{ shop_address }}
</mj-text></mj-column></mj-section></mj-body></mjml>"""


class Office:
    """aiosmtpd's server in a thread: keeps what it takes. `answers` are given in place of its own, by command.

    An answer `drop` ends the connection without a word, `hang` gives none until the office closes.
    """

    def __init__(
        self,
        *,
        context: ssl.SSLContext | None = None,
        starttls: bool = False,
        login: str = "",
        port: int = 0,
        pipelining: bool = False,
    ) -> None:
        self.port = port or free_port()
        self.mails: list[Envelope] = []
        self.answers: dict[str, str] = {}
        self.heard: Tally[str] = Tally()
        self.connections = 0
        self._pipelining = pipelining
        self._login = login
        self._context = context
        self._starttls = starttls
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="office")
        self._thread.start()
        self._server = self._do(
            self._loop.create_server(self.make, "127.0.0.1", self.port, ssl=None if starttls else context)
        )

    def make(self) -> SMTP:
        """Return the protocol of one connection."""
        self.connections += 1
        return _Protocol(
            self,
            loop=self._loop,
            enable_SMTPUTF8=True,
            hostname="office.example",
            tls_context=self._context if self._starttls else None,
            require_starttls=self._starttls,
            auth_required=bool(self._login),
            auth_require_tls=self._context is not None and self._starttls,
            authenticator=self._authenticated,
        )

    def close(self) -> None:
        """Stop it, with whatever hangs."""
        self._do(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        """Offer PIPELINING, if so told: aiosmtpd takes commands together, and does not say it."""
        session.host_name = hostname
        return [*responses[:-1], *["250-PIPELINING"] * self._pipelining, responses[-1]]

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Take the content, or answer as told."""
        self.heard["."] += 1
        if told := self.answers.get("."):
            return await self.told(server, told)
        self.mails.append(envelope)
        return f"250 2.0.0 Ok: queued as {len(self.mails):08X}"

    async def told(self, server: SMTP, answer: str) -> str:
        """Return an answer, or give none."""
        if answer == "hang":
            await asyncio.Event().wait()
        if answer == "drop":
            server.transport.abort()
            await asyncio.Event().wait()
        return answer

    def raws(self) -> list[bytes]:
        """Return the contents as they were received, dots undone."""
        return [bytes(envelope.original_content or b"") for envelope in self.mails]

    def _do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE_S)

    async def _end(self) -> None:
        self._server.close()
        rest = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)
        await asyncio.sleep(0.01)  # the transports' own last words

    def _authenticated(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object
    ) -> AuthResult:
        assert isinstance(data, LoginPassword)
        right = f"{data.login.decode()}:{data.password.decode()}" == self._login
        return AuthResult(success=right, handled=False)


class _Protocol(SMTP):
    """Gives the office's answers to MAIL, RCPT and DATA; `cut` ends the connection amid the content."""

    def __init__(self, office: Office, **also: Any) -> None:
        super().__init__(office, **also)
        self._office = office

    async def smtp_MAIL(self, arg: str | None) -> None:
        await self._answer("MAIL", arg) or await super().smtp_MAIL(arg)

    async def smtp_RCPT(self, arg: str | None) -> None:
        await self._answer("RCPT", arg) or await super().smtp_RCPT(arg)

    async def smtp_DATA(self, arg: str) -> None:
        if self._office.answers.get("DATA") == "cut":
            self._office.heard["DATA"] += 1
            await self.push("354 go on")
            await self._reader.readuntil(b"\r\n")
            await self._office.told(self, "drop")
        await self._answer("DATA", arg) or await super().smtp_DATA(arg)

    async def _answer(self, command: str, arg: str | None) -> bool:
        self._office.heard[command] += 1
        told = self._office.answers.get(command)
        if told is not None:
            await self.push(await self._office.told(self, told))
        return told is not None


class Sink:
    """postfix's smtp-sink on a port of its own, with its own options; writes what it takes to one file."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.port = free_port()
        self._dump = folder / "sink"
        folder.chmod(0o755)
        user = ("-u", "root") if os.getuid() == 0 else ()
        words = [smtp_sink(), *user, *options, "-D", str(self._dump), f"inet:127.0.0.1:{self.port}", "100"]
        self._process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until("smtp-sink to listen", lambda: answers_on(self.port))

    def message_ids(self) -> list[str]:
        """Return the Message-ID of each mail it took."""
        found = self._dump.read_text() if self._dump.exists() else ""
        return re.findall(r"^Message-ID: (<\S+>)$", found, re.MULTILINE)

    def close(self) -> None:
        """Stop it."""
        self._process.terminate()
        self._process.wait(PATIENCE_S)


def smtp_sink() -> str:
    """Return the path of smtp-sink; skip the test where there is none, which in CI is a failure."""
    found = shutil.which("smtp-sink") or (SINK if Path(SINK).exists() else None)
    if found is None:
        reason = "smtp-sink is not installed: apt-get install postfix"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found


class Authority:
    """A certificate authority; `file` holds its certificate."""

    def __init__(self, folder: Path, name: str = "ca") -> None:
        self.folder = folder
        self.file = folder / f"{name}.pem"
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        made = self._builder(self._name, self._key)
        made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        self.file.write_bytes(made.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))

    def server(self, *names: str) -> ssl.SSLContext:
        """Return a server's side of TLS with a certificate for these names and addresses."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
        made = self._builder(subject, key).add_extension(
            x509.SubjectAlternativeName([_alternative(name) for name in names]), critical=False
        )
        file = self.folder / f"server-{names[0]}.pem"
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + made.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(hours=1))
        )


class Desk:
    """The courier's neighbours: an engine that knows people, an author, seals, someone who takes outcomes."""

    def __init__(self) -> None:
        self.vault = MemoryVault()
        self.persons: dict[bytes, PersonView] = {}

    def knows(self, name: str) -> bytes:
        """Return a person with an address."""
        [keys] = self.vault.admit([ExternalId("user", name)])
        address = keys.seal(msgspec.json.encode(f"{name}@example.com"), b"")
        self.persons[keys.subject] = PersonView(
            person=keys.subject,
            subjects=(keys.subject,),
            position=0,
            as_of=START_MS,
            features={},
            sealed={ADDRESS_FEATURE: SealedValue("web", keys.subject, "m", ADDRESS_FEATURE, address)},
            memberships=(),
            journeys=(),
            consents={},
            next_due=None,
        )
        return keys.subject

    def decisions(self, after: int, limit: int) -> OutboxPage:
        raise StoreError("pages are handed to the ledger in these tests")

    def served(self, upto: int) -> None:
        raise StoreError("pages are handed to the ledger in these tests")

    def people(self, ids: Sequence[bytes], at_least: int) -> Mapping[bytes, PersonView]:
        return {one: self.persons[one] for one in ids}

    def draft(self, decision: Decision, person: PersonView, opened: Mapping[str, Any]) -> EmailDraft:
        return EmailDraft(template="browse_reminder", subject="Hi {{ first_name | default: 'you' }}")

    def open(self, value: SealedValue) -> Any:
        return msgspec.json.decode(self.vault.keys(value.subject).open(value.seal, b""))

    def report(self, moves: Sequence[Move]) -> None:
        raise StoreError("nobody takes outcomes in these tests")


class Counter:
    """A courier with a ledger on disk, on a host clock that moves when told, before any sender."""

    def __init__(self, folder: Path, sender: Sender) -> None:
        self.desk, self.host = Desk(), SimulatedClock(START_MS)
        self.ledger = SqliteLedger(folder / "ledger.db", self.host)
        self.courier = Courier(
            engine=self.desk,
            ledger=self.ledger,
            maker=Maker(SHOP, self.desk, Templates({"browse_reminder.mjml": MJML}), self.desk, self.desk.vault.secret),
            sender=sender,
            blind=digest,
            outcomes=self.desk,
            clock=WallClock(),
        )

    def wants(self, count: int, class_: str = "marketing") -> list[Decision]:
        """Put so many decisions into the ledger, each for a person of its own."""
        people = [self.desk.knows(f"person-{number}") for number in range(count)]
        wanted = [
            decision(number, person=person, class_=class_, purpose=class_)
            for number, person in enumerate(people, start=1)
        ]
        allowed = [consent(number, person=person) for number, person in enumerate(people, start=1)]
        self.ledger.take_over(page(*[one for pair in zip(allowed, wanted, strict=True) for one in pair]), START_MS)
        return wanted

    def works(self) -> Tally[str]:
        """Send until nothing is due; return the receipts by state."""
        counts: Tally[str] = Tally()
        while (done := send_due(self.courier)).claimed:
            counts.update(done.counts)
        return counts

    def starts_again(self) -> int:
        """Recover as a courier does at its start; return how many mails nobody knows about."""
        return recover(self.courier)

    def state_of(self, one: Decision) -> tuple[str, str]:
        """Return a delivery's state and the words of its last move."""
        found = self.ledger.delivery(one.id)
        assert found is not None
        return found.state, found.detail

    def close(self) -> None:
        """Close the ledger."""
        self.ledger.close()


def free_port() -> int:
    """Return a port nobody listens on."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def answers_on(port: int) -> bool:
    """Say whether somebody listens."""
    with closing(socket.socket()) as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


def wait_until(what: str, done: Callable[[], bool], patience_s: float = PATIENCE_S) -> None:
    """Return when `done` says so."""
    deadline = time.monotonic() + patience_s
    while not done():
        assert time.monotonic() < deadline, f"expected {what} within {patience_s:g} s"
        time.sleep(0.02)


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
