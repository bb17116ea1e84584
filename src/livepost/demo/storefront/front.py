"""The demo's front: any house's, and the storefront beside it."""

from __future__ import annotations

import os
from pathlib import Path

from livepost.clock import WallClock
from livepost.demo.storefront.line import HouseLine
from livepost.demo.storefront.pages import Storefront, storefront_routes
from livepost.runtime.author.project import load_project
from livepost.runtime.data.folder import DataFolder
from livepost.runtime.data.keyring import KeyRing
from livepost.runtime.front.process import run_front
from livepost.settings.load import load

SOURCE = "storefront"
"""What records from the shop's pages and from its server carry."""


async def run_demo_front() -> None:
    """Serve the project in the current folder, and its shop, until told to stop; raises as `run_front`."""
    loaded = load(Path.cwd(), os.environ)
    folder = DataFolder(loaded.settings, loaded.origins)
    folder.prepare()
    project = load_project(Path.cwd(), folder.settings, folder.speed)
    async with HouseLine(lambda: folder.port, secret_key(folder.keys)) as line:
        settings = folder.settings
        shop = Storefront(
            line=line,
            write_key=write_key(folder.keys),
            clock=folder.clock,
            speed=folder.speed,
            shop_name=settings.shop_name,
            sender=f"{settings.shop_name} <{settings.sender}>",
            currency=settings.currency,
        )
        await run_front(folder, project, more=storefront_routes(shop))


def secret_key(keys: KeyRing) -> str:
    """Return a new secret key for the shop's server, which takes the place of the one before: nobody knows that now."""
    now_ms = WallClock().now_ms()
    for key in keys.all():
        if (key.kind, key.source, key.revoked_ms) == ("secret", SOURCE, None):
            keys.revoke(key.id, now_ms)
    return keys.new("secret", SOURCE, now_ms).key


def write_key(keys: KeyRing) -> str:
    """Return the write key of the shop's pages, made at the first start."""
    found = [one for one in keys.all() if (one.kind, one.source, one.revoked_ms) == ("write", SOURCE, None)]
    return found[0].shown if found else keys.new("write", SOURCE, WallClock().now_ms()).key
