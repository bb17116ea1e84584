"""`livepost run courier`."""

from __future__ import annotations

from pathlib import Path

from livepost.cli.author import applied_project_of
from livepost.cli.signals import stop_on_signals
from livepost.runtime.courier.process import run_courier
from livepost.runtime.data.folder import DataFolder


def main(folder: DataFolder, *, kept: bool = False) -> None:
    """Run the courier until told to stop; with `kept` on the pages kept, whatever the current folder's are."""
    run_courier(folder, applied_project_of(folder, kept=kept), stop_on_signals(), home=Path.cwd())
