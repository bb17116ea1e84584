"""A shop's website before a real front: it serves pages and hands everything else on, as a proxy does.

Pages are at http://localhost, the collector at http://127.0.0.1: two origins. What lies between them can be made to
fail: an answer of its own, no answer, an answer that is lost after the front has given it, a slow answer.
"""

from __future__ import annotations

import http.client
import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec

PATIENCE_S = 20.0
FRONT_S = 10.0
CSP = "default-src 'none'; script-src {collector}; connect-src {collector}; img-src {collector}"
PAGE = """<!doctype html><html><head><title>{title}</title>{early}
<script src="{collector}/livepost.js" data-write-key="{key}" {attributes} async></script>
</head><body>{body}</body></html>
"""


class Fault(msgspec.Struct, frozen=True):
    """What happens to a request for the collector: this answer; without a status none, or a `lost` one."""

    status: int = 0
    retry_after: str = ""
    lost: bool = False


class Seen(msgspec.Struct, frozen=True):
    """A request for the collector, when it came (monotonic, s) and what it was answered (0: nothing)."""

    method: str
    path: str
    headers: dict[str, str]
    body: str
    at: float
    status: int

    def calls(self) -> list[dict[str, Any]]:
        """Return the calls of a batch."""
        found: list[dict[str, Any]] = json.loads(self.body)["batch"]
        return found


class Storefront:
    """What a test sets before a page is opened, and what was asked since."""

    def __init__(self, key: str, front_port: Callable[[], int]) -> None:
        self.key = key
        self.front_port = front_port
        self.attributes = ""
        self.early = ""
        self.body = ""
        self.csp = CSP
        self.faults: list[Fault] = []
        self.delay_s = 0.0
        self.seen: list[Seen] = []
        self.under_way: list[str] = []
        self.port = 0

    @property
    def collector(self) -> str:
        """The origin of the collector, as pages know it."""
        return f"http://127.0.0.1:{self.port}"

    def address(self, path: str = "/shop/", host: str = "localhost") -> str:
        """Return the address of a page."""
        return f"http://{host}:{self.port}{path}"

    def batches(self) -> list[Seen]:
        """Return the requests that brought calls."""
        return [one for one in list(self.seen) if one.path == "/v1/batch" and one.method == "POST"]

    def calls(self) -> list[dict[str, Any]]:
        """Return the calls that the front answered with 200, each once, in the order in which they came first."""
        taken = {call["messageId"]: call for one in self.batches() if one.status == 200 for call in one.calls()}
        return list(taken.values())

    def page(self, path: str) -> bytes:
        """Return the page at a path."""
        told = {"collector": self.collector, "key": self.key, "attributes": self.attributes}
        return PAGE.format(title=f"Page {path}", early=self.early, body=self.body, **told).encode()


class Server(ThreadingHTTPServer):
    """A server for which a browser that leaves before the answer is nothing to speak of."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Speak of any other error."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def serving(front: Storefront) -> Iterator[Storefront]:
    """Serve until the test is over."""
    server = Server(("127.0.0.1", 0), handler_of(front))
    front.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="storefront")
    thread.start()
    try:
        yield front
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        # What a page sent on its way out must not come into the log of the next test.
        wait_until("the last requests to be handed on", lambda: not front.under_way)


def wait_until(what: str, done: Callable[[], object], patience_s: float = PATIENCE_S) -> None:
    """Return when `done` says so."""
    deadline = time.monotonic() + patience_s
    while not done():
        assert time.monotonic() < deadline, f"expected {what} within {patience_s:g} s"
        time.sleep(0.02)


def handler_of(front: Storefront) -> type[BaseHTTPRequestHandler]:
    """Return the handler of a storefront's requests."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.startswith("/shop"):
                head = {
                    "Content-Type": "text/html",
                    "Content-Security-Policy": front.csp.format(collector=front.collector),
                }
                self._answer(200, {**head, "Cache-Control": "no-store"}, front.page(self.path))
            elif self.path == "/favicon.ico":
                self._answer(204, {}, b"")
            else:
                self._hand_on(b"")

        def do_OPTIONS(self) -> None:
            self._hand_on(b"")

        def do_POST(self) -> None:
            front.under_way.append(self.path)
            try:
                self._hand_on(self.rfile.read(int(self.headers["Content-Length"])))
            finally:
                front.under_way.remove(self.path)

        def _hand_on(self, body: bytes) -> None:
            fault = front.faults.pop(0) if front.faults and self.path == "/v1/batch" else None
            at = time.monotonic()
            status, headers, reply = self._ask(body) if fault is None or fault.lost else (fault.status, {}, b"")
            if fault is not None and fault.retry_after:
                headers = {"Retry-After": fault.retry_after, "Access-Control-Expose-Headers": "Retry-After"}
            time.sleep(front.delay_s)
            told = {name.lower(): value for name, value in self.headers.items()}
            front.seen.append(Seen(self.command, self.path, told, body.decode(), at, status))
            if status == 0 or (fault is not None and fault.lost):
                self.close_connection = True
            else:
                self._answer(status, {"Access-Control-Allow-Origin": "*", **headers}, reply)

        def _ask(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
            with closing(http.client.HTTPConnection("127.0.0.1", front.front_port(), timeout=FRONT_S)) as connection:
                try:
                    told = {name: value for name, value in self.headers.items() if name.lower() != "host"}
                    connection.request(self.command, self.path, body, told)
                    reply = connection.getresponse()
                    return reply.status, dict(reply.getheaders()), reply.read()
                except (OSError, http.client.HTTPException):
                    return 0, {}, b""

        def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            kept = {name.title(): value for name, value in headers.items()}
            for name, value in {**kept, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    return Handler
