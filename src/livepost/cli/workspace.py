"""What most commands start from: the settings of the current folder and its data folder."""

from __future__ import annotations

import os
import pwd
from contextlib import closing
from pathlib import Path

from livepost.audit.deed import Deed, by_command
from livepost.audit.entry import Entry
from livepost.clock import WallClock
from livepost.runtime.data.folder import DataFolder
from livepost.settings.load import Loaded, load


def settings_here() -> Loaded:
    """Return the settings of the project in the current folder."""
    return load(Path.cwd(), os.environ)


def used_folder_here() -> DataFolder:
    """Return the data folder, for looking at; raise StoreError if there is nothing in it yet."""
    folder = folder_here()
    folder.require_used()
    return folder


def note(folder: DataFolder, deed: Deed) -> None:
    """Write into the audit what the user of this command sees or changes; raise StoreError if it cannot be written."""
    at, by = WallClock().now_ms(), by_command(who())
    entry = Entry(at=at, by=by, did=deed.did, subjects=deed.people, about=deed.about)
    with closing(folder.vault(readonly=True)) as vault, closing(folder.audits(vault)) as audits:
        audits.append([entry])


def who() -> str:
    """Return the name of the user of this machine who runs the command."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a user without a name
        return "cli"


def folder_here() -> DataFolder:
    """Return the data folder of the project in the current folder."""
    loaded = settings_here()
    return DataFolder(loaded.settings, loaded.origins)
