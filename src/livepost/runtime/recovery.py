"""People as the state's last commit left them, made of an image and the steps since.

In: an image, the steps committed after it, the log. Out: people, and the timeline for the next step. Promises: the same
steps are done again, each over the same blocks, so people come out to the byte as they were; nothing is emitted; a step
that does not come out the same is found and told (`OtherwiseError`), never gone on from.
"""

from __future__ import annotations

from collections import deque

import msgspec

from livepost.decide.stage import Campaigns
from livepost.errors import StoreError
from livepost.log.base import LogReader
from livepost.model.block import Block, first_of
from livepost.process.people import People
from livepost.process.stage import step
from livepost.process.timeline import Timeline, empty_timeline
from livepost.runtime.committing import TRANSITIONS, commit_of, seen_of
from livepost.runtime.sweep import Taken, about_of, digest_of
from livepost.state.base import Loaded, StateStore
from livepost.state.image import Images

BLOCKS_AT_ONCE = 5_000
"""Records of the log read at once for the timeline."""


class OtherwiseError(StoreError):
    """A step done again came out otherwise: this Livepost is not the one that did it, or the log is another one."""


class Recovery:
    """What it takes to do steps again: the project's campaigns, its workspace, the log."""

    def __init__(self, campaigns: Campaigns, workspace: str, log: LogReader) -> None:
        self._campaigns = campaigns
        self._workspace = workspace
        self._log = log

    def recover(self, people: People, store: StateStore, images: Images, loaded: Loaded) -> tuple[Timeline, int]:
        """Bring new `people` to the store's last commit; return the timeline up to there, and the next step's number.

        Raises OtherwiseError if a step comes out otherwise, StoreError if image, state or log cannot be read.
        """
        about = about_of(images, loaded.image)
        steps = [(number, msgspec.msgpack.decode(body, type=Taken)) for number, body in store.steps()]
        for piece in images.pieces(loaded.image):
            people.load_piece(piece)
        people.make_room(about.people)
        _remember(people, store, sum(taken.seen for _, taken in steps))
        set_place(people, about.loaded)
        timeline = timeline_of(self._log, about.loaded.complete_to, about.loaded.position)
        for number, taken in steps:
            timeline = self._again(people, timeline, number, taken)
        if (people.position, people.as_of, people.complete_to) != (loaded.position, loaded.as_of, loaded.complete_to):
            raise OtherwiseError(
                f"expected the steps since the image to end at position {loaded.position}, they end at "
                f"{people.position}; restore state and log from one backup, or have the state rebuilt from the log"
            )
        return timeline, max((number + 1 for number, _ in steps), default=about.step)

    def _again(self, people: People, timeline: Timeline, number: int, taken: Taken) -> Timeline:
        """Do a step again; return the timeline with its blocks."""
        records = taken.position - people.position
        blocks = first_records(self._log.read(people.position, records), records) if records else []
        timeline = timeline.extended(blocks, keep_from=people.complete_to + 1)
        delta = step(people, blocks, self._campaigns, timeline, self._workspace, taken.wave, taken.failing)
        if digest_of(commit_of(delta, people.program.hash, rows=False)) != taken.digest:
            raise OtherwiseError(
                f"expected step {number}, up to position {taken.position}, to come out as it did before, it did not; "
                "the state has to be rebuilt from the log"
            )
        people.apply(delta)
        return timeline


def first_records(blocks: list[Block], at_most: int) -> list[Block]:
    """Return what the blocks have of the first `at_most` records; the last block may be cut."""
    kept: list[Block] = []
    for block in blocks:
        room = at_most - sum(one.count for one in kept)
        if room > 0:
            kept.append(first_of(block, room))
    return kept


def timeline_of(log: LogReader, after: int, upto: int) -> Timeline:
    """Return the timeline of the log's blocks from the one behind seq `after` to the one that ends at `upto`."""
    timeline = empty_timeline()
    while after < upto:
        blocks = log.read(after, min(BLOCKS_AT_ONCE, upto - after))
        timeline = timeline.extended(blocks, keep_from=0)
        after = blocks[-1].first + blocks[-1].count - 1
    return timeline


def set_place(people: People, loaded: Loaded) -> None:
    """Let people be where a commit came to."""
    people.position, people.as_of, people.complete_to = loaded.position, loaded.as_of, loaded.complete_to
    people.begin_counts({name: count for name, count in loaded.counts.items() if name != TRANSITIONS})


def _remember(people: People, store: StateStore, later: int) -> None:
    """Remember all dedupe entries but those of so many steps, the last ones."""
    waiting: deque[bytes] = deque()
    for entries in store.seen():
        waiting.append(entries)
        if len(waiting) > later:
            people.seen.remember(*seen_of(waiting.popleft()))
