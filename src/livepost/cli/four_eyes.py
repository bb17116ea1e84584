"""What a command asks others to approve, before it does what only two people may do together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from livepost.audit.deed import by_command
from livepost.cli.workspace import note, who
from livepost.clock import WallClock
from livepost.govern.access.rules import load_rules
from livepost.govern.approval.desk import FourEyes
from livepost.govern.approval.wanted import Wanted
from livepost.runtime.data.folder import DataFolder


def require_approval(folder: DataFolder, wanted: Wanted, reason: str) -> None:
    """Return if this may be done now; raise ApprovalNeededError after asking for it, RejectedError without a reason."""
    with four_eyes_of(folder) as desk:
        desk.require(wanted, by_command(who()), reason, lambda deed: note(folder, deed))


@contextmanager
def four_eyes_of(folder: DataFolder) -> Iterator[FourEyes]:
    """Open what waits for approval, by the rules of the project in the current folder."""
    with closing(folder.control()) as store:
        yield FourEyes(store, load_rules(Path.cwd()), WallClock())
