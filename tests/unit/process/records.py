"""Short ways to say a log: an event, blocks of events, and folding them into people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from livepost.decide.stage import Campaigns
from livepost.engine.program import Program
from livepost.ids import digest
from livepost.model.block import Block, block_of
from livepost.model.compiled import Compiled
from livepost.model.decision import OutboxItem, Transition
from livepost.model.record import Mention, Record
from livepost.process.batch import Batch
from livepost.process.people import Delta, People
from livepost.process.stage import WAVE, step
from livepost.process.timeline import Timeline, empty_timeline

NOW = 1_767_225_600_000  # 2026-01-01 00:00 UTC: where a day begins
SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000


def subject(letter: str) -> bytes:
    """Return a subject id; small letters are unknown people, capital ones known."""
    return letter.encode() * 16


def mention(letter: str) -> Mention:
    """Return a mention of a subject."""
    return Mention(subject(letter), letter.isupper())


def event(letter: str, message_id: str, name: str = "Viewed", *, mentions: str = "", **rest: Any) -> Record:
    """Return an event of a subject; `mentions` are letters, `effective_ts` NOW unless told otherwise."""
    told = {"effective_ts": NOW, "source": "web", "content_hash": digest("content", message_id)} | rest
    return Record(
        subject=subject(letter),
        known=letter.isupper(),
        message_id=message_id,
        name=name,
        mentions=tuple(mention(other) for other in mentions),
        **told,
    )


def block(first: int, stamp: int, *records: Record) -> Block:
    """Return a block of records with this stamp (ms)."""
    return block_of(records, first, stamp)


def fates(batch: Batch) -> dict[str, int]:
    """Return how many records of a batch ended where, short of where none did."""
    return {fate: count for fate, count in batch.counts.items() if count}


def aside(batch: Batch) -> list[tuple[int, str]]:
    """Return (seq, reason) of what a batch sends to the dead letters."""
    return [(letter.position, letter.reason) for letter in batch.dead]


@dataclass
class Folded:
    """People and what came out on the way, step by step."""

    compiled: Compiled
    people: People = field(init=False)
    timeline: Timeline = field(default_factory=empty_timeline)
    transitions: list[Transition] = field(default_factory=list)
    outbox: list[OutboxItem] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.people = People(Program(self.compiled))
        self._campaigns = Campaigns(self.compiled, "w")

    def step(self, *blocks: Block, wave: int = WAVE) -> Delta:
        """Fold blocks and take over what that changed."""
        delta = self.look(blocks, wave)
        self.people.apply(delta)
        self.transitions += delta.transitions
        self.outbox += delta.outbox
        return delta

    def look(self, blocks: Sequence[Block], wave: int = WAVE) -> Delta:
        """Return what folding the blocks would change; the timeline knows them from then on."""
        self.timeline = self.timeline.extended(list(blocks), keep_from=self.people.complete_to + 1)
        return step(self.people, blocks, self._campaigns, self.timeline, "w", wave)

    def person(self, letter: str) -> int:
        """Return the number of a subject's person."""
        return self.people.number[subject(letter)]
