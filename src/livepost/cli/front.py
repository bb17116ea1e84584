"""`livepost run front`."""

from __future__ import annotations

from pathlib import Path

import uvloop

from livepost.cli.author import applied_project_of, project_of
from livepost.errors import ProjectError
from livepost.runtime.author.project import Project
from livepost.runtime.data.folder import DataFolder
from livepost.runtime.front.process import run_front


def main(folder: DataFolder, *, kept: bool = False) -> None:
    """Run the front until told to stop; with `kept` on the pages kept, whatever the current folder's are."""
    folder.prepare()
    project = applied_project_of(folder, kept=True) if kept else _wished(folder)
    uvloop.run(run_front(folder, project, home=Path.cwd()))


def _wished(folder: DataFolder) -> Project:
    """Return the folder's project; what is applied where its page is broken: somebody may be writing it just now."""
    try:
        return project_of(folder)
    except ProjectError:
        return applied_project_of(folder)
