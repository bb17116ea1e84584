"""A process that dies as it has done a step."""

from __future__ import annotations

from collections.abc import Callable


class DiedError(Exception):
    """Stands for the end of the process."""


def dies_behind(step: str) -> Callable[[str], None]:
    """Return what dies when it hears that a step is done."""

    def die(passed: str) -> None:
        if passed == step:
            raise DiedError

    return die
