"""What a rule found: a sentence, its place, how bad it is; and the report of all rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal, TypeAlias

import msgspec

Severity: TypeAlias = Literal["error", "warning"]
State: TypeAlias = Literal["holds", "warned", "broken", "not_yet"]
"""How a rule fares: `not_yet` has nothing to look at in this version."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong, in a sentence that says what to do; `where` is `file:line`, or the file."""

    rule: str
    sentence: str
    where: str = ""
    severity: Severity = "error"

    def __str__(self) -> str:
        """Return `file:line: error PC01: sentence`."""
        return f"{self.where or 'project'}: {self.severity} {self.rule}: {self.sentence}"


class Found(msgspec.Struct, frozen=True):
    """What a rule says of one thing; its number is added by whoever asks the rule."""

    sentence: str
    where: str = ""
    severity: Severity = "error"


class Rule(msgspec.Struct, frozen=True):
    """A rule: its number, what it asks for, and what looks; `not_yet` says why it has nothing to look at yet."""

    id: str
    title: str
    look: Callable[[Any], Iterator[Found]]
    not_yet: str = ""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How one rule fares."""

    rule: str
    title: str
    state: State
    note: str = ""
    findings: Sequence[Finding] = ()


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """How all rules fare, in their order."""

    outcomes: Sequence[Outcome]

    @property
    def findings(self) -> list[Finding]:
        """All that was found."""
        return [one for outcome in self.outcomes for one in outcome.findings]

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong; a warning is nothing wrong."""
        return not any(one.severity == "error" for one in self.findings)
