"""Picks in a row: what is folded, what waits, and that both read the same."""

from __future__ import annotations

import pytest

from livepost.engine import picks
from livepost.engine.pick import PICKS
from livepost.engine.picks import WAITING_MAX, WAITING_MOST
from livepost.engine.program import Program
from livepost.model.compiled import Compiled, FeatureKind, FeatureSpec

SECOND = 1_000
NOW = 1_767_225_600_000  # a whole minute


def spec(kind: FeatureKind, n: int | None = None) -> FeatureSpec:
    return FeatureSpec(name="p", kind=kind, event="E", field="f", n=n, type="str")


def test_picks_come_back_as_they_were_encoded_and_nothing_takes_no_room() -> None:
    program = Program(Compiled(features=(spec("latest"),)))
    held = [[[5, "m", "a"]]]
    assert picks.decode(picks.encode(held), program) == held
    assert picks.encode([[], []]) == b""
    assert picks.decode(b"", program) == [[]]


def waiting(count: int, value: object = "a") -> list[bytes]:
    """Return what so many records bring to pick 0, a second apart."""
    numbers = range(count)
    times, message_ids = [NOW + n * SECOND for n in numbers], [f"m{n:04}" for n in numbers]
    return picks.brought(times, message_ids, [[0]], [[value] * count])


def append(raw: bytes, more: list[bytes], program: Program) -> bytes:
    """Return picks with what more records brought, folded where it is too much."""
    longer = picks.appended(raw, b"".join(more), len(more))
    return picks.folded(longer, program) if picks.is_full(*picks.sizes(longer)) else longer


def parts_of(raw: bytes) -> int:
    return int.from_bytes(raw[:4], "big")


def test_what_waits_in_a_row_is_read_as_if_it_were_folded() -> None:
    program = Program(Compiled(features=(spec("top", 2),)))
    raw = append(b"", waiting(3, "a"), program)
    raw = append(raw, waiting(2, "b"), program)
    assert program.picks[0].value(picks.decode(raw, program)[0], NOW) == ["a", "b"]


def test_one_record_more_than_may_wait_has_all_folded() -> None:
    program = Program(Compiled(features=(spec("latest"),)))
    raw = append(b"", waiting(WAITING_MAX), program)
    assert parts_of(raw) == 1 + WAITING_MAX
    (later,) = waiting(WAITING_MAX + 1)[-1:]
    assert parts_of(append(raw, [later], program)) == 1


def test_beside_a_large_state_as_much_may_wait_as_takes_the_same_room() -> None:
    program = Program(Compiled(features=(spec("top", 2),)))
    large = picks.encode([program.picks[0].fold([], [(NOW, str(n), f"value {n}") for n in range(500)])])
    raw = append(large, waiting(10 * WAITING_MAX), program)
    assert parts_of(raw) == 1 + 10 * WAITING_MAX
    assert len(raw) <= 2 * len(large)
    assert parts_of(append(raw, waiting(500), program)) == 1


def test_however_large_the_state_no_more_waits_than_a_row_can_count() -> None:
    assert not picks.is_full(WAITING_MOST, 1, 10**9)
    assert picks.is_full(WAITING_MOST + 1, 1, 10**9)


def test_a_record_that_feeds_one_pick_leaves_the_others_never() -> None:
    program = Program(Compiled(features=(spec("latest"), spec("recent", 2))))
    raw = append(b"", picks.brought([NOW], ["m"], [[1]], [["x"]]), program)
    read = zip(program.picks, picks.decode(raw, program), strict=True)
    assert [pick.value(held, NOW) for pick, held in read] == [None, ["x"]]


@pytest.mark.parametrize("kind", PICKS)
def test_every_kind_folds_what_waits_as_what_comes_at_once(kind: FeatureKind) -> None:
    program = Program(Compiled(features=(spec(kind, 3),)))
    entries = [(NOW + n, f"m{n:03}", n % 7) for n in range(5 * WAITING_MAX)]
    raw = b""
    for ts, message_id, value in entries:
        raw = append(raw, picks.brought([ts], [message_id], [[0]], [[value]]), program)
    pick = program.picks[0]
    assert pick.value(picks.decode(raw, program)[0], NOW) == pick.value(pick.fold([], entries), NOW)
