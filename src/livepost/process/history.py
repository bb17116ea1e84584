"""The history that a SEED or an UNLINK brings, folded into people. It adds to what came live, in any order."""

from __future__ import annotations

from collections.abc import Sequence

from livepost.engine.program import Reading
from livepost.engine.row import packed_tiles
from livepost.engine.subjects import NOBODY
from livepost.engine.tiles import SECOND_MS
from livepost.engine.window import merged_tiles
from livepost.model.change import Seed, SeedState, Tile
from livepost.process.people import People
from livepost.process.working import Working


def bring_subjects(seed: Seed, people: People, work: Working) -> list[tuple[int, SeedState]]:
    """Bring in the people of a seed's subjects; return each's local number with the state to fold.

    A subject that is nobody's is left out: the engine began behind its records.
    """
    numbers = people.number.find([subject for subject, _ in seed.people]).tolist()
    known = [(number, state) for number, (_, state) in zip(numbers, seed.people, strict=True) if number != NOBODY]
    return list(zip(work.bring(number for number, _ in known), [state for _, state in known], strict=True))


def fold(seed: Seed, states: Sequence[tuple[int, SeedState]], work: Working) -> None:
    """Fold the states into the people in work; a feature that nobody waits for brings nothing."""
    reading = work.program.warming.get(seed.feature)
    if reading is not None:
        fold_states(reading, states, work)


def fold_states(reading: Reading, states: Sequence[tuple[int, SeedState]], work: Working) -> None:
    """Fold states of one feature into the people (local numbers) they are of."""
    if reading.pick is not None:
        for local, state in states:
            _join_pick(work, local, reading.pick, state)
    elif reading.last is not None:
        for local, state in states:
            lasts = work.fixed["lasts"][local]
            lasts[reading.last] = max(int(lasts[reading.last]), _newest(state))
    elif reading.windowed:
        _add_tiles(work, reading, states)
    else:
        for local, state in states:
            _add(work, local, reading, state)


def _add_tiles(work: Working, reading: Reading, states: Sequence[tuple[int, SeedState]]) -> None:
    """Add everybody's tiles at once: calls of numpy for each would take most of a seed's time."""
    whole: dict[int, bytes] = {}
    for local, state in states:  # two subjects may be one person by now
        brought = [(slot, *tile) for name, slot in _slots(reading) for tile in state.get(name, [])]
        whole[local] = whole.get(local, work.tiles[local]) + packed_tiles(brought)
    for local, tiles in zip(whole, merged_tiles(list(whole.values())), strict=True):
        work.tiles[local] = tiles


def _add(work: Working, local: int, reading: Reading, state: dict[str, list[Tile]]) -> None:
    for name, slot in _slots(reading):
        work.fixed["sums"][local, slot] += sum(value for _, value in state.get(name, []))


def _slots(reading: Reading) -> list[tuple[str, int]]:
    """Return the slots of a feature's sums, by name."""
    slots = (("total", reading.total), ("count", reading.count))
    return [(name, slot) for name, slot in slots if slot is not None]


def _newest(state: SeedState) -> int:
    """Return the newest time (ms) of a `since` or `exists`: it is told as a time, as tiles, or as records."""
    if isinstance(state, int):
        return state
    if isinstance(state, dict):
        return max(start for start, _ in state["count"]) * SECOND_MS
    return max(int(entry[0]) for entry in state)


def _join_pick(work: Working, local: int, number: int, state: SeedState) -> None:
    pick, held = work.program.picks[number], work.picks(local)
    assert pick is not None
    held[number] = pick.join(held[number], pick.seeded(state))
    work.set_picks(local, held)
