"""Runs a log through many shards, without stores or a network: messages come in any order, twice, late or never; shards
fall over before and behind their commits.

In: a case, and how to treat it (`Weather`). Out: what all shards together made. What is committed is bytes, and a shard
that falls over is made of them anew.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from hypothesis import strategies as st

from livepost.decide.stage import Campaigns
from livepost.ids import SHARDS, digest, shard_of
from livepost.model.block import Block, block_of
from livepost.model.compiled import Compiled
from livepost.model.decision import OutboxItem, Transition
from livepost.model.letter import Letter
from livepost.model.record import Kind, Mention, Record
from livepost.process.changing import begun, control_of
from livepost.process.people import People
from livepost.process.sharded.home import Home, Links
from livepost.process.sharded.shard import Done, Shard
from livepost.process.sharded.sieve import Sieve
from livepost.process.sharded.told import Arrived, Frame, Item, Meeting, Message, Transfer
from tests.properties.driver import WORKSPACE
from tests.properties.generators import Case, Dice, any_log, any_project

TURNS_MAX = 20_000
"""Turns after which a run that has not come to rest is stuck."""


@dataclass(frozen=True)
class Weather:
    """How a run goes. `shards` there are; each takes as many blocks in a frame as `cuts` say, round and round, from
    the one of its number on.

    seed        what the dice fall by that choose who is next
    duplicate, crash, lose   how often, of 100
    bound       records that may be parked, and transfers not received
    """

    shards: int
    cuts: tuple[int, ...] = (1,)
    seed: int = 0
    duplicate: int = 0
    crash: int = 0
    lose: int = 0
    wave: int = 500
    bound: int = 1_000
    sieves: int = 2


@st.composite
def weathers(draw: st.DrawFn) -> Weather:
    """Return any weather."""
    return Weather(
        shards=draw(st.sampled_from([2, 3, 5, 8, 1])),
        cuts=tuple(draw(st.lists(st.sampled_from([1, 2, 3, 10, 100]), min_size=1, max_size=3))),
        seed=draw(st.integers(0, 2**32)),
        duplicate=draw(st.sampled_from([0, 20, 50])),
        crash=draw(st.sampled_from([0, 10, 30])),
        lose=draw(st.sampled_from([0, 20])),
        wave=draw(st.sampled_from([1, 2, 500])),
        bound=draw(st.sampled_from([1_000, 1, 3])),
        sieves=draw(st.sampled_from([1, 3])),
    )


@st.composite
def crowded_cases(draw: st.DrawFn) -> Case:
    """Return cases with many subjects, of whom many are mentioned."""
    dice = Dice(draw)
    return crowded(dice, any_project(dice))


def crowded(dice: Dice, compiled: Compiled) -> Case:
    """Return a case in which every third record mentions one to three of up to twelve subjects."""
    subjects = [Mention(digest("subject", place), dice.chance(2)) for place in range(dice.pick((2, 3, 5, 8, 12)))]
    who: dict[tuple[str, str, bytes], tuple[Mention, list[Mention]]] = {}

    def cast(record: Record) -> Record:
        if record.kind is not Kind.EVENT:
            return record
        key = record.source, record.message_id, record.content_hash
        if key not in who:
            subject = dice.pick(subjects)
            others = [other for other in subjects if other is not subject]
            who[key] = subject, dice.some(others, at_most=3) if dice.chance(3) else []
        subject, mentioned = who[key]
        return msgspec.structs.replace(record, subject=subject.subject, known=subject.known, mentions=tuple(mentioned))

    return Case(compiled, [[cast(record) for record in block] for block in any_log(dice, compiled)])


@dataclass
class ShardedRun:
    """What came out of all shards, and their people at the end; `parked_at_most` is the most that waited in one."""

    shards: list[People] = field(default_factory=list)
    transitions: list[Transition] = field(default_factory=list)
    outbox: list[OutboxItem] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    dead: list[Letter] = field(default_factory=list)
    transfers: int = 0
    parked_at_most: int = 0
    held_at_most: int = 0
    is_stuck: bool = False


Watch = Callable[[int, list[OutboxItem]], None]
"""Told, after each commit, the house's `complete_to` and all that the outboxes got so far."""


def fold_sharded(case: Case, weather: Weather, watch: Watch | None = None) -> ShardedRun:
    """Fold a case in this weather, until every shard has all and nothing is under way, or nothing goes on."""
    return Simulation(case, weather, watch).run()


@dataclass
class Reading:
    """What the parts before the shards make of a log: each shard's frames, one a block, and what goes no further."""

    frames: list[list[Frame]]
    counts: Counter[str] = field(default_factory=Counter)
    dead: list[Letter] = field(default_factory=list)


