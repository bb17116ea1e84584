"""`livepost run engine`."""

from __future__ import annotations

import uvloop

from livepost.cli.author import applied_project_of
from livepost.runtime.data.folder import DataFolder
from livepost.runtime.engine.process import run_engine


def main(folder: DataFolder) -> None:
    """Run the engine until told to stop."""
    uvloop.run(run_engine(folder, applied_project_of(folder)))
