"""The stage: one pure function from (people, blocks) to a `Delta`. STEPS is the order of things.

The first five steps run once over the batch; `features` and `segments` run in rounds (rounds.py), because a person's
due times fall between their records.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import attrgetter

from livepost.engine.seen import DAY_MS
from livepost.model.block import Block
from livepost.model.change import Seed
from livepost.model.decision import OutboxItem
from livepost.model.lateness import TOO_LATE, not_fresh_key
from livepost.model.unlink import Unlink
from livepost.process.batch import Batch, batch_of
from livepost.process.deciding import Decider
from livepost.process.decode import decode
from livepost.process.dedupe import dedupe
from livepost.process.enrich import enrich
from livepost.process.feeds import Feeds
from livepost.process.forgetting import bring_forgotten, forget
from livepost.process.history import bring_subjects, fold
from livepost.process.identify import Level, identify
from livepost.process.lateness import count_lateness
from livepost.process.parting import bring_parts, part
from livepost.process.people import Delta, People
from livepost.process.rounds import Rounds
from livepost.process.timeline import Timeline
from livepost.process.validate import NOTHING, validate
from livepost.process.working import Working

_position = attrgetter("position")

STEPS = ("decode", "validate", "dedupe", "identify", "enrich", "features", "segments")

WAVE = 500
"""Most people whose due times one step serves beside its records, so that a wave never stalls live events: some 12 ms
of work with a decision each. `runtime.engine.waves` takes fewer where that takes longer (docs/reference/bench.md).
"""


def step(
    people: People,
    blocks: Sequence[Block],
    decider: Decider,
    timeline: Timeline,
    workspace: str,
    wave: int = WAVE,
    failing: Mapping[int, str] = NOTHING,
    *,
    until: int | None = None,
    seed: Seed | None = None,
    unlink: Unlink | None = None,
    forgotten: Sequence[bytes] = (),
) -> Delta:
    """Fold blocks into people and serve due times up to the last stamp; change nothing, return what changes.

    blocks    consecutive, from people.position + 1 on; together at most a day of stamps (dedupe). Maybe none:
              then only due times up to `people.as_of` are served.
    timeline  covers the blocks and reaches back to the oldest due time not yet served
    failing   records on which a step fails, by seq, with the reason: they go to the dead letters
    until     how far (ms) due times are served, where that is not the last stamp
    seed      the history that the blocks bring
    unlink    what the only record of the blocks makes two people of; it applies (`process.parting`)
    forgotten whose people the only record of the blocks takes away, by their subjects

    Raises ValueError if the blocks span more than a day.
    """
    if blocks and blocks[-1].stamp - blocks[0].stamp > DAY_MS:
        raise ValueError(
            f"expected blocks within a day of stamps, got {blocks[-1].stamp - blocks[0].stamp} ms; cut them"
        )
    batch = batch_of(blocks)
    work = Working(people)
    position = int(batch.seq[-1]) if len(batch) else people.position
    as_of = until if until is not None else int(batch.stamp[-1]) if len(batch) else people.as_of
    decode(batch)
    validate(batch, failing)
    keys, contents, days = dedupe(batch, people.seen)
    levels, merges = identify(batch, people, work)
    states = [] if seed is None else bring_subjects(seed, people, work)
    parts = None if unlink is None else bring_parts(unlink, people, work)
    gone = bring_forgotten(forgotten, people, work)
    done = _bring_wave(people, work, as_of, wave)
    work.open()
    enrich(batch)
    rounds = Rounds(work, batch, Feeds(batch, people.program), decider, timeline, workspace, people.ready_at)
    forget(gone, as_of, rounds, work)
    _fold_levels(levels, as_of, rounds, work, batch, decider)
    parted: list[OutboxItem] = [] if parts is None else part(parts, as_of, position, rounds, work, decider)
    if seed is not None:
        fold(seed, states, work)
    return Delta(
        position=position,
        as_of=as_of,
        complete_to=position if done else people.complete_to,
        changed=work.changed(),
        keys=keys,
        contents=contents,
        days=days,
        transitions=sorted(rounds.made.transitions, key=_position),
        outbox=sorted([*merges, *parted, *rounds.made.outbox], key=_position),  # who is one or two is told first
        dead=batch.dead,
        replayed=[(letter, int(batch.seq[place])) for place, letter in batch.replays.items()],
        counts=_counts(batch, rounds),
    )


def _fold_levels(
    levels: Sequence[Level], as_of: int, rounds: Rounds, work: Working, batch: Batch, decider: Decider
) -> None:
    """Fold each level's records behind its merges; due times up to `as_of` come with the last."""
    *earlier, last = levels
    for level in earlier:
        _join(level, rounds, work, batch, decider)
        rounds.records(level.owners, level.places)
    _join(last, rounds, work, batch, decider)
    rounds.records_and_due_times(last.owners, last.places, as_of)


def _join(level: Level, rounds: Rounds, work: Working, batch: Batch, decider: Decider) -> None:
    """Make a level's merges, each person's due times served before."""
    pairs = [local for joining in level.joinings for local in (joining.winner, joining.loser)]
    rounds.due_times(pairs, [int(batch.stamp[joining.place]) for joining in level.joinings for _ in range(2)])
    for joining in level.joinings:
        journal = decider.join(work.journal(joining.winner), work.journal(joining.loser))
        work.join(joining.winner, joining.loser)
        rounds.note(joining.place)
        work.set_journal(joining.winner, journal)
        work.fixed["journey"][joining.winner] = decider.due(journal)


def _counts(batch: Batch, rounds: Rounds) -> dict[str, int]:
    """Return what a step adds to the totals: the fates of its events, how late they came, and what that cost."""
    return {
        **batch.counts,
        "processed": int(batch.alive.sum()),
        TOO_LATE: batch.too_late,
        **count_lateness(batch),
        **{not_fresh_key(campaign): count for campaign, count in rounds.made.not_fresh.items()},
    }


def _bring_wave(people: People, work: Working, as_of: int, limit: int) -> bool:
    """Bring in up to `limit` others who are due by `as_of` (ms); say whether these are all."""
    others = [n for n in people.due(as_of, limit + 1 + len(work)).tolist() if not work.has(n)]
    work.bring(others[:limit])
    return len(others) <= limit
