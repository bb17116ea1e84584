"""A problem that `check` found: how bad, one sentence that says what to do, and where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from livepost.errors import ProjectError


@dataclass(frozen=True)
class Problem:
    """An "error" stops `apply` and `run`, a "warning" does not; `where` is `file:line`, "" if no line is."""

    sentence: str
    where: str = ""
    severity: Literal["error", "warning"] = "error"

    @classmethod
    def of(cls, error: ProjectError) -> Problem:
        """Return an error that was raised as a problem."""
        return cls(str(error).removeprefix(f"{error.where}: "), error.where or "")

    def __str__(self) -> str:
        """Return `file:line: error: sentence`."""
        return f"{self.where or 'project'}: {self.severity}: {self.sentence}"
