"""Two mail servers that fail by a script, SMTP and SendGrid's API, and the book of what they took: R6's oracle.

In: which fault, and when the courier is to be struck. Out: mails taken and refused, by decision. Promised: the book is
written by the servers alone; no ledger is asked. A mail is its decision's id: in SMTP the recipient, in HTTP what the
request says of itself.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socketserver
import threading
import time
from abc import ABC, abstractmethod
from collections import Counter, defaultdict
from http.server import BaseHTTPRequestHandler
from queue import SimpleQueue
from typing import Any, Literal, TypeAlias, get_args

from tests.unit.deliver.esp.desk import reset

Fault: TypeAlias = Literal["drop before", "drop after", "time-out", "4xx", "5xx", "slow", "reset"]
FAULTS: tuple[Fault, ...] = get_args(Fault)
"""Before and after: of SMTP's DATA; of HTTP's body. What is dropped, timed out or reset was taken every other time."""

EVERY = 9
"""Each so manieth mail meets the fault, at its first try."""

SLOW_S = 0.05
HANG_S = 20.0
REFUSED = (429, 422)
"""What HTTP's 4xx are: to be tried later, and refused for good."""

SILENT: tuple[Fault, ...] = ("drop after", "time-out", "reset")
"""Faults after which nobody can know, whatever is spoken."""


class Book:
    """What the servers took and refused. The courier is killed in the middle of the `strike_at`-th content; `victims`
    are the processes of couriers, one after the other.
    """

    def __init__(self, fault: Fault, strike_at: int = 0) -> None:
        self.taken: Counter[str] = Counter()
        self.refused: set[str] = set()
        self.names: defaultdict[str, set[str]] = defaultdict(set)
        """The Message-IDs that a mail came under."""
        self.ambiguous = 0
        self.met = 0
        self.victims: SimpleQueue[int] = SimpleQueue()
        self._fault = fault
        self._strike_at = strike_at
        self._numbers: dict[str, int] = {}
        self._begun = 0
        self._lock = threading.Lock()

    def fault_of(
        self, mail: str, *, ambiguous: tuple[Fault, ...] = SILENT, read: bool = False
    ) -> tuple[Fault | None, bool]:
        """Return what this try meets, and whether the mail is to be taken all the same; `read` if all of it is read."""
        with self._lock:
            new = mail not in self._numbers
            number = self._numbers.setdefault(mail, len(self._numbers) + 1)
            spared = read and self._fault == "drop before"
            if not new or number % EVERY != EVERY // 2 or spared:
                return None, True
            self.met += 1
            self.ambiguous += self._fault in ambiguous
            return self._fault, self._fault == "slow" or (self._fault in SILENT and self.met % 2 == 0)

    def met_as(self, mail: str) -> int:
        """Return as which of those that meet the fault a mail met it, from 0 on."""
        return self._numbers[mail] // EVERY

    def drops_unread(self) -> bool:
        """Say whether a request ends before anybody read which mail it is; nobody can know of it."""
        with self._lock:
            is_so = self._fault == "drop before" and self._begun % EVERY == EVERY // 2 and self.met < EVERY
            self._begun += is_so  # else every request from here on would
            self.met += is_so
            self.ambiguous += is_so
            return is_so

    def begins(self) -> None:
        """Note that a content begins; strike the courier in the middle of the one that was asked for."""
        with self._lock:
            self._begun += 1
            struck = self._begun == self._strike_at
        if struck:
            os.kill(self.victims.get(), signal.SIGKILL)

    def take(self, mail: str, name: str) -> None:
        """Note a mail that was taken, under its Message-ID."""
        with self._lock:
            self.taken[mail] += 1
            self.names[mail].add(name)

    def refuse(self, mail: str) -> None:
        """Note a mail that was refused for good."""
        with self._lock:
            self.refused.add(mail)


class Post(ABC):
    """A server on a port of its own; `address` is what the setting `mail` says."""

    def __init__(self, book: Book) -> None:
        self.over = threading.Event()
        self._server = _Server(("127.0.0.1", 0), self.handler(book))
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    @abstractmethod
    def address(self) -> str:
        """What a courier is told."""

    @abstractmethod
    def handler(self, book: Book) -> type[socketserver.BaseRequestHandler]:
        """Return what speaks to one connection."""

    def close(self) -> None:
        """End what hangs, and the server."""
        self.over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class SmtpPost(Post):
    """Speaks SMTP, one command at a time."""

    offers = ("8BITMIME", "SIZE 1000000")

    @property
    def address(self) -> str:
        return f"smtp://127.0.0.1:{self.port}?tls=none&connections=4"

    def handler(self, book: Book) -> type[socketserver.BaseRequestHandler]:
        return type("Spoken", (_Smtp,), {"book": book, "over": self.over, "offers": self.offers})


