"""`livepost` without the redactor before its stderr: what the first net lets through is seen. Run in place of it.

With the variable LEAKS the front has the faults that the canaries are to find: a log of what was asked for, as it was
asked, and a metric by path.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from livepost.cli import main
from livepost.collect.app import Collect

LEAKS = "LEAKS"
_asked: list[str] = []
_collect = Collect.__call__


async def _leaking(self: Collect, scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        return await _collect(self, scope, receive, send)
    print(scope["method"], scope["path"], scope["query_string"].decode(), file=sys.stderr)
    _asked.append(scope["path"])
    if scope["path"] != "/metrics":
        return await _collect(self, scope, receive, send)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    told = "".join(f'asked_total{{path="{path}"}} 1\n' for path in _asked)
    await send({"type": "http.response.body", "body": told.encode()})


if __name__ == "__main__":
    sys.modules["livepost.cli.app"].mask_stderr = lambda: None  # type: ignore[attr-defined]
    if os.environ.get(LEAKS):
        Collect.__call__ = _leaking  # type: ignore[method-assign]
    main()
