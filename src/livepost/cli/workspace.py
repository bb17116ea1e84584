"""What most commands start from: the settings of the current folder and its data folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from livepost.runtime.folder import DataFolder
from livepost.settings.load import Loaded, load


def settings_here(flags: dict[str, Any] | None = None) -> Loaded:
    """Return the settings of the project in the current folder."""
    return load(Path.cwd(), os.environ, flags)


def folder_here(flags: dict[str, Any] | None = None) -> DataFolder:
    """Return the data folder of the project in the current folder."""
    return DataFolder(settings_here(flags).settings)
