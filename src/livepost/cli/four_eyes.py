"""What a command asks others to approve, before it does what only two people may do together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from livepost.audit.deed import Deed, by_command
from livepost.cli.workspace import note, who
from livepost.clock import WallClock
from livepost.govern.access.rules import load_rules
from livepost.govern.approval.desk import ApprovalNeededError, FourEyes
from livepost.govern.approval.wanted import Wanted
from livepost.runtime.data.folder import DataFolder
from livepost.runtime.data.kept_policy import home_of, take_policy

RELAXED = "policy.toml of the project's folder was changed"
"""Why a relaxed policy is asked for, where nobody says more."""


def require_approval(folder: DataFolder, wanted: Wanted, reason: str) -> None:
    """Return if this may be done now; raise ApprovalNeededError after asking for it, RejectedError without a reason."""
    with four_eyes_of(folder) as desk:
        desk.require(wanted, by_command(who()), reason, lambda deed: note(folder, deed))


@contextmanager
def four_eyes_of(folder: DataFolder) -> Iterator[FourEyes]:
    """Open what waits for approval, by the rules of the project that the house runs with, wherever one stands."""
    rules = load_rules(home_of(folder, Path.cwd()), data=folder.path)
    with closing(folder.control()) as store:
        yield FourEyes(store, rules, WallClock())


def take_policy_here(folder: DataFolder) -> str:
    """Let the house go by the current folder's policy.toml; return "", or what keeps it at the one before."""
    try:
        take_policy(
            folder,
            Path.cwd(),
            lambda wanted: require_approval(folder, wanted, RELAXED),
            lambda: note(folder, Deed("policy.taken")),
        )
    except ApprovalNeededError as error:
        return f"policy.toml is relaxed, and the house goes by the one before: {error}"
    return ""
