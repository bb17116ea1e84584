"""The limit beside the collector: the same server with the same settings, whose app reads the body and says 200.

`python -m livepost.bench.echo FILE` listens on a free port of loopback and writes its number to FILE.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

import uvicorn
import uvloop

from livepost.runtime.front.listening import BACKLOG
from livepost.runtime.house.conduct import collect_seldom

_BODY = b'{"success": true}'
_HEADERS = [(b"content-type", b"application/json"), (b"content-length", b"17")]


async def echo(
    scope: MutableMapping[str, Any],
    receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
    send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
) -> None:
    """Answer any request with 200 once its body is there."""
    while (await receive()).get("more_body", False):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    await send({"type": "http.response.body", "body": _BODY})


def main(port_file: Path) -> None:
    """Serve until told to stop."""
    collect_seldom()
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen(BACKLOG)
    port_file.write_text(str(listening.getsockname()[1]))
    config = uvicorn.Config(echo, log_level="warning", access_log=False, lifespan="off", backlog=BACKLOG)
    uvloop.run(uvicorn.Server(config).serve([listening]))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
