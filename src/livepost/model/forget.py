"""What the control record FORGET carries (docs/reference/semantics.md, "Forgetting")."""

from __future__ import annotations

import msgspec


class Forget(msgspec.Struct, frozen=True, kw_only=True):
    """Kind.FORGET: the people of these subjects are nobody from here on.

    The record comes after the last one of any of the subjects, and none comes behind it.
    """

    subjects: tuple[bytes, ...]
