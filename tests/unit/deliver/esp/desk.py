"""A provider's API on this machine, scripted: it writes down each request, and answers or fails as told."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, TypeAlias

from livepost.deliver.esp.sender import EspSender, Patience
from livepost.deliver.message import From, Parts, compose
from livepost.ids import digest
from livepost.model.message import Message
from livepost.settings.provider import read_provider

KEY = "a-secret-key"
Fault: TypeAlias = Literal["reset", "close", "cut", "hang", "drip", "garbage", "half", "endless"]
"""Without an answer: reset, closed, silent, byte by byte. `cut`: before the request is read. `garbage`: no HTTP.
`half`: less than its length says. `endless`: more than anybody should read.
"""


@dataclass(frozen=True)
class Reply:
    """An answer; `body` is JSON as text."""

    status: int = 200
    body: str = "{}"
    headers: dict[str, str] = field(default_factory=dict)


SENT: dict[str, Reply] = {
    "brevo": Reply(201, '{"messageId": "<1@smtp-relay.example>"}'),
    "mailersend": Reply(202, "", {"X-Message-Id": "5e42957d51f1d94a1070a733", "Content-Type": "text/html"}),
    "mailgun": Reply(200, '{"id": "<1@mg.shop.example>", "message": "Queued. Thank you."}'),
    "mailjet": Reply(
        200, '{"Messages": [{"Status": "success", "To": [{"Email": "ada@example.com", "MessageID": 456}]}]}'
    ),
    "mailtrap": Reply(200, '{"success": true, "message_ids": ["0c7fd939-02cf-11ed-88c2-0a58a9feac02"]}'),
    "mandrill": Reply(200, '[{"email": "ada@example.com", "status": "sent", "_id": "abc123"}]'),
    "postal": Reply(
        200, '{"status": "success", "data": {"messages": {"ada@example.com": {"id": 1503, "token": "x"}}}}'
    ),
    "postmark": Reply(200, '{"To": "ada@example.com", "MessageID": "b7bc2f4a-e38e", "ErrorCode": 0, "Message": "OK"}'),
    "resend": Reply(200, '{"id": "49a3999c-0ce1-4ea6-ab68-afcd6dc2e794"}'),
    "scaleway": Reply(200, '{"emails": [{"id": "42", "mail_rcpt": "ada@example.com", "status": "sending"}]}'),
    "sendgrid": Reply(202, "", {"X-Message-Id": "14c5d75ce93"}),
    "ses": Reply(200, '{"MessageId": "0102018f-0000"}'),
    "sparkpost": Reply(
        200, '{"results": {"total_rejected_recipients": 0, "total_accepted_recipients": 1, "id": "11668787484950529"}}'
    ),
    "unisender-go": Reply(200, '{"status": "success", "job_id": "1ZymBc-00041N-9X", "emails": ["ada@example.com"]}'),
}
"""How each provider says that it took a mail for ada@example.com; after their API references."""

OPTIONS = {
    "mailgun": "domain=mg.shop.example&",
    "mailjet": "user=public-key&",
    "postmark": "stream=broadcasts&",
    "scaleway": "project=6170692e&region=nl-ams&",
    "ses": "region=eu-west-1&user=AKIDEXAMPLE&set=shop&",
    "sparkpost": "subaccount=12&",
}


@dataclass(frozen=True)
class Request:
    """What arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Desk:
    """The server; `answers` are used up one a request, then `reply` is given for ever."""

    def __init__(self, reply: Reply | None = None, context: ssl.SSLContext | None = None) -> None:
        self.reply: Reply | Fault = reply or Reply()
        self.answers: list[Reply | Fault] = []
        self.requests: list[Request] = []
        self.connections = 0
        self.over = threading.Event()
        self._scheme = "https" if context else "http"
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        if context:
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """The base address of its API."""
        return f"{self._scheme}://127.0.0.1:{self._server.server_port}/api/"

    def next(self) -> Reply | Fault:
        """Return what the next request gets."""
        return self.answers.pop(0) if self.answers else self.reply

    def close(self) -> None:
        """End all that still hangs, and the server."""
        self.over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: connections break on purpose."""


def _handler(desk: Desk) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 5
        disable_nagle_algorithm = True  # else each answer waits 40 ms for an acknowledgement

        def setup(self) -> None:
            desk.connections += 1
            super().setup()

        def do_POST(self) -> None:
            told = desk.next()
            if told == "cut":
                reset(self.connection)
                self.close_connection = True
                return
            body = self.rfile.read(int(self.headers["Content-Length"] or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            desk.requests.append(Request(self.command, self.path, headers, body))
            if isinstance(told, Reply):
                self.answer(told)
            else:
                self.fail(told)

        do_GET = do_POST

        def answer(self, reply: Reply) -> None:
            self.send_response(reply.status)
            for name, value in {"Content-Type": "application/json", **reply.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body.encode())))
            self.end_headers()
            self.wfile.write(reply.body.encode())

        def fail(self, fault: Fault) -> None:
            self.close_connection = True
            if fault == "reset":
                reset(self.connection)
            elif fault == "hang":
                desk.over.wait(20)
            elif fault == "drip":
                self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
                while not desk.over.wait(0.05):
                    self.wfile.write(b"x")
            elif fault == "garbage":
                self.wfile.write(b"220 mail.example.com ESMTP\r\n\r\n")
            elif fault == "half":
                self.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"id": ')
            elif fault == "endless":
                self.wfile.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + b"x" * 3_000_000)

        def log_message(self, *_: Any) -> None:
            """Write nothing."""

    return Handler


def reset(connection: socket.socket) -> None:
    """Let the other side get a reset instead of an end."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


@contextmanager
def desk_of(name: str, context: ssl.SSLContext | None = None) -> Iterator[Desk]:
    """Open a desk that takes mails as the provider does, with TLS if there is a context."""
    desk = Desk(SENT[name], context)
    try:
        yield desk
    finally:
        desk.close()


def sender_to(name: str, url: str, patience: Patience | None = None, more: str = "") -> EspSender:
    """Return a sender to a provider's API at another address."""
    address = read_provider(f"{name}:?{OPTIONS.get(name, '')}{more}url={url}", "test")
    return EspSender(address, KEY, patience=patience, message_id=message_id_of)


def message_id_of(decision: bytes) -> str:
    """Return the Message-ID of a decision's mail, as a workspace's `MessageIds` would."""
    return f"<{digest('mail', decision).hex()}@shop.example>"


def mail(
    number: int = 1, recipient: str = "ada@example.com", *, marketing: bool = True, raw_of_another: bytes = b""
) -> Message:
    """Return a mail of the shop's, complete and always the same, or with other bytes."""
    message_id = f"<{digest('mail', number).hex()}@shop.example>"
    parts = Parts(
        recipient=recipient,
        subject="Grüße: still thinking it over?",
        at_ms=0,
        message_id=message_id,
        boundary="=_" + "b" * 32,
        text="Dear Ada,\nété at 5 €.\n",
        html="<p>Dear Ada,<br>été at 5 €.</p>",
        unsubscribe_url="https://m.shop.example/u/" + "A" * 300 if marketing else "",
    )
    return Message(
        decision=digest("decision", number),
        person=digest("person", number),
        sender="hello@shop.example",
        recipient=recipient,
        message_id=message_id,
        raw=raw_of_another or compose(From("Ada's Tée", "hello@shop.example"), parts),
    )


Senders: TypeAlias = Callable[..., EspSender]
