"""Outgoing HTTP goes through `fetch`: nothing else imports a client, but for the house's own loopback."""

import ast
from pathlib import Path

from tests.house.source import SOURCE, modules

CLIENTS = {"httpx", "httpcore", "urllib.request", "http.client", "urllib3", "requests", "aiohttp", "websockets.client"}
EXCEPTIONS = {
    "deliver/esp/wire.py": "the provider that an operator named: django-anymail speaks by requests",
    "runtime/house/supervisor.py": "asks its own front whether it is ready",
    "demo/line.py": "the demo's shoppers and readers, to their own house",
    "demo/storefront/line.py": "the demo's shop, to its own house",
}
"""Files that may import a client, and why; `bench` beside them, which measures its own house."""


def importers(folder: Path) -> set[str]:
    """Return the files under a folder that import an HTTP client."""
    return {
        str(path.relative_to(folder))
        for path, tree in modules(folder)
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom) and CLIENTS & named(node)
    }


def named(node: ast.Import | ast.ImportFrom) -> set[str]:
    """Return the modules that an import may bring, and the packages they are in."""
    if isinstance(node, ast.Import):
        full = [alias.name for alias in node.names]
    else:
        full = [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
    return {".".join(name.split(".")[:parts]) for name in full for parts in (1, 2)}


def test_nothing_but_the_fetcher_goes_out() -> None:
    found = {path for path in importers(SOURCE) if not path.startswith(("fetch/", "bench/"))}
    assert found == set(EXCEPTIONS)


def test_another_way_out_would_be_found(tmp_path: Path) -> None:
    for number, line in enumerate(("import httpx as h", "from urllib import request", "from http.client import X")):
        (tmp_path / f"room{number}.py").write_text(line + "\n")
    (tmp_path / "good.py").write_text("from urllib.parse import urlsplit\nfrom http import HTTPStatus\n")
    assert importers(tmp_path) == {"room0.py", "room1.py", "room2.py"}
