"""Takes the pictures of this folder: the demo runs for a while, then every page is looked at in a real Chromium, light,
dark and on a phone (390 px). `make screenshots` runs it; nothing here is drawn by hand.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page

from livepost.runtime.data.folder import DataFolder
from livepost.runtime.sockets.wire import WireClient, WireError
from livepost.settings.settings import Settings
from tests.real.browser import browser
from tests.real.console import LOOKS

FOLDER = Path(__file__).parent
SPEED = 20_000
"""So that days have gone by in the pictures."""

RUNS_S = 45.0
START_S = 120.0
SETTLE_MS = 1_500
QUALITY = 82

PAGES = {
    "flow": "/",
    "people": "/people",
    "segments": "/segments",
    "segment": "/segments/browsing",
    "campaigns": "/campaigns",
    "campaign": "/campaigns/browse_reminder",
    "mailbox": "/mailbox",
    "dead-letters": "/dead",
    "system": "/system",
}
LED_TO = {"person": ("/people", "main table a[href^='/people/']"), "mail": ("/mailbox", "main a[href^='/mailbox/']")}
"""Pages that another leads to: where, and by which link."""

SHOWN = ("light", "dark", "phone")


def main() -> None:
    """Take all pictures."""
    with tempfile.TemporaryDirectory() as data, _demo(Path(data)) as folder:
        time.sleep(RUNS_S)
        with browser() as chromium:
            for look in SHOWN:
                with _session(chromium, folder, look) as context:
                    _take(context.pages[0], look)


def _take(page: Page, look: str) -> None:
    begin = "/".join(page.url.split("/")[:3])
    for name, path in PAGES.items():
        page.goto(begin + path)
        _keep(page, name, look)
    for name, (path, link) in LED_TO.items():
        page.goto(begin + path)
        page.goto(begin + str(page.locator(link).first.get_attribute("href")))
        _keep(page, name, look)
    page.goto(begin + "/shop")
    _keep(page, "shop", look)


def _keep(page: Page, name: str, look: str) -> None:
    page.wait_for_timeout(SETTLE_MS)
    page.screenshot(path=FOLDER / f"{name}-{look}.jpg", type="jpeg", quality=QUALITY)


@contextmanager
def _demo(data: Path) -> Iterator[DataFolder]:
    """Yield the data folder of a demo that takes events, and end the demo."""
    folder = DataFolder(Settings(data=str(data), port=0))
    command = [sys.executable, "-m", "livepost.cli", "demo", "--port", "0", "--data", str(data), "--speed", str(SPEED)]
    demo = subprocess.Popen(command, env=os.environ, stdout=subprocess.DEVNULL)
    try:
        _wait_for(folder)
        yield folder
    finally:
        demo.terminate()
        demo.wait()


def _wait_for(folder: DataFolder) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"http://localhost:{folder.port}/readyz", timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"the demo did not start within {START_S:g} s; its words are above")


@contextmanager
def _session(chromium: Browser, folder: DataFolder, look: str) -> Iterator[BrowserContext]:
    context = chromium.new_context(**LOOKS[look])
    try:
        with closing(context), closing(WireClient(folder.front_socket)) as front:
            context.new_page().goto(front.call("link", None, str))
            yield context
    except WireError as error:
        raise SystemExit(f"the demo ended: {error}") from error


if __name__ == "__main__":
    main()
