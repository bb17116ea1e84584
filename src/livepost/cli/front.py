"""`livepost run front`."""

from __future__ import annotations

import uvloop

from livepost.cli.author import project_of
from livepost.runtime.folder import DataFolder
from livepost.runtime.front import run_front


def main(folder: DataFolder) -> None:
    """Run the front until told to stop."""
    folder.prepare()
    uvloop.run(run_front(folder, project_of(folder)))
