"""Turns one after the other, on a thread of their own, until the house ends."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event

import pytest

from livepost.errors import StoreError
from livepost.runtime.courier import turning as room
from livepost.runtime.courier.turning import Turning, turning

LONG_S = 60.0
PATIENCE_S = 20.0


def test_who_waits_is_woken_and_ends_with_the_house() -> None:
    turns: list[Event] = [Event(), Event()]

    def turn() -> float:
        next(one for one in turns if not one.is_set()).set()
        return LONG_S

    thread = Turning("one", turn, idle_s=LONG_S)
    with turning([thread], PATIENCE_S) as wake:
        assert turns[0].wait(PATIENCE_S)
        assert not turns[1].is_set()
        wake()
        assert turns[1].wait(PATIENCE_S)
    assert not thread.is_alive()


@pytest.mark.parametrize(("error", "said"), [(StoreError("away"), False), (ValueError("a bug"), True)])
def test_an_error_ends_no_thread_and_only_one_that_nobody_thought_of_is_said(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], error: Exception, said: bool
) -> None:
    monkeypatch.setattr(room, "FAULT_S", 0.01)
    errors, again = [error], Event()
    with turning([Turning("one", _failing(errors, again), idle_s=0.01)], PATIENCE_S):
        assert again.wait(PATIENCE_S)
    assert (str(error) in capfd.readouterr().err) == said


def _failing(errors: list[Exception], again: Event) -> Callable[[], float]:
    def turn() -> float:
        if errors:
            raise errors.pop()
        again.set()
        return LONG_S

    return turn
