"""What most commands start from: the settings of the current folder and its data folder."""

from __future__ import annotations

import os
from pathlib import Path

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


def folder_here() -> DataFolder:
    """Return the data folder of the project in the current folder."""
    loaded = settings_here()
    return DataFolder(loaded.settings, loaded.origins)