class PipeliningPost(SmtpPost):
    """Speaks SMTP, and offers to hear commands together: a fault at RCPT finds DATA said already."""

    offers = (*SmtpPost.offers, "PIPELINING")


class HttpPost(Post):
    """Speaks as SendGrid does."""

    @property
    def address(self) -> str:
        return f"sendgrid:?connections=4&url=http://127.0.0.1:{self.port}/v3/"

    def handler(self, book: Book) -> type[socketserver.BaseRequestHandler]:
        return type("Spoken", (_Http,), {"book": book, "over": self.over})


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: connections break on purpose."""


class _GoneError(Exception):
    """The connection is over."""


class _Smtp(socketserver.StreamRequestHandler):
    book: Book
    over: threading.Event
    offers: tuple[str, ...]
    timeout = HANG_S
    disable_nagle_algorithm = True

    def handle(self) -> None:
        self.mail, self.fault, self.takes = "", None, True
        with contextlib.suppress(_GoneError, OSError):
            self.say("220 scripted ESMTP")
            while line := self.rfile.readline():
                self.answer(line.decode().strip())

    def answer(self, line: str) -> None:
        command = line[:4].upper()
        if command == "EHLO":
            self.say(
                "\r\n".join(["250-scripted", *[f"250-{one}" for one in self.offers[:-1]], f"250 {self.offers[-1]}"])
            )
        elif command == "RCPT":
            self.recipient(re.findall(r"<(\w+)@", line)[0])
        elif command == "DATA":
            self.say("354 go on")
            self.content()
        elif command == "QUIT":
            self.say("221 bye")
            raise _GoneError
        else:
            self.say("250 ok")

    def recipient(self, mail: str) -> None:
        self.mail = mail
        self.fault, self.takes = self.book.fault_of(mail)
        if self.fault == "drop before":
            raise _GoneError
        self.say("250 ok")

    def content(self) -> None:
        lines = [self.line()]
        self.book.begins()
        if self.fault in SILENT and not self.takes:
            self.fail()
        while lines[-1] != b".\r\n":
            lines.append(self.line())
        if self.fault in ("4xx", "5xx"):
            self.refuse()
            return
        self.book.take(self.mail, _name(lines))
        self.fail()
        self.say("250 2.0.0 Ok: queued as 1")

    def refuse(self) -> None:
        if self.fault == "5xx":
            self.book.refuse(self.mail)
        self.say("451 4.3.0 later" if self.fault == "4xx" else "550 5.7.1 no")

    def fail(self) -> None:
        """Do what a silent fault does to the connection; nothing without one."""
        if self.fault not in SILENT:
            return
        if self.fault == "time-out":
            self.over.wait(HANG_S)
        if self.fault == "reset":
            reset(self.connection)
        raise _GoneError

    def line(self) -> bytes:
        """Return the next line of a content; the courier may be gone."""
        if not (line := self.rfile.readline()):
            raise _GoneError
        return line

    def say(self, answer: str) -> None:
        if self.fault == "slow":
            time.sleep(SLOW_S)
        self.wfile.write(f"{answer}\r\n".encode())


class _Http(BaseHTTPRequestHandler):
    book: Book
    over: threading.Event
    protocol_version = "HTTP/1.1"
    timeout = HANG_S
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        if self.book.drops_unread():
            self.close_connection = True
            return
        self.book.begins()
        length = int(self.headers["Content-Length"])
        body = self.rfile.read(length)
        if len(body) < length:  # the courier is gone
            self.close_connection = True
            return
        told = json.loads(body)
        self.answer(told["personalizations"][0]["custom_args"]["decision"], told["headers"]["Message-ID"])

    def answer(self, mail: str, name: str) -> None:
        fault, takes = self.book.fault_of(mail, ambiguous=(*SILENT, "5xx"), read=True)
        if takes:
            self.book.take(mail, name)
        if fault in SILENT:
            self.fail(fault)
            return
        if fault == "slow":
            time.sleep(SLOW_S)
        status = {"4xx": REFUSED[self.book.met_as(mail) % 2], "5xx": 500}.get(fault or "", 202)
        if status == 422:
            self.book.refuse(mail)
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def fail(self, fault: Fault | None) -> None:
        self.close_connection = True
        if fault == "time-out":
            self.over.wait(HANG_S)
        if fault == "reset":
            reset(self.connection)

    def log_message(self, *_: Any) -> None:
        """Write nothing."""


def _name(lines: list[bytes]) -> str:
    """Return the Message-ID that a content says."""
    return next(line.split(None, 1)[1].strip().decode() for line in lines if line.lower().startswith(b"message-id:"))
