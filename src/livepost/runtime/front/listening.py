"""The front's port: taken before anything else is begun, served by uvicorn until the process is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable
from typing import Any, cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from livepost.api.stream import MAX_MESSAGE_BYTES, PING_S
from livepost.control.users import can_enter
from livepost.errors import SettingsError
from livepost.runtime.data.folder import DataFolder
from livepost.settings.part import LOOPBACK

BACKLOG = 1024
GRACEFUL_S = 5
"""How long answers that are under way have when the front stops."""


def listen(folder: DataFolder) -> socket.socket:
    """Take the port that the settings name and write down which it is; raise SettingsError if it is taken, or if
    others could reach it while nobody has a password.
    """
    settings = folder.settings
    _require_guarded(folder)
    listening = socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((settings.host, settings.port))
    except OSError as error:
        listening.close()
        raise SettingsError(
            f"port {settings.port} on {settings.host} is taken ({error.strerror}); "
            "stop what uses it, or set `port` in livepost.toml or LIVEPOST_PORT"
        ) from error
    listening.listen(BACKLOG)
    beside = folder.port_file.with_suffix(".new")
    beside.write_text(str(listening.getsockname()[1]))
    beside.rename(folder.port_file)  # whoever finds it finds a number in it
    return listening


def _require_guarded(folder: DataFolder) -> None:
    if folder.settings.host in LOOPBACK:
        return
    with contextlib.closing(folder.control()) as control:
        if not can_enter(control):
            raise SettingsError(
                f'host = "{folder.settings.host}" lets others in, and nobody has a password yet; say '
                "`livepost users add` and `livepost users password` first"
            )


async def serve(
    app: Any,
    listening: socket.socket,
    stopping: Callable[[], None],
    protocol: Callable[..., asyncio.Protocol] = HttpToolsProtocol,
    *,
    tls: ssl.SSLContext | None = None,
    behind_proxy: bool = False,
) -> None:
    """Serve an ASGI app until cancelled, then for as long as answers under way take, GRACEFUL_S at most.

    `stopping` ends what would go on for ever; `protocol` is what uvicorn makes a connection with, over
    `tls` if given; `behind_proxy`: whoever connects is believed for whom it asks.
    """
    config = uvicorn.Config(
        app,
        http=cast(type[asyncio.Protocol], protocol),
        log_level="warning",
        access_log=False,
        lifespan="off",
        backlog=BACKLOG,
        timeout_graceful_shutdown=GRACEFUL_S,
        ws="websockets-sansio",
        ws_max_size=MAX_MESSAGE_BYTES,
        ws_ping_interval=PING_S,
        ws_ping_timeout=PING_S,
        ssl_context_factory=None if tls is None else lambda config, default: tls,
        proxy_headers=tls is None,
        forwarded_allow_ips="*" if behind_proxy else "127.0.0.1",
    )
    server = _Server(config)
    serving = asyncio.ensure_future(server.serve([listening]))
    try:
        await asyncio.shield(serving)  # cancelled itself it would cut off what it is answering
    finally:
        stopping()
        server.should_exit = True
        await serving


class _Server(uvicorn.Server):
    """Uvicorn without its own signal handling: the process has one place for that."""

    @contextlib.contextmanager
    def capture_signals(self):  # type: ignore[no-untyped-def]
        yield
