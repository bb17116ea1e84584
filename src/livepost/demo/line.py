"""A line to the collector: one connection kept open, on which a batch is sent until it is acknowledged; and the
browser of somebody who reads a mail.

In: a batch's JSON. Out: nothing, once the collector has acknowledged it. Promised: the same bytes again after a lost
connection, 429 or 503, no sooner than the collector asked for; an error after `PATIENCE_S` seconds or a refusal.

`http.client` and not httpx: 0.3 against 1.1 ms of CPU a request, on cores that the demo shares with what it shows.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from http.client import HTTPConnection, HTTPException
from time import monotonic, sleep
from types import MappingProxyType
from urllib.parse import urlencode, urlsplit

from livepost.errors import LivepostError

PATIENCE_S = 30.0
"""How long a batch is tried, in real seconds."""
TIMEOUT_S = 10.0
PAUSE_S = 0.05
PAUSE_AT_MOST_S = 5.0
SHOWN_BYTES = 200
NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class FeedError(LivepostError):
    """The collector refused a batch, or acknowledged none for `PATIENCE_S` seconds."""


class Line:
    """A connection to the collector at `url` (http only), with the secret key. For one thread at a time.

    requests   how many were made
    retries    how many of them were not the first for their batch
    """

    def __init__(self, url: str, secret_key: str, *, patience_s: float = PATIENCE_S) -> None:
        place = urlsplit(url)
        if place.scheme != "http" or not place.hostname:
            raise FeedError(f"expected the collector's address such as http://127.0.0.1:8300, got {url!r}: give --port")
        self.requests = 0
        self.retries = 0
        self._url = url
        self._patience_s = patience_s
        self._connection = HTTPConnection(place.hostname, place.port, timeout=TIMEOUT_S)
        token = base64.b64encode(f"{secret_key}:".encode()).decode()
        self._headers = {"Authorization": f"Basic {token}", "Content-Type": "application/json"}

    def deliver(self, batch: bytes) -> None:
        """Send a batch until the collector acknowledges it; raises FeedError."""
        give_up = monotonic() + self._patience_s
        while trouble := self._post(batch):
            pause_s, words = trouble
            if monotonic() + pause_s > give_up:
                raise FeedError(
                    f"expected 200 from {self._url} within {self._patience_s:g} s, got {words}: "
                    "see whether the front runs"
                )
            self.retries += 1
            sleep(pause_s)

    def wait_for_answer(self) -> None:
        """Return once the collector answers anything at all; raises FeedError after `PATIENCE_S` seconds."""
        give_up = monotonic() + self._patience_s
        while True:
            try:
                self._ask("GET", "/livez", None)
                return
            except (OSError, HTTPException) as error:
                self.close()
                if monotonic() > give_up:
                    raise FeedError(
                        f"expected an answer from {self._url} within {self._patience_s:g} s, got "
                        f"{type(error).__name__}: see whether the front runs"
                    ) from error
            sleep(PAUSE_S)

    def close(self) -> None:
        """Close the connection; the next request opens it again."""
        self._connection.close()

    def ask(self, method: str, path: str, body: bytes | None = None, key: str = "") -> tuple[int, bytes]:
        """Ask the API once, under an idempotency key if one is given; return status and body.

        Raises FeedError if there is no answer.
        """
        try:
            status, _, text = self._ask(method, path, body, {"Idempotency-Key": key} if key else {})
        except (OSError, HTTPException) as error:
            self.close()
            raise FeedError(f"expected an answer from {self._url}, got {type(error).__name__}") from error
        return status, text

    def _post(self, batch: bytes) -> tuple[float, str] | None:
        """Return None when acknowledged, else the pause before the next try (s) and what went wrong."""
        try:
            status, retry_after, text = self._ask("POST", "/v1/batch", batch)
        except (OSError, HTTPException) as error:
            self.close()
            return PAUSE_S, type(error).__name__
        if status == 200:
            return None
        if status in (429, 503):
            return _pause_s(retry_after), f"status {status}"
        raise FeedError(
            f"expected 200, 429 or 503 from {self._url}, got {status} "
            f"({text[:SHOWN_BYTES].decode(errors='replace')}): check the secret key"
        )

    def _ask(
        self, method: str, path: str, body: bytes | None, also: Mapping[str, str] = NO_HEADERS
    ) -> tuple[int, str, bytes]:
        self.requests += 1
        self._connection.request(method, path, body, {**self._headers, **also})
        reply = self._connection.getresponse()
        return reply.status, reply.headers.get("Retry-After", ""), reply.read()


class Browser:
    """A browser that looks at what mails link to, in the house at `url` (http only), and follows no redirect."""

    def __init__(self, url: str) -> None:
        place = urlsplit(url)
        self._connection = HTTPConnection(place.hostname or "", place.port, timeout=TIMEOUT_S)

    def get(self, address: str, agent: str) -> bytes | None:
        """Return what is at an address of the house, whatever it is called there; None if nothing answers."""
        return self._ask("GET", address, agent, None)

    def post(self, address: str, agent: str, form: Sequence[tuple[str, str]]) -> bytes | None:
        """Send a form as pages do; return what is answered, None if nothing is."""
        return self._ask("POST", address, agent, urlencode(form).encode())

    def close(self) -> None:
        """Close the connection; the next request opens it again."""
        self._connection.close()

    def _ask(self, method: str, address: str, agent: str, body: bytes | None) -> bytes | None:
        headers = {"User-Agent": agent, "Accept-Language": "en"}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            self._connection.request(method, urlsplit(address).path, body, headers)
            return self._connection.getresponse().read()
        except (OSError, HTTPException):
            self.close()
            return None


def _pause_s(retry_after: str) -> float:
    return min(float(retry_after), PAUSE_AT_MOST_S) if retry_after.isdigit() else PAUSE_S
