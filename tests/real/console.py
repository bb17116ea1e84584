"""The console in a real browser: the way in, and what every page of it must keep to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page

from livepost.runtime.sockets.wire import WireClient
from tests.crash.house import House
from tests.real.sdk import MODULES

DESKTOP, PHONE = (1280, 900), (390, 844)
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"viewport": {"width": DESKTOP[0], "height": DESKTOP[1]}, "color_scheme": "light"},
    "dark": {"viewport": {"width": DESKTOP[0], "height": DESKTOP[1]}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": PHONE[0], "height": PHONE[1]}, "color_scheme": "light", "has_touch": True},
    "phone-dark": {"viewport": {"width": PHONE[0], "height": PHONE[1]}, "color_scheme": "dark", "has_touch": True},
}
"""How people look at it; `reduced_motion` keeps a change from being measured halfway."""

SERIOUS = ("serious", "critical")


@contextmanager
def session(chromium: Browser, house: House, look: str = "light", **more: Any) -> Iterator[BrowserContext]:
    """Yield a browser profile that has followed a one-time link of the house."""
    context = chromium.new_context(**{**LOOKS[look], "reduced_motion": "reduce", **more})
    with closing(context), closing(WireClient(house.folder.front_socket)) as front:
        context.new_page().goto(front.call("link", None, str))
        yield context


def heard(page: Page) -> list[str]:
    """Return the list to which the page's errors are added from now on: scripts, CSP, what could not be fetched."""
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: told.append(str(error)))
    return told


def findings(page: Page) -> list[str]:
    """Return what axe-core finds serious on a page: the rule, and the first element."""
    page.evaluate((MODULES / "axe-core" / "axe.min.js").read_text())
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{one['id']}: {one['help']}: {one['nodes'][0]['html'][:160]}"
        for one in found["violations"]
        if one["impact"] in SERIOUS
    ]


def overflow(page: Page) -> int:
    """Return how many pixels the page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))
