from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from livepost.errors import StoreError
from livepost.state.base import Loaded
from livepost.state.sqlite import SqliteState
from livepost.testing.contracts.state import Held, full_step, held, letter, step, transition

KILLS = 4

WRITER = textwrap.dedent(
    """
    import sys
    from pathlib import Path

    import msgspec

    from livepost.state.pack import NO_ROWS
    from livepost.state.people import Bounds
    from livepost.state.sqlite import SqliteState
    from livepost.testing.contracts.state import full_step, step


    class TornState(SqliteState):
        '''Commits the rows, and then, in another transaction, the rest.'''

        def commit(self, commit):
            super().commit(step(commit.position - 1, rows=[*commit.rows.everybody()]))
            super().commit(msgspec.structs.replace(commit, rows=NO_ROWS))


    body = {"whole": SqliteState, "torn": TornState}[sys.argv[2]]
    packs = Bounds(floor_bytes=0, full_bytes=100, loose_bytes=20, loose_max=3)
    state = body(Path(sys.argv[1]), checkpoint_bytes=200_000, wal_bytes=600_000, packs=packs)
    loaded = state.loaded()
    position = loaded.position if loaded else -1
    if position < 0:
        state.commit(step(-1))
    while True:
        position += 1
        state.commit(full_step(position))
        print(position, flush=True)
    """
)


def test_what_a_killed_engine_told_is_there_and_each_commit_whole(tmp_path: Path) -> None:
    told = [kill_after(acks, tmp_path / "state.db", "whole") for acks in (1, 200, *[30] * (KILLS - 2))]
    found = reopened(tmp_path / "state.db")
    assert found.loaded and found.loaded.position >= told[-1]
    assert told == sorted(set(told))
    assert found == after(found.loaded.position)


def test_with_rows_and_position_in_two_transactions_the_same_kills_leave_a_torn_commit(tmp_path: Path) -> None:
    torn = []
    for number in range(KILLS * 8):
        path = tmp_path / f"state-{number}.db"
        kill_after(20, path, "torn", late_s=number % 8 * 0.0002)
        found = reopened(path)
        assert found.loaded
        torn.append(found != after(found.loaded.position))
        if torn[-1]:
            break
    assert torn[-1]


def after(position: int) -> Held:
    """Return what a store has that took a full step at each position up to this one."""
    rows: dict[int, bytes] = {}
    for number in range(position + 1):
        rows[number % 7] = b"%d" % number
        rows.pop((number + 3) % 7, None)
    texts = [b"%d" % number for number in range(position + 1)]
    whole = full_step(position)
    return Held(
        loaded=Loaded(
            position=position,
            as_of=whole.as_of,
            complete_to=whole.complete_to,
            program=whole.program,
            counts={"processed": position + 1},
            image=str(position // 5 * 5),
        ),
        rows=sorted(rows.items()),
        seen=texts,
        outbox=list(enumerate(texts)),
        transitions=texts[::-1],
        dead=[letter(number, str(number), number + 1) for number in range(position + 1)],
        hours=list(enumerate(texts)),
        steps=[*enumerate(texts)][max(position // 5 * 5 - 1, 0) :],
    )


def reopened(path: Path) -> Held:
    state = SqliteState(path)
    found = held(state)
    state.close()
    return found


def kill_after(acks: int, path: Path, body: str, late_s: float = 0.0) -> int:
    """Start an engine's commits, SIGKILL it after it told of `acks` of them, so much later; return the last position it
    told of.
    """
    with subprocess.Popen([sys.executable, "-c", WRITER, str(path), body], stdout=subprocess.PIPE, text=True) as engine:
        assert engine.stdout
        lines = [engine.stdout.readline() for _ in range(acks)]
        at = time.perf_counter() + late_s
        while time.perf_counter() < at:
            pass
        engine.send_signal(signal.SIGKILL)
        lines += engine.stdout.readlines()
        return [int(line) for line in lines if line.endswith("\n")][-1]


def test_a_step_of_five_thousand_people_among_many_is_one_commit(tmp_path: Path) -> None:
    state = SqliteState(tmp_path / "state.db", checkpoint_bytes=1_000_000)
    state.commit(step(0, rows=[(number, bytes(450)) for number in range(20_000)]))
    changed = [(number, b"%d" % number * 90) for number in range(0, 20_000, 4)]
    state.commit(step(1, rows=[*reversed(changed)]))
    rows = dict(state.rows())
    assert [rows[number] for number in range(0, 20_000, 4)] == [row for _, row in changed]
    assert rows[1] == bytes(450)
    state.close()


def test_a_transition_of_a_person_is_found_by_the_person_though_the_segment_is_asked_for_too(tmp_path: Path) -> None:
    state = SqliteState(tmp_path / "state.db")
    state.commit(step(0, transitions=[transition(n, n.to_bytes(16, "big")) for n in range(5_000)]))
    asked = sum(state.transitions(n.to_bytes(16, "big"), "vip", 9) == [b"%d" % n] for n in range(0, 5_000, 100))
    assert asked == 50
    state.close()


def test_a_commit_that_cannot_be_written_leaves_the_one_before_it(tmp_path: Path) -> None:
    state = SqliteState(tmp_path / "state.db")
    state.commit(full_step(1))
    before = held(state)
    bad = step(2, rows=[(1, b"new")], outbox=[(2, "no bytes")])  # type: ignore[list-item]
    with pytest.raises(StoreError, match="nothing was kept"):
        state.commit(bad)
    assert held(state) == before
    state.close()
