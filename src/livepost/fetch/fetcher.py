"""One request to a host that may be anybody's, and its answer.

In: a URL, a body, headers. Out: the answer. Promised: a name is resolved once a connection, all of its addresses are
checked, and one of these is connected to, while TLS and Host keep the name; no redirect is followed, no proxy asked;
all in all it takes `total_s`, and more than `max_bytes` of an answer are not read.
"""

from __future__ import annotations

import contextlib
import ssl
import time
from collections.abc import Iterable, Mapping
from typing import Any, Literal, Protocol, TypeAlias

import httpcore
import msgspec

from livepost.fetch.address import NOTHING, Address, Allowed, OutgoingError, check_peer, read_url
from livepost.fetch.resolving import Resolve, resolve

TOTAL_S = 3.0
"""From looking up the name to the last byte of the answer."""

MAX_BYTES = 1_000_000
"""Of an answer's body."""

IDLE_S = 15.0
"""How long a connection is kept for the next request to the same host."""

Method: TypeAlias = Literal["GET", "POST", "PUT", "DELETE"]


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a host said; names of headers in lower case, the last one of a name."""

    status: int
    headers: Mapping[str, str] = {}
    body: bytes = b""


class Fetch(Protocol):
    """Asks a host, as `Fetcher` does."""

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Return the answer to a body; raise OutgoingError if there is none."""
        ...


class FetchAny(Protocol):
    """Asks a host by any method, as `Fetcher` does."""

    def ask(self, method: Method, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Return the answer to a request; raise OutgoingError if there is none."""
        ...


class Fetcher:
    """Asks hosts; blocking, for one thread. Connections are kept for IDLE_S and belong to one host each."""

    def __init__(
        self,
        allowed: Allowed = NOTHING,
        *,
        resolve: Resolve = resolve,
        trust: ssl.SSLContext | None = None,
        total_s: float = TOTAL_S,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        """Take what an operator allows beyond the internet, and whose certificates hold (None: the system's)."""
        self._allowed = allowed
        self._resolve = resolve
        self._total_s = total_s
        self._max_bytes = max_bytes
        self._deadline = _Deadline()
        self._pool = httpcore.ConnectionPool(
            ssl_context=trust or ssl.create_default_context(),
            max_connections=4,
            keepalive_expiry=IDLE_S,
            network_backend=_Checked(self._deadline, self._peers),
        )

    def check(self, url: str) -> None:
        """Raise UnsafeAddressError if a URL would not be asked; OutgoingError if its name stands for no address."""
        self._deadline.at = time.monotonic() + self._total_s
        address = read_url(url, self._allowed)
        self._peers(address.host, address.port)

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Return the answer to a body, be it a redirect; raise OutgoingError if there is none."""
        return self.ask("POST", url, body, headers)

    def get(self, url: str) -> Answer:
        """Return what a host has at a URL, be it a redirect; raise OutgoingError if there is no answer."""
        return self.ask("GET", url, b"", {})

    def ask(self, method: Method, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Return the answer to a request, be it a redirect; raise OutgoingError if there is none."""
        address = read_url(url, self._allowed)
        self._deadline.at = time.monotonic() + self._total_s
        try:
            with contextlib.closing(self._pool.handle_request(self._request(method, address, body, headers))) as told:
                return self._read(told, address)
        except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError) as error:
            raise OutgoingError(f"{address.origin} did not answer: {_why(error)}") from error

    def close(self) -> None:
        """Close all connections."""
        self._pool.close()

    def _request(self, method: str, address: Address, body: bytes, headers: Mapping[str, str]) -> httpcore.Request:
        """Return a request whose parts are those that were checked: nothing reads the URL a second time."""
        own = {"Host": address.authority, "Content-Length": str(len(body)), "Accept-Encoding": "identity"}
        return httpcore.Request(
            method=method,
            url=httpcore.URL(
                scheme=address.scheme.encode(),
                host=address.host.encode(),
                port=address.port,
                target=address.target.encode(),
            ),
            headers=[(name.encode(), value.encode()) for name, value in {**headers, **own}.items()],
            content=body,
            extensions={"timeout": dict.fromkeys(("connect", "read", "write", "pool"), self._total_s)},
        )

    def _read(self, told: httpcore.Response, address: Address) -> Answer:
        body = bytearray()
        for piece in told.iter_stream():
            body += piece
            if len(body) > self._max_bytes:
                raise OutgoingError(f"{address.origin} answered with more than {self._max_bytes} bytes")
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in told.headers}
        return Answer(status=told.status, headers=headers, body=bytes(body))

    def _peers(self, host: str, port: int) -> list[str]:
        """Return the addresses that a host stands for, all of them checked."""
        peers = [*self._resolve(host, port, self._deadline.left())]
        for peer in peers:
            check_peer(peer, port, self._allowed)
        if not peers:
            raise OutgoingError(f"the name {host} stands for no address")
        return peers


class _Deadline:
    """When the request under way has to be over (monotonic s)."""

    at = 0.0

    def left(self) -> float:
        """Return how long is left (s), at least a little."""
        return max(self.at - time.monotonic(), 0.0)


class _Peers(Protocol):
    def __call__(self, host: str, port: int) -> list[str]: ...


class _Checked(httpcore.NetworkBackend):
    """Connects to addresses that were checked, never to a name."""

    def __init__(self, deadline: _Deadline, peers: _Peers) -> None:
        self._deadline = deadline
        self._peers = peers
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        failed: Exception = httpcore.ConnectError("no address")
        for peer in self._peers(host, port):
            try:
                stream = self._sockets.connect_tcp(peer, port, _left(self._deadline, httpcore.ConnectTimeout))
            except httpcore.ConnectError as error:
                failed = error
                continue
            return _Bounded(stream, self._deadline)
        raise failed


class _Bounded(httpcore.NetworkStream):
    """A connection on which each request has to be over at the deadline, however its bytes drip."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: _Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(self._deadline, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(self._deadline, httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = _left(self._deadline, httpcore.ConnectTimeout)
        return _Bounded(self._stream.start_tls(ssl_context, server_hostname, left), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _left(deadline: _Deadline, over: type[httpcore.TimeoutException]) -> float:
    left = deadline.left()
    if left <= 0.0:
        raise over("no time is left")
    return left


def _why(error: Exception) -> str:
    """Return an error of the line in words; many have none of their own."""
    if isinstance(error, httpcore.TimeoutException):
        return "it took too long"
    return str(error) or type(error).__name__
