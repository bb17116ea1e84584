from __future__ import annotations

import pytest

from livepost.errors import StoreError
from livepost.state.memory import MemoryState
from livepost.testing.contracts.state import full_step, held, step


def test_a_commit_that_would_not_fit_is_refused_whole_and_one_that_fits_is_taken() -> None:
    state = MemoryState(capacity=8)
    state.commit(full_step(0))
    before = held(state)
    with pytest.raises(StoreError, match="at most 8 things in a state in memory, got a commit of 2 more"):
        state.commit(step(1, rows=[(1, b""), (2, b"")]))
    assert held(state) == before
    state.commit(step(1, rows=[(1, b"")]))
    assert len(held(state).rows) == 2
