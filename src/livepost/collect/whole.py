"""Whole calls: a single call whose request came in one piece goes from uvicorn's parser to the collector, past ASGI.

In: bytes of connections. Out: replies, to the byte those of ASGI. Promised: whatever is not plain (a body in pieces,
another route or method, HTTP/1.0, an upgrade, a request behind one under way, a client that reads nothing) goes through
ASGI as ever, and so do all refusals; a request under way holds up uvicorn's stop as ever.

A scope, a task, two events and four messages for each request cost as much as taking the call.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, cast

from uvicorn._types import HTTPScope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from livepost.collect.app import SEC_GPC, SINGLE, Collect
from livepost.collect.reply import SUCCESS, SUCCESS_HEADERS, Headers, Send
from livepost.errors import LivepostError

_PATHS = {path.encode(): path for path in SINGLE}


def whole_calls(collect: Collect) -> Callable[..., asyncio.Protocol]:
    """Return the protocol for uvicorn (`http`) of a server whose app is, or has within, the collector."""
    return partial(_WholeCalls, collect, _Heads())


class _Heads:
    """The head of a success but for its position, made anew when uvicorn's own headers change, once a second."""

    def __init__(self) -> None:
        self._of: Headers | None = None
        self._head = b""

    def with_defaults(self, headers: Headers) -> bytes:
        """Return the head with these headers before ours; the list is a new one if they changed."""
        if headers is not self._of:
            lines = [b"%b: %b\r\n" % header for header in (*headers, *SUCCESS_HEADERS)]
            self._of, self._head = headers, b"HTTP/1.1 200 OK\r\n" + b"".join(lines)
        return self._head


class _Nobody:
    """Who would wait for more of a request; a whole one has no more."""

    def set(self) -> None:
        """Wake nobody."""


class _UnderWay:
    """A call that waits for its commit; for uvicorn a cycle of request and response, as far as it looks into one."""

    __slots__ = ("_protocol", "disconnected", "keep_alive", "response_complete", "scope")
    message_event = _Nobody()

    def __init__(self, protocol: _WholeCalls, scope: HTTPScope) -> None:
        self.response_complete = self.disconnected = False
        self.keep_alive = True
        self.scope = scope
        self._protocol = protocol

    @property
    def as_cycle(self) -> RequestResponseCycle:
        """Itself, as uvicorn knows it."""
        return cast(RequestResponseCycle, self)

    def hear(self, taken: asyncio.Future[int]) -> None:
        """Answer: the call is committed, or it is not."""
        error = taken.exception()
        if self.disconnected:
            return
        if error is None:
            self._protocol.succeed(self, taken.result())
        else:
            self._protocol.refuse(self, error)


class _WholeCalls(HttpToolsProtocol):
    """A connection; `_path` is that of a call whose head is there and whose body is not yet."""

    def __init__(self, collect: Collect, heads: _Heads, **given: Any) -> None:
        super().__init__(**given)
        self._collect = collect
        self._heads = heads
        self._path: str | None = None
        self._body = b""
        self._idle_since: float | None = None
        self._idle_timer: asyncio.TimerHandle | None = None

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._idle_timer is not None:
            self._idle_timer.cancel()

    def data_received(self, data: bytes) -> None:
        self._idle_since = None
        super().data_received(data)
        if self._path is not None:
            self._path = None
            if not self.transport.is_closing():
                self._by_asgi()

    def on_headers_complete(self) -> None:
        self._path = _PATHS.get(self.url) if self._is_plain() else None
        self._body = b""
        if self._path is None:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if self._path is None:
            super().on_body(body)
        else:
            self._body = self._body + body if self._body else body

    def on_message_complete(self) -> None:
        if self._path is None:
            super().on_message_complete()
            return
        path, self._path = self._path, None
        self.scope["method"] = "POST"
        try:
            authorization, gpc = self._told()
            taken = self._collect.take_whole(path, authorization, self._body, gpc=gpc)
        except LivepostError as error:
            self.refuse(_UnderWay(self, self.scope), error)
        except Exception:  # not foreseen: the app meets it too, where uvicorn tells of it
            self._by_asgi()
            super().on_message_complete()
        else:
            call = _UnderWay(self, self.scope)
            self.cycle = call.as_cycle
            taken.add_done_callback(call.hear)

    def succeed(self, call: _UnderWay, position: int) -> None:
        """Say that a call is committed, in one write."""
        if self.transport.is_closing():
            return
        call.response_complete = True
        head = self._heads.with_defaults(self.server_state.default_headers)
        close = b"" if call.keep_alive else b"connection: close\r\n"
        self.transport.write(b"%bx-livepost-position: %d\r\n%b\r\n%b" % (head, position, close, SUCCESS))
        if not call.keep_alive:
            self.transport.close()
        if self.pipeline or self.transport.is_closing():
            self.on_response_complete()
        else:
            self.server_state.total_requests += 1
            self._rest()

    def refuse(self, call: _UnderWay, error: BaseException) -> None:
        """Say through ASGI that a call was not taken."""

        async def refusal(scope: Any, receive: Any, send: Send) -> None:
            await self._collect.refuse(send, error)

        cycle = RequestResponseCycle(
            scope=call.scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=self.access_log,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=False,
            keep_alive=call.keep_alive,
            on_response=self.on_response_complete,
        )
        cycle.more_body = False
        if self.cycle is call.as_cycle or not self._is_busy():
            self.cycle = cycle
        self._start_asgi_task(cycle, refusal)  # type: ignore[arg-type]

    def _by_asgi(self) -> None:
        """Begin a request as uvicorn does, with what has come of its body."""
        super().on_headers_complete()
        if self._body:
            super().on_body(self._body)
        self._body = b""

    def _told(self) -> tuple[bytes | None, bool]:
        """Return Authorization, None if there is none, and whether Sec-GPC says 1."""
        authorization, gpc = None, False
        for name, value in self.headers:
            if name == b"authorization":
                authorization = authorization or value
            elif name == SEC_GPC:
                gpc = value == b"1"
        return authorization, gpc

    def _rest(self) -> None:
        """Wait for the next request, as long as uvicorn does, with one timer for all calls of that time."""
        self._idle_since = self.loop.time()
        if self._idle_timer is None:
            self._idle_timer = self.loop.call_later(self.timeout_keep_alive, self._look)

    def _look(self) -> None:
        """Close the connection if it rested for long enough; come again if it rests for less."""
        self._idle_timer = None
        if self._idle_since is not None:
            left_s = self._idle_since + self.timeout_keep_alive - self.loop.time()
            if left_s > 0:
                self._idle_timer = self.loop.call_later(left_s, self._look)
            else:
                self.timeout_keep_alive_handler()

    def _is_plain(self) -> bool:
        parser = self.parser
        return (
            parser.get_method() == b"POST"
            and parser.get_http_version() == "1.1"
            and parser.should_keep_alive()
            and not parser.should_upgrade()
            and not self.expect_100_continue
            and not self.flow.write_paused
            and not self._is_busy()
        )

    def _is_busy(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete
