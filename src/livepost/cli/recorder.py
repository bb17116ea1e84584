"""`livepost run recorder`."""

from __future__ import annotations

import signal
import sys

from livepost.runtime.data.folder import DataFolder
from livepost.runtime.recorder.process import run_recorder


def main(folder: DataFolder) -> None:
    """Run a recorder until told to stop, which it does at once: it has nothing to lose."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    run_recorder(folder)
