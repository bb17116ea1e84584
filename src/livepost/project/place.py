"""Where an author wrote something, as `file:line`, for problems that name their line."""

from __future__ import annotations

import sys
from types import CodeType


def authors_line() -> str:
    """Return `file:line` of the nearest caller outside this package."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__package__") == __package__:
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def line_of(code: CodeType) -> str:
    """Return `file:line` of a function's first line."""
    return f"{code.co_filename}:{code.co_firstlineno}"
