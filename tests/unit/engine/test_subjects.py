"""Whose each subject is."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import islice

import numpy as np
import pytest

from livepost.engine.subjects import NOBODY, Ints, Subjects


def subjects(count: int, seed: int = 1) -> list[bytes]:
    """Return random subjects."""
    raw = np.random.default_rng(seed).bytes(16 * count)
    return [raw[at : at + 16] for at in range(0, len(raw), 16)]


def small_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a few subjects already be many."""
    monkeypatch.setattr("livepost.engine.subjects.NEWEST", 4)
    monkeypatch.setattr("livepost.engine.subjects.FANOUT", 3)
    monkeypatch.setattr("livepost.engine.subjects.RUN_MAX", 120)


def a_life(some: Subjects) -> Iterator[tuple[dict[bytes, int], list[bytes], list[int]]]:
    """Yield, step for step, what a dictionary says, who was asked for, and what is found: subjects come, get another
    person as in a merge, become nobody's, and come again; of these some share their first half.
    """
    dice, said = np.random.default_rng(7), dict[bytes, int]()
    everybody = subjects(300) + [b"samehalf" + number.to_bytes(8, "big") for number in range(100)]
    for step in range(400):
        drawn = [everybody[place] for place in dice.choice(len(everybody), dice.integers(1, 30), replace=False)]
        if step % 5 == 4:
            some.forget(drawn)
            said = {subject: number for subject, number in said.items() if subject not in drawn}
        else:
            numbers = {subject: int(dice.integers(1_000)) for subject in drawn[: 3 if step % 2 else 30]}
            some.take(numbers)
            said |= numbers
        yield said, everybody, some.find(everybody).tolist()


def says_what_a_dictionary_says(some: Subjects) -> bool:
    """Say whether everybody is found at each step as a dictionary has them."""
    return all(found == [said.get(subject, NOBODY) for subject in asked] for said, asked, found in a_life(some))


def test_it_says_what_a_dictionary_says_while_subjects_come_and_change_hands(monkeypatch: pytest.MonkeyPatch) -> None:
    small_runs(monkeypatch)
    assert says_what_a_dictionary_says(Subjects())


def test_it_says_so_within_the_bounds_it_has() -> None:
    assert says_what_a_dictionary_says(Subjects())


class WithoutNewest(Subjects):
    """Passes over what no run has yet."""

    def find(self, subjects: Collection[bytes]) -> Ints:
        """Find in runs only."""
        return self._in_runs(subjects)


class WithoutLastRun(Subjects):
    """Passes over the newest run."""

    def _in_runs(self, subjects: Collection[bytes]) -> Ints:
        runs = self._runs
        try:
            self._runs = runs[:-1]
            return super()._in_runs(subjects)
        finally:
            self._runs = runs


class Appending(Subjects):
    """Lets a subject stand in two runs, of which the older is asked first."""

    def _settle(self) -> None:
        runs, self._runs = self._runs, []
        super()._settle()
        self._runs = [*runs, *self._runs]


class WithoutSecondHalves(Subjects):
    """Takes subjects for the same that share their first half."""

    def take(self, numbers: dict[bytes, int]) -> None:  # type: ignore[override]
        """Cut the second half off."""
        super().take({subject[:8] + bytes(8): number for subject, number in numbers.items()})

    def find(self, subjects: Collection[bytes]) -> Ints:
        """Look for the first half."""
        return super().find([subject[:8] + bytes(8) for subject in subjects])


@pytest.mark.parametrize("faulty", [WithoutNewest, WithoutLastRun, Appending, WithoutSecondHalves])
def test_one_that_passes_over_something_would_be_found(monkeypatch: pytest.MonkeyPatch, faulty: type[Subjects]) -> None:
    small_runs(monkeypatch)
    assert not says_what_a_dictionary_says(faulty())


def test_it_is_read_as_a_dictionary_is(monkeypatch: pytest.MonkeyPatch) -> None:
    small_runs(monkeypatch)
    some, said = Subjects(), dict[bytes, int]()
    for said, asked, _ in islice(a_life(some), 150):
        assert [some.get(subject) for subject in asked[::40]] == [said.get(subject) for subject in asked[::40]]
    assert (dict(some), len(some)) == (said, len(said))
    nobodys = next(subject for subject in asked if subject not in said)
    assert nobodys not in some
    with pytest.raises(KeyError):
        some[nobodys]


def test_nobody_is_found_where_there_is_nobody() -> None:
    assert Subjects().find(subjects(3)).tolist() == [NOBODY] * 3
    assert Subjects().find([]).tolist() == []
    assert Subjects() == {}


def test_a_subject_that_comes_twice_in_one_question_is_found_twice() -> None:
    some, (one, other) = Subjects(), subjects(2)
    some.take({one: 5})
    assert some.find([one, other, one]).tolist() == [5, NOBODY, 5]


@pytest.mark.parametrize("a_call", [3, 20, 5_000])
def test_a_subject_takes_twenty_bytes_but_for_a_few_that_are_newest(a_call: int) -> None:
    some, many = Subjects(), subjects(15_000)
    for begin in range(0, len(many), a_call):
        some.take({subject: begin + place for place, subject in enumerate(many[begin : begin + a_call])})
        assert len(some._newest) <= 256
    assert some.nbytes == 20 * (len(many) - len(some._newest))
    assert some.find(many).tolist() == list(range(len(many)))


def test_there_are_few_runs_and_none_is_longer_than_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("livepost.engine.subjects.RUN_MAX", 10_000)
    some, many = Subjects(), subjects(40_000)
    for begin in range(0, len(many), 20):
        some.take(dict.fromkeys(many[begin : begin + 20], begin))
        assert max(map(len, some._runs), default=0) <= 10_000
        assert len(some._runs) <= 4 + 2


def test_who_is_nobodys_any_more_takes_no_room_once_runs_are_merged(monkeypatch: pytest.MonkeyPatch) -> None:
    small_runs(monkeypatch)
    some, many = Subjects(), subjects(60)
    some.take(dict.fromkeys(many, 1))
    some.forget(many[:50])
    some.take(dict.fromkeys(subjects(40, seed=2), 2))
    assert (len(some), some.nbytes) == (50, 20 * 50)
