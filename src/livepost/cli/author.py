"""The project in the current folder; in a file of its own, since loading it takes longer than settings do."""

from __future__ import annotations

from pathlib import Path

from livepost.runtime.folder import DataFolder
from livepost.runtime.project import Project, load_project


def project_of(folder: DataFolder) -> Project:
    """Return the project in the current folder, with `fresh` as the data folder's clock goes."""
    return load_project(Path.cwd(), folder.settings, folder.speed)
