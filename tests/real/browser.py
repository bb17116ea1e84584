"""A real browser for tests: Debian's Chromium without a screen, driven by Playwright, which downloads nothing.

Where Chromium is not installed the tests that need it are skipped with the reason; in CI that is a failure (`.ci/run`
installs it).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def browser(*more: str) -> Iterator[Browser]:
    """Yield a Chromium with a fresh profile, started with these arguments too, and end it."""
    path = chromium_path()
    with sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=path, args=[*ARGUMENTS, *more])
        try:
            yield running
        finally:
            running.close()


def chromium_path() -> str:
    """Return where Chromium is; skip the test if it is nowhere, fail it in CI."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is not None:
        return found
    reason = f"Chromium is not installed (looked for {', '.join(NAMES)} on the path)"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
