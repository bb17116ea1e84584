"""One HTTP request and its answer, with its steps known: whether a byte of it was written, and what came back.

In: requests, as django-anymail makes them. Out: answers. Promised: a request is written once, never repeated and never
redirected; an answer has a bounded size; who holds the exchange can cut it off.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from http.cookiejar import DefaultCookiePolicy
from io import BytesIO
from threading import Lock
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.cookies import RequestsCookieJar
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from livepost.deliver.esp.answer import Answer

MAX_ANSWER_BYTES = 1_000_000
"""What is read of an answer; providers' are a few hundred bytes."""

_CHUNK_BYTES = 65_536


class Exchange:
    """What became of one mail's request; `headers` go with it."""

    def __init__(self, headers: Mapping[str, str] | None = None) -> None:
        self.headers = dict(headers or {})
        self.written = False
        self.answer: Answer | None = None
        self._cut = False
        self._socket: socket.socket | None = None
        self._lock = Lock()

    def begins(self, sock: socket.socket) -> None:
        """Note that bytes are about to be written; raise OSError if the exchange was cut off before."""
        with self._lock:
            if self._cut:
                raise OSError("given up before anything was written")
            self.written = True
            self._socket = sock

    def ends(self, answer: Answer) -> None:
        """Note the answer; raise OSError if the exchange was cut off: what was read then may be half of one."""
        with self._lock:
            if self._cut:
                raise OSError("given up before the answer was whole")
            self.answer = answer
            self._socket = None

    def cut(self) -> None:
        """Give up: whoever waits for the answer gets an error."""
        with self._lock:
            self._cut = True
            if self._socket is not None:
                with suppress(OSError):
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)  # TLS too: no good-bye is waited for


_current: ContextVar[Exchange] = ContextVar("exchange")


@contextmanager
def exchanging(exchange: Exchange) -> Iterator[None]:
    """Let what is requested in this block be this exchange's."""
    token = _current.set(exchange)
    try:
        yield
    finally:
        _current.reset(token)


class Session(requests.Session):
    """Connections to one provider, kept open between mails; many threads may use it."""

    def __init__(self, connections: int) -> None:
        super().__init__()
        self.cookies = RequestsCookieJar(policy=DefaultCookiePolicy(allowed_domains=[]))  # nothing is remembered
        self.headers["User-Agent"] = "livepost"
        self.auth = _as_told  # else a login from ~/.netrc would take the key's place
        for scheme in ("https://", "http://"):
            self.mount(scheme, _Adapter(pool_maxsize=connections, pool_block=True))

    def request(self, *args: Any, **kwargs: Any) -> requests.Response:
        """Make the request of the current exchange; a redirect is an answer like any other."""
        headers = {**(kwargs.pop("headers", None) or {}), **_current.get().headers}
        return super().request(*args, **{**kwargs, "headers": headers, "allow_redirects": False})


class _Adapter(HTTPAdapter):
    """Reads the whole answer, up to a bound, before anybody looks at it."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        response = super().send(request, *args, **{**kwargs, "stream": True})
        body = _whole(response.raw)
        headers = {name.lower(): value for name, value in response.headers.items()}
        _current.get().ends(Answer(status=response.status_code, headers=headers, body=body))
        response.raw = BytesIO(body)
        return response


class _Noted:
    """Tells the exchange before the first byte of a request; a proxy's CONNECT and TLS are not yet the request."""

    sock: Any
    _connecting = False

    def connect(self) -> None:
        self._connecting = True
        try:
            super().connect()  # type: ignore[misc]
        finally:
            self._connecting = False

    def send(self, data: Any) -> None:
        if not self._connecting:
            if self.sock is None:
                self.connect()
            _current.get().begins(self.sock)
        super().send(data)  # type: ignore[misc]


class _Connection(_Noted, HTTPConnection):
    """Without TLS: to this machine only, as the settings see to."""


class _SafeConnection(_Noted, HTTPSConnection):
    """With TLS."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SafePool(HTTPSConnectionPool):
    ConnectionCls = _SafeConnection


_POOLS = {"http": _Pool, "https": _SafePool}


def _whole(raw: Any) -> bytes:
    """Return the body, unpacked; raise OSError for one over the bound."""
    read = bytearray()
    while chunk := raw.read(_CHUNK_BYTES, decode_content=True):
        read += chunk
        if len(read) > MAX_ANSWER_BYTES:
            raw.close()
            raise OSError(f"the answer has more than {MAX_ANSWER_BYTES} bytes")
    return bytes(read)


def _as_told(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request
