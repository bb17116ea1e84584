"""The project in the current folder; in a file of its own, since loading it takes longer than settings do."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from livepost.errors import ProjectError
from livepost.runtime.author.project import Project, load_project
from livepost.runtime.data.definitions import read_named
from livepost.runtime.data.folder import DataFolder
from livepost.runtime.data.kept_pages import fitting, kept_project


def project_of(folder: DataFolder) -> Project:
    """Return the project in the current folder, with `fresh` as the data folder's clock goes."""
    return load_project(Path.cwd(), folder.settings, folder.speed)


def applied_project_of(folder: DataFolder, *, kept: bool = False) -> Project:
    """Return the project that is applied, with the pages that go with it; the current folder's where none is yet.

    `kept` says to go by the pages kept, if there are any, whatever the current folder's are. Raises ProjectError for a
    page of the folder that is broken, if there is no other to go by.
    """
    with closing(folder.log_reader()) as log:
        named = read_named(folder.definitions_file, log)
    if named is None:
        return project_of(folder)
    before = kept_project(folder, named.serving) if kept else None
    if before is not None:
        return before
    try:
        return fitting(folder, project_of(folder), named.serving)
    except ProjectError:
        before = kept_project(folder, named.serving)
        if before is None:
            raise
        return before
