"""What most commands start from: the settings of the current folder, its data folder, its project."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from livepost.runtime.folder import DataFolder
from livepost.runtime.project import Project, load_project
from livepost.settings.load import Loaded, load


def settings_here(flags: dict[str, Any] | None = None) -> Loaded:
    """Return the settings of the project in the current folder."""
    return load(Path.cwd(), os.environ, flags)


def folder_here(flags: dict[str, Any] | None = None) -> DataFolder:
    """Return the data folder of the project in the current folder."""
    return DataFolder(settings_here(flags).settings)


def project_of(folder: DataFolder) -> Project:
    """Return the project in the current folder, with `fresh` as the data folder's clock goes."""
    return load_project(Path.cwd(), folder.settings, folder.speed)
