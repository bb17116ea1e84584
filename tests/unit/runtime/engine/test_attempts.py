from __future__ import annotations

from pathlib import Path

import pytest

from livepost.runtime.engine.attempts import ATTEMPTS_MAX, Attempts

MAX = 100
FAULT = KeyError("a value that nobody may read")


def tried(attempts: Attempts, poison: int, records: int) -> list[tuple[int, int]]:
    """Step through `records` of which one fails; return (seq, attempts so far) of those set aside."""
    after, count, aside = -1, 0, []
    while after < records - 1:
        taken = min(attempts.at_most, records - 1 - after)
        left_out = attempts.begin(after, taken)
        count += 1
        if after < poison <= after + taken and poison not in left_out:
            attempts.fail(FAULT)
            continue
        aside += [(seq, count) for seq in left_out]
        attempts.succeed()
        after += taken
    return aside


@pytest.mark.parametrize("poison", [0, 1, 49, 50, 98, 99])
def test_one_record_that_fails_is_found_by_halving_and_left_out(poison: int) -> None:
    (aside,) = tried(Attempts(MAX), poison, records=MAX)
    assert aside[0] == poison
    assert aside[1] < 40


def test_the_reason_names_the_error_and_no_value() -> None:
    attempts = Attempts(MAX)
    attempts.begin(6, 1)
    attempts.fail(FAULT)
    assert attempts.begin(6, 1) == {
        7: "handler error: KeyError in the engine; mend what reads the event, then replay it"
    }


def test_steps_grow_again_up_to_their_bound() -> None:
    attempts = Attempts(MAX)
    attempts.begin(-1, MAX)
    attempts.fail(FAULT)
    assert attempts.at_most == MAX // 2
    attempts.succeed()
    attempts.succeed()
    assert attempts.at_most == MAX


def test_an_error_that_is_no_records_fault_comes_out() -> None:
    attempts = Attempts(MAX)
    attempts.begin(5, 0)
    with pytest.raises(KeyError):
        attempts.fail(FAULT)
    attempts.begin(5, 1)
    attempts.fail(FAULT)
    assert attempts.begin(5, 1) != {}
    with pytest.raises(KeyError):
        attempts.fail(FAULT)


def dies(file: Path, after: int) -> tuple[int, dict[int, str]]:
    """Let a process begin a step and die in it; return how many records it tried, and what it left out."""
    attempts = Attempts(MAX, file)
    attempts.resume(after)
    taken = attempts.at_most
    left_out = attempts.begin(after, taken)
    attempts.close()
    return taken, left_out


def test_a_death_counts_as_a_failed_attempt_and_a_record_alone_may_cause_three(tmp_path: Path) -> None:
    tries = [dies(tmp_path / "attempt", after=41) for _ in range(11)]
    assert [taken for taken, _ in tries] == [100, 50, 25, 12, 6, 3, 1, 1, 1, 1, 1]
    assert [bool(left_out) for _, left_out in tries] == [False] * (6 + ATTEMPTS_MAX) + [True] * 2
    assert tries[-1][1][42].startswith("handler error: it ended the engine's process")


def test_a_death_elsewhere_is_forgotten(tmp_path: Path) -> None:
    dies(tmp_path / "attempt", after=41)
    assert dies(tmp_path / "attempt", after=60) == (MAX, {})


def test_a_death_with_no_records_at_hand_blames_none(tmp_path: Path) -> None:
    attempts = Attempts(MAX, tmp_path / "attempt")
    attempts.begin(41, 0)
    attempts.close()
    assert dies(tmp_path / "attempt", after=41) == (MAX, {})


def test_a_file_of_another_length_tells_nothing(tmp_path: Path) -> None:
    (tmp_path / "attempt").write_bytes(b"cut")
    assert dies(tmp_path / "attempt", after=41) == (MAX, {})
