"""The shop's own pages: a web server for the test's page and the SDK's files, of another origin than the front."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

from tests.real.sdk import MODULES, SCRIPTS

SDK = MODULES / "@segment" / "analytics-next" / "dist" / "umd"


@contextmanager
def pages() -> Iterator[str]:
    """Serve the pages; yield their address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Pages, directory=str(SCRIPTS))) as server:
        thread = threading.Thread(target=server.serve_forever, name="pages")
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


class _Pages(SimpleHTTPRequestHandler):
    def translate_path(self, path: str) -> str:
        """Find the SDK's files below /sdk/, the pages elsewhere."""
        if path.startswith("/sdk/"):
            return str(SDK / path.removeprefix("/sdk/").partition("?")[0].replace("/", ""))
        return super().translate_path(path)

    def log_message(self, format: str, *words: object) -> None:
        """Say nothing."""
