"""A collector for the feed's tests: a small HTTP server that remembers calls and answers as it is told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any

import msgspec

Reply = tuple[int, dict[str, str]]
OK: Reply = (200, {})
DROP: Reply = (0, {})


class Collector:
    """What came in: `batches` acknowledged, each a list of events, and all `refused` ones. `url` is its address."""

    def __init__(self, url: str, replies: Sequence[Reply]) -> None:
        self.url = url
        self.batches: list[list[dict[str, Any]]] = []
        self.refused: list[list[dict[str, Any]]] = []
        self.sizes: list[int] = []
        self.headers: list[dict[str, str]] = []
        self._replies = list(replies)
        self._lock = Lock()

    def answer(self, headers: dict[str, str], body: bytes) -> Reply:
        with self._lock:
            reply = self._replies.pop(0) if self._replies else OK
            events = msgspec.json.decode(body)["batch"]
            (self.batches if reply == OK else self.refused).append(events)
            self.sizes.append(len(body))
            self.headers.append(headers)
            return reply

    @property
    def events(self) -> list[dict[str, Any]]:
        return [event for batch in self.batches for event in batch]


@contextmanager
def collector(*replies: Reply) -> Iterator[Collector]:
    """Run a collector that gives these replies first and 200 from then on; `DROP` closes without a reply."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._reply((404, {}))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            reply = heard.answer(dict(self.headers), body)
            if reply == DROP:
                self.close_connection = True
                return
            self._reply(reply)

        def _reply(self, reply: Reply) -> None:
            self.send_response(reply[0])
            for name, value in reply[1].items():
                self.send_header(name, value)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    heard = Collector(f"http://127.0.0.1:{server.server_port}", replies)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield heard
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