def read(blocks: Sequence[Block], shards: int, sieves: int) -> Reading:
    """Return a log as the parts before the shards have it."""
    parts = [Sieve(frozenset(range(number, SHARDS, sieves))) for number in range(sieves)]
    links, homes = Links(), [Home() for _ in range(shards)]
    reading = Reading([[] for _ in range(shards)])
    for block in blocks:
        survivors: list[Record] = []
        for part in parts:
            sieved = part.sieve([block])
            part.take(sieved)
            survivors += sieved.records
            reading.counts.update(sieved.counts)
            reading.dead += sieved.dead
        in_order = sorted(survivors, key=lambda record: record.seq)
        for number, frame in enumerate(frames_of(block, in_order, links, homes, home_among(shards))):
            reading.frames[number].append(frame)
    return reading


def frames_of(
    block: Block, records: Sequence[Record], links: Links, homes: list[Home], home: Callable[[bytes], int]
) -> list[Frame]:
    """Return each shard's frame of a block, of which these records count; `home` says where a subject belongs."""
    items: list[list[Item]] = [[] for _ in homes]
    meetings: list[list[Meeting]] = [[] for _ in homes]
    sighted: list[list[Mention]] = [[] for _ in homes]
    for record in records:
        meeting = None
        if record.mentions:
            told = links.take(record)
            meeting = told.meeting
            for mention in told.sighted:
                sighted[home(mention.subject)].append(mention)
        if meeting is not None:
            for subject in meeting.renamed:
                homes[home(subject)].rename([subject], meeting.winner)
            for number in {home(name) for name in meeting.people}:
                meetings[number].append(meeting)
        item = homes[home(record.subject)].item(record, meeting)
        items[home(item.person)].append(item)
    return [
        Frame(
            after=block.first - 1,
            through=block.first + block.count - 1,
            as_of=block.stamp,
            stamps=[block.stamp],
            firsts=[block.first],
            items=items[number],
            meetings=meetings[number],
            sighted=sighted[number],
            control=control_of(block),
        )
        for number in range(len(homes))
    ]


def home_among(shards: int) -> Callable[[bytes], int]:
    """Return what says to which of so many shards a subject belongs."""
    return lambda subject: shard_of(subject) % shards


def joined(frames: Sequence[Frame]) -> Frame:
    """Return consecutive frames of a shard as one."""
    return Frame(
        after=frames[0].after,
        through=frames[-1].through,
        as_of=frames[-1].as_of,
        stamps=[stamp for frame in frames for stamp in frame.stamps],
        firsts=[first for frame in frames for first in frame.firsts],
        items=[item for frame in frames for item in frame.items],
        meetings=[meeting for frame in frames for meeting in frame.meetings],
        sighted=[mention for frame in frames for mention in frame.sighted],
        control=frames[0].control,
    )


def cut(frames: Sequence[Frame], cuts: Sequence[int], turn: int) -> list[Frame]:
    """Return a shard's frames, as many joined to one as the cuts say, the first as that of number `turn` does."""
    left, done = list(frames), []
    while left:
        alone = next((place for place, frame in enumerate(left) if frame.control is not None), len(left))
        size = min(cuts[turn % len(cuts)], max(alone, 1))
        done.append(joined(left[:size]))
        left, turn = left[size:], turn + 1
    return done


@dataclass
class Store:
    """What a shard has committed."""

    rows: dict[int, bytes] = field(default_factory=dict)
    waiting: bytes = b""
    next_number: int = 0


