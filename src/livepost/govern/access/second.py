"""Four eyes: what one asks for, another approves.

In: who asked, who would approve, how many users the house has. Out: whether that is a second pair of eyes. Promised:
pure; where there is more than one user, only a user who did not ask is one.

A program's key is nobody's eyes, and neither is a command: whoever runs commands on the house's machine could write
anything into its files. In a house of one there is no second pair; that is allowed, and said in the audit.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal, TypeAlias

from livepost.model.principal import USER

Eyes: TypeAlias = Literal["two", "alone", "same", "nobody"]
"""Another user; a house of one; the one who asked; no user at all."""

"""What the audit's name of a user begins with."""


def eyes(asked_by: str, by: str, users: int) -> Eyes:
    """Return whose eyes `by` are on what `asked_by` asked for, in a house with so many users.

    >>> eyes("user:1", "user:2", 2), eyes("user:1", "user:1", 2), eyes("user:1", "key:server", 2)
    ('two', 'same', 'nobody')
    >>> eyes("console", "console", 0)
    'alone'
    """
    if users <= 1:
        return "alone"
    if not by.startswith(USER):
        return "nobody"
    return "same" if by == asked_by else "two"


def approvals_wanted(asked_by: str, approvers: Collection[str]) -> int:
    """Return how many of those who could approve have to, so that two people know of it; 0 where there are no two.

    Whoever asks by a command or a key could be any user, so two users have to.

    >>> approvals_wanted("user:1", {"user:1", "user:2"}), approvals_wanted("command:ann", {"user:1", "user:2"})
    (1, 2)
    >>> approvals_wanted("user:1", {"user:1"}), approvals_wanted("user:3", {"user:1"}), approvals_wanted("cli", set())
    (0, 1, 0)
    """
    if asked_by.startswith(USER):
        return 1 if any(one != asked_by for one in approvers) else 0
    return 2 if len(approvers) > 1 else 0
