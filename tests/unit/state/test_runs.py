"""An index in sorted runs answers as a plain dictionary does, however commits are cut, and stays short."""

import random
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from livepost.state import runs as module
from livepost.state.file import StateFile
from livepost.state.runs import Run, Runs
from tests.unit.state.files import file_in


class Deaf(Runs):
    """Leaves out the newest run."""

    def numbers(self, key: int) -> Iterator[int]:
        newest, self._runs = self._runs[-1:], self._runs[:-1]
        yield from super().numbers(key)
        self._runs += newest


def write(file: StateFile, runs: Runs, keys: list[int], first: int) -> None:
    with file.transaction():
        written = runs.write(np.array(keys, np.int64), np.arange(first, first + len(keys)))
    runs.apply(written)


def first_wrong(body: type[Runs], folder: Path) -> int | None:
    """Return the first commit after which a key's numbers are others than a dictionary's; None if none is."""
    drawn, model, first = random.Random(11), defaultdict[int, list[int]](list), 1
    with file_in(folder) as file:
        runs = body(file)
        for commit in range(200):
            keys = [
                drawn.choice((7, drawn.randrange(50), drawn.getrandbits(63))) for _ in range(drawn.choice((1, 9, 300)))
            ]
            write(file, runs, keys, first)
            for number, key in enumerate(keys, first):
                model[key].append(number)
            first += len(keys)
            asked = [7, keys[0], drawn.randrange(50), drawn.getrandbits(63)]
            if any([*runs.numbers(key)] != model[key][::-1] for key in asked):
                return commit
            if drawn.random() < 0.1:
                runs = body(file)  # as after a restart
    return None


def test_a_key_has_the_numbers_that_were_written_for_it_the_largest_first(tmp_path: Path) -> None:
    assert first_wrong(Runs, tmp_path) is None


def test_an_index_that_leaves_a_run_out_would_be_found(tmp_path: Path) -> None:
    assert first_wrong(Deaf, tmp_path) == 0


def test_runs_are_few_however_small_the_commits_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RUN_MAX", 256)
    with file_in(tmp_path) as file:
        runs = Runs(file)
        counts = []
        for number in range(1, 2_001):
            write(file, runs, [number % 17], number)
            counts.append(len(file.select("SELECT 1 FROM runs")))
        assert [*runs.numbers(3)] == [n for n in range(2_000, 0, -1) if n % 17 == 3]
        (most,) = file.select("SELECT max(entries) FROM runs")
    assert most[0] <= 256
    assert max(counts) <= 2_000 / 64 + 16


def test_runs_of_nothing_but_forgotten_numbers_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RUN_MAX", 4)
    with file_in(tmp_path) as file:
        runs = Runs(file)
        for first in range(1, 40, 4):
            write(file, runs, [5, 5, 5, 5], first)
        with file.transaction():
            runs.forget(18)
        runs.load()
        assert [*runs.numbers(5)] == [*range(40, 16, -1)]
        assert file.select("SELECT min(run) FROM pieces") == [(17,)]


def test_a_commit_that_is_undone_leaves_the_runs_as_they_were(tmp_path: Path) -> None:
    with file_in(tmp_path) as file:
        runs = Runs(file)
        write(file, runs, [5], 1)
        with pytest.raises(RuntimeError), file.transaction():
            assert runs.write(np.array([5]), np.array([2])) == [Run(1, 2, 2)]
            raise RuntimeError
        assert [*runs.numbers(5)] == [1]
        write(file, runs, [5], 2)
        assert [*runs.numbers(5)] == [2, 1]