class Simulation:
    """One run."""

    def __init__(self, case: Case, weather: Weather, watch: Watch | None) -> None:
        self.weather = weather
        self.compiled = case.compiled
        self.dice = random.Random(weather.seed)
        blocks = [block_of(block, block[0].seq, block[0].stamp) for block in case.blocks]
        reading = read(blocks, weather.shards, weather.sieves)
        self.frames = [cut(some, weather.cuts, number) for number, some in enumerate(reading.frames)]
        self.stores = [Store() for _ in range(weather.shards)]
        self.shards = [self.opened(number) for number in range(weather.shards)]
        self.network: list[Message] = []
        self.made = ShardedRun(counts=reading.counts, dead=reading.dead)
        self.watch = watch

    def opened(self, number: int) -> Shard:
        """Return a shard as it was committed."""
        store, weather = self.stores[number], self.weather
        return Shard(
            number,
            home_among(weather.shards),
            begun(self.compiled)[0],
            lambda kept: Campaigns(kept.definitions.serving, WORKSPACE, kept.switch),
            WORKSPACE,
            rows=[(row, store.rows.get(row)) for row in range(store.next_number)],
            waiting=store.waiting,
            wave=weather.wave,
            parked_max=weather.bound,
            unreceived_max=weather.bound,
        )

    def run(self) -> ShardedRun:
        """Let shards take turns until all are at rest."""
        for _ in range(TURNS_MAX):
            if not self.turn():
                break
        self.made.is_stuck = not all(self.is_through(number) for number in range(len(self.shards)))
        self.made.shards = [shard.people for shard in self.shards]
        return self.made

    def turn(self) -> bool:
        """Do something that can be done; say whether there was anything."""
        numbers = range(len(self.shards))
        ways: list[Callable[[], None]] = [lambda n=n: self.take(n) for n in numbers if self.next_frame(n) is not None]
        ways += [lambda n=n: self.serve(n) for n in numbers if not self.shards[n].is_complete]
        ways += [lambda n=n: self.hear(n) for n in numbers if any(m.to == n for m in self.network)]
        if not ways:
            ways = [lambda n=n: self.resend(n) for n in numbers if self.shards[n].unreceived()]
            self.weather = calm(self.weather)
        if not ways:
            return False
        self.dice.choice(ways)()
        return True

    def is_through(self, number: int) -> bool:
        shard = self.shards[number]
        last = self.frames[number][-1].through
        return shard.position == shard.complete_to == last and not shard.unreceived() and not shard.parked_records

    def next_frame(self, number: int) -> Frame | None:
        shard = self.shards[number]
        ahead = (frame for frame in self.frames[number] if frame.through > shard.position)
        frame = next(ahead, None)
        return frame if frame is not None and shard.has_room(frame) else None

    def take(self, number: int) -> None:
        frame = self.next_frame(number)
        assert frame is not None
        self.do(number, lambda shard: shard.take(through_bytes(frame)))

    def serve(self, number: int) -> None:
        self.do(number, lambda shard: shard.serve())

    def resend(self, number: int) -> None:
        self.network += self.shards[number].unreceived()

    def hear(self, number: int) -> None:
        """Deliver some of the messages to a shard; they may come again, and are not lost if the shard falls over."""
        waiting = [message for message in self.network if message.to == number]
        some = self.dice.sample(waiting, self.dice.randint(1, min(len(waiting), 3)))
        is_heard = self.do(number, lambda shard: shard.hear(map(through_bytes, some)))
        if is_heard and not self.happens(self.weather.duplicate):
            self.network = [message for message in self.network if message not in some]

    def do(self, number: int, what: Callable[[Shard], Done]) -> bool:
        """Let a shard do something and commit it; it may fall over before, or before its messages are sent."""
        shard, store = self.shards[number], self.stores[number]
        done = what(shard)
        if self.happens(self.weather.crash):
            self.shards[number] = self.opened(number)
            self.network += self.shards[number].unreceived()
            return False
        self.commit(store, done)
        store.waiting = shard.waiting()
        self.note(shard, done)
        if self.happens(self.weather.crash):
            self.shards[number] = self.opened(number)
            self.network += self.shards[number].unreceived()
        else:
            self.network += [message for message in done.messages if not self.happens(self.weather.lose)]
        return True

    def commit(self, store: Store, done: Done) -> None:
        for number, row in done.rows:
            store.next_number = max(store.next_number, number + 1)
            if row is None:
                store.rows.pop(number, None)
            else:
                store.rows[number] = row

    def note(self, shard: Shard, done: Done) -> None:
        made = self.made
        made.transitions += done.transitions
        made.outbox += done.outbox
        made.transfers += sum(isinstance(message, Transfer) for message in done.messages)
        made.parked_at_most = max(made.parked_at_most, shard.parked_records)
        made.held_at_most = max(made.held_at_most, shard.held)
        made.counts.update(done.counts)
        if self.watch is not None:
            self.watch(min(each.complete_to for each in self.shards), made.outbox)

    def happens(self, of_100: int) -> bool:
        return self.dice.randrange(100) < of_100


def calm(weather: Weather) -> Weather:
    """Return the weather in which what is sent again arrives: a run has to end."""
    return Weather(**{**weather.__dict__, "lose": 0, "crash": 0})


def through_bytes(told: Any) -> Any:
    """Return what comes out of a log of what went in."""
    kind: Any = Frame if isinstance(told, Frame) else Transfer | Arrived
    return msgspec.msgpack.decode(msgspec.msgpack.encode(told), type=kind)
