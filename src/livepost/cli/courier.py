"""`livepost run courier`."""

from __future__ import annotations

from pathlib import Path

from livepost.cli.author import applied_project_of
from livepost.cli.signals import stop_on_signals
from livepost.runtime.courier import run_courier
from livepost.runtime.folder import DataFolder


def main(folder: DataFolder) -> None:
    """Run the courier until told to stop."""
    run_courier(folder, applied_project_of(folder), stop_on_signals(), home=Path.cwd())
