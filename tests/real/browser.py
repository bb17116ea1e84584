"""A real browser: Debian's Chromium without a window, driven by playwright, with a profile of its own for each test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""The browser asks nobody but the pages under test."""


def needs_chromium() -> None:
    """Skip where there is no Chromium; in CI that is a failure."""
    if CHROMIUM.exists():
        return
    reason = f"{CHROMIUM} is not there: install Debian's package `chromium`"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@contextmanager
def page_of(profile: Path) -> Iterator[Page]:
    """Yield a blank page of a new browser that keeps its profile in `profile`."""
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            profile, executable_path=CHROMIUM, headless=True, args=list(QUIET)
        )
        try:
            yield context.pages[0]
        finally:
            context.close()
