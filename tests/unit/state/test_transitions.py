"""Transitions in the state file are those that were committed, whoever is asked for, and none that is forgotten."""

import random
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import pytest

from livepost.state import transitions as module
from livepost.state.base import TransitionRow
from livepost.state.file import StateFile
from livepost.state.memory import MemoryState
from livepost.state.transitions import Transitions
from livepost.testing.contracts.state import step
from tests.unit.state.files import file_in

PEOPLE = [bytes([n]) * 16 for n in range(1, 6)]
"""Their two halves are the same, so they all have one key: only what is kept tells them apart."""

OTHERS = [bytes(8) + n.to_bytes(8, "big") for n in range(40)]
SEGMENTS = ["vip", "keen", "left_cart"]


class Careless(Transitions):
    """Takes whoever has the key."""

    def newest(self, person: bytes | None, segment: str | None, limit: int) -> list[bytes]:
        return [row.body for row in islice(self._candidates(person, segment), limit)]


def test_it_answers_as_the_memory_body_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TOGETHER", 7)
    assert first_wrong(Transitions, tmp_path) is None


def test_one_that_takes_whoever_has_the_key_would_be_found(tmp_path: Path) -> None:
    assert first_wrong(Careless, tmp_path) is not None


def first_wrong(body: type[Transitions], folder: Path) -> int | None:
    """Commit, forget and ask; return the first commit after which an answer is not the memory body's."""
    drawn, model, last = random.Random(3), MemoryState(), 0
    with file_in(folder) as file:
        kept = body(file)
        for commit in range(150):
            rows = [row_of(drawn, commit) for _ in range(drawn.choice((0, 1, 3, 40)))]
            model.commit(step(commit, transitions=rows))
            write(file, kept, rows, last + 1)
            last += len(rows)
            if drawn.random() < 0.1:
                before = commit - drawn.randrange(40)
                with file.transaction():
                    count = kept.forget(before)
                kept.load()
                if count != model.forget_transitions(before):
                    return commit
            person, segment = drawn.choice([None, *PEOPLE, *OTHERS]), drawn.choice([None, *SEGMENTS])
            limit, number = drawn.choice((1, 5, 1_000)), drawn.randrange(last + 2)
            asked = kept.newest(person, segment, limit), kept.after(number, limit), kept.last()
            told = model.transitions(person, segment, limit), model.transitions_after(number, limit)
            if asked[:2] != told or (kept.first() is not None and asked[2] != last):
                return commit
    return None


def row_of(drawn: random.Random, commit: int) -> TransitionRow:
    at = commit + drawn.randrange(5)
    return TransitionRow(drawn.choice(PEOPLE + OTHERS), drawn.choice(SEGMENTS), at, drawn.randbytes(8))


def write(file: StateFile, kept: Transitions, rows: Sequence[TransitionRow], first: int) -> None:
    with file.transaction():
        written = kept.write(first, rows)
    kept.apply(written)
