"""Answers that are kept for a while: many pages ask the same, and what it takes to answer grows with what happened."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Kept(Generic[T]):
    """Answers by name, each for `for_s` seconds; for any thread. One thread makes an answer, the others wait for it."""

    def __init__(self, for_s: float, now: Callable[[], float] = time.monotonic) -> None:
        """Keep none yet."""
        self._for_s = for_s
        self._now = now
        self._answers: dict[str, tuple[float, T]] = {}
        self._making = threading.Lock()

    def get(self, name: str, make: Callable[[], T]) -> T:
        """Return an answer that is not too old, made by `make` if there is none; an error of it is not kept."""
        with self._making:
            found = self._answers.get(name)
            if found is not None and self._now() - found[0] < self._for_s:
                return found[1]
            answer = make()
            self._answers[name] = self._now(), answer
            return answer
