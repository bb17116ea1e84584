"""People as the state's last commit left them, made of an image and the steps since.

In: an image, the steps committed after it, the log. Out: people, and the timeline for the next step. Promises: the same
steps are done again, each over the same blocks, so people come out to the byte as they were; nothing is emitted; a step
that does not come out the same is found and told (`OtherwiseError`), never gone on from.
"""

from __future__ import annotations

from collections import deque

import msgspec

from livepost.errors import StoreError
from livepost.log.base import LogReader
from livepost.process.changing import kept_of
from livepost.process.people import People
from livepost.process.timeline import Timeline, empty_timeline
from livepost.runtime.engine.committing import TRANSITIONS, commit_of, seen_of
from livepost.runtime.engine.stepping import Given, Stepper, first_records
from livepost.runtime.engine.sweep import Taken, about_of, digest_of
from livepost.state.base import Loaded, StateStore
from livepost.state.image import Images

BLOCKS_AT_ONCE = 5_000
"""Records of the log read at once for the timeline."""


class OtherwiseError(StoreError):
    """A step done again came out otherwise: this Livepost is not the one that did it, or the log is another one."""


def recover(workspace: str, store: StateStore, images: Images, log: LogReader, loaded: Loaded) -> tuple[Stepper, int]:
    """Return a stepper as the store's last commit left it, and the next step's number.

    Raises OtherwiseError if a step comes out otherwise, StoreError if image, state or log cannot be read.
    """
    about = about_of(images, loaded.image)
    steps = [(number, msgspec.msgpack.decode(body, type=Taken)) for number, body in store.steps()]
    stepper = Stepper(kept_of(about.loaded.definitions), workspace)
    people = stepper.people
    people.make_room(about.people)
    for piece in images.pieces(loaded.image):
        people.load_piece(piece)
    people.hear(stepper.kept.broadcast)
    _remember(people, store, sum(taken.seen for _, taken in steps))
    set_place(people, about.loaded)
    stepper.timeline = timeline_of(log, about.loaded.complete_to, about.loaded.position)
    for number, taken in steps:
        _again(stepper, log, number, taken)
    if (people.position, people.as_of, people.complete_to) != (loaded.position, loaded.as_of, loaded.complete_to):
        raise OtherwiseError(
            f"expected the steps since the image to end at position {loaded.position}, they end at "
            f"{people.position}; restore state and log from one backup, or have the state rebuilt from the log"
        )
    return stepper, max((number + 1 for number, _ in steps), default=about.step)


def _again(stepper: Stepper, log: LogReader, number: int, taken: Taken) -> None:
    """Do a step again."""
    position = stepper.people.position
    records = taken.position - position if taken.until is None else 1
    blocks = first_records(log.read(position, records), records) if records else []
    made = stepper.step(blocks, Given(taken.wave, taken.failing, taken.until))
    program = (made.program or stepper.people.program).hash
    if digest_of(commit_of(made.delta, program, rows=False)) != taken.digest:
        raise OtherwiseError(
            f"expected step {number}, up to position {taken.position}, to come out as it did before, it did not; "
            "the state has to be rebuilt from the log"
        )
    stepper.take(made)


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
