"""A shard: its people, and what it does while some of them wait for others who come from elsewhere.

In: frames of the log, in order, and messages of other shards, in any order and any number of times. Out: rows,
transitions, outbox, messages. Promises: together, shards make of a log what one engine makes of it, to the id. What a
call returns is to be kept in one transaction with `waiting()`, before anything of it is shown or sent; if that fails,
or the call or the process does, a shard is made anew of what was kept, and goes on.

Who meets nobody from elsewhere is folded as in one engine, many at once. Who does is parked: taken out of the people,
and folded by the same step in people of their own, as far as those whom they meet have come (docs/adr).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import msgspec
import numpy as np

from livepost.engine.row import Row, blank, pack, unpack
from livepost.engine.subjects import NOBODY
from livepost.model.change import Seed
from livepost.model.decision import OutboxItem, Transition
from livepost.model.person import PersonView
from livepost.model.record import Mention, Record
from livepost.process.changing import Kept, changed, kept_of, seed_of
from livepost.process.deciding import Decider
from livepost.process.people import Delta, People
from livepost.process.sharded.items import blocks_of, days_of
from livepost.process.sharded.parked import Key, Parked, Waiting, set_apart
from livepost.process.sharded.told import Arrived, Frame, Item, Meeting, Message, Transfer
from livepost.process.stage import WAVE, step
from livepost.process.timeline import Timeline
from livepost.process.view import view_of

PARKED_MAX = 1_000
"""Records that may wait for people from elsewhere; from then on the shard takes no frame until some have come."""

UNRECEIVED_MAX = 1_000
"""Transfers that others may not have folded yet; from then on the shard takes no frame. So no more wait at any shard
than this from each other one, however far it is behind."""

EVERYBODY = 1 << 30
"""A wave that leaves nobody out: parked people are few."""

_waiting = msgspec.msgpack.Decoder(Waiting)


@dataclass
class Done:
    """What a call did. `rows` are by number as the store keeps them (None: not there any more; the last counts);
    `messages` can be sent again at any time, `counts` add to the totals.
    """

    rows: list[tuple[int, bytes | None]] = field(default_factory=list)
    transitions: list[Transition] = field(default_factory=list)
    outbox: list[OutboxItem] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    def add(self, delta: Delta) -> None:
        """Add what a step made, but for its rows: these may be of people apart."""
        self.transitions += delta.transitions
        self.outbox += delta.outbox
        for name, count in delta.counts.items():
            self.counts[name] = self.counts.get(name, 0) + count


class Shard:
    """One shard of many."""

    def __init__(
        self,
        number: int,
        shard_of: Callable[[bytes], int],
        begin: Kept,
        decider_of: Callable[[Kept], Decider],
        workspace: str,
        *,
        rows: Iterable[tuple[int, bytes | None]] = (),
        waiting: bytes = b"",
        wave: int = WAVE,
        parked_max: int = PARKED_MAX,
        unreceived_max: int = UNRECEIVED_MAX,
    ) -> None:
        """Begin where the log does, or go on with `rows` and `waiting()` as they were kept together.

        shard_of    to which shard a name belongs
        begin       what is computed with at the log's beginning
        decider_of  the campaigns of what is computed with
        """
        self.number = number
        self._shard_of = shard_of
        self._decider_of = decider_of
        self._workspace = workspace
        self._wave = wave
        self._parked_max = parked_max
        self._unreceived_max = unreceived_max
        was = _waiting.decode(waiting) if waiting else Waiting(kept=begin.packed())
        self._kept = kept_of(was.kept)
        self._decider = decider_of(self._kept)
        self.people = _people(self._kept, was)
        self.people.load(rows)
        self._parked = was.parked
        self._held = {_key(transfer): transfer for transfer in was.held}
        self._unreceived = {_key(transfer): transfer for transfer in was.unreceived}
        self._timeline = Timeline(np.array(was.stamps, np.int64), np.array(was.firsts, np.int64))

    @property
    def position(self) -> int:
        """The seq through which the shard has taken the log."""
        return self.people.position

    @property
    def as_of(self) -> int:
        """The stamp (ms) of the record at `position`."""
        return self.people.as_of

    @property
    def complete_to(self) -> int:
        """The seq up to which records and due times of everybody are served; the house's is that of the shard which
        has the smallest, so that what the outboxes have up to there is what one engine's has.
        """
        return min([self.people.complete_to, *(parked.complete_to for parked in self._parked.values())])

    @property
    def is_complete(self) -> bool:
        """Whether nobody who is not parked is due by the last stamp."""
        return self.people.complete_to == self.people.position

    @property
    def parked_records(self) -> int:
        """How many records wait for people from elsewhere."""
        return sum(len(parked.items) for parked in self._parked.values())

    @property
    def held(self) -> int:
        """How many transfers wait for the shard."""
        return len(self._held)

    def has_room(self, frame: Frame) -> bool:
        """Say whether a frame may be taken; one that changes what is computed with not while anybody is parked."""
        parked, unreceived = self.parked_records, len(self._unreceived)
        if frame.control is not None:
            return not self._parked
        return parked < self._parked_max and unreceived < self._unreceived_max

    def unreceived(self) -> list[Transfer]:
        """Return the transfers to send again: after a crash, or if nobody says for long that they arrived."""
        return list(self._unreceived.values())

    def waiting(self) -> bytes:
        """Return what is to be kept besides rows."""
        return msgspec.msgpack.encode(
            Waiting(
                position=self.people.position,
                as_of=self.people.as_of,
                complete_to=self.people.complete_to,
                kept=self._kept.packed(),
                parked=self._parked,
                held=list(self._held.values()),
                unreceived=self.unreceived(),
                stamps=self._timeline.stamps.tolist(),
                firsts=self._timeline.firsts.tolist(),
            )
        )

    def take(self, frame: Frame) -> Done:
        """Take the next frame; one that was taken before does nothing. If `position` is not at its end then, a wave
        that comes before it was served: take it again.

        Raises ValueError if it does not follow the last, or there is no room (`has_room`): then wait for messages.
        """
        done = Done()
        if frame.through <= self.position:
            return done
        if frame.after != self.position or not self.has_room(frame):
            raise ValueError(
                f"expected a frame behind {self.position} and room for it, got one behind {frame.after} with "
                f"{self.parked_records} records parked and {len(self._unreceived)} transfers not received; ask "
                "`has_room` first and go on from `position`"
            )
        before = self._timeline
        self._timeline = before.followed_by(frame.stamps, frame.firsts, self.complete_to + 1)
        if frame.control is None:
            self._take_items(frame, done)
        elif not self._pass(frame.control, done):
            self._timeline = before
        return done

    def hear(self, messages: Iterable[Message]) -> Done:
        """Take what other shards say, or this one to itself; whatever was taken before does nothing. Many at once take
        less time than one by one.
        """
        done = Done()
        for message in messages:
            key = _key(message)
            if isinstance(message, Arrived):
                self._unreceived.pop(key, None)
            elif message.position > self.position or self._awaits(message):
                self._held[key] = message
            else:
                done.messages.append(_arrived(message))
        self._go_on([name for name, parked in self._parked.items() if self._run_of(parked)], done)
        return done

    def serve(self) -> Done:
        """Serve due times of a wave; ask for it as long as the shard is not complete."""
        done = Done()
        self._step_all([], self.people.as_of, done)
        self._note_complete()
        return done

    def view(self, subject: bytes) -> PersonView | None:
        """Return the person of a subject, one who is parked as of the last record before they wait; None if they are
        not there.
        """
        number = self.people.number.get(subject)
        if number is not None:
            return view_of(self.people, number)
        for parked in self._parked.values():
            if parked.row is not None and subject in unpack(parked.row)[0].subjects:
                return view_of(self._apart_as_of(parked), 0)
        return None

    def _take_items(self, frame: Frame, done: Done) -> None:
        self._park(frame.meetings, done)
        items = self._hand_out(frame)
        sighted = [mention for mention in frame.sighted if mention.subject not in self._parked]
        self._go_on(list(self._parked), done)
        self._fold(items, frame, done)
        self._sight(sighted, done)

    def _pass(self, control: Record, done: Done) -> bool:
        """Take a record that changes what is computed with, or brings history; False if a wave comes before it."""
        people, after = self.people, changed(self._kept, control)
        if after is not None:
            if people.next_due() <= control.stamp:
                as_of = people.as_of
                self._step_all([], control.stamp, done)
                people.as_of = as_of
                return False
            self._kept, program = after
            people.adopt(program, _ready_at(self._kept))
            self._decider = self._decider_of(self._kept)
        elif (brought := seed_of(self._kept, control)) is not None:
            self._kept = brought[0]
            self._step_all([Item(control, b"")], None, done, seed=brought[1])
        people.position, people.as_of = control.seq, control.stamp
        self._note_complete()
        return True

    def _is_mine(self, name: bytes) -> bool:
        return self._shard_of(name) == self.number

    def _awaits(self, transfer: Transfer) -> bool:
        winner = self._parked.get(transfer.winner)
        return winner is not None and winner.awaits(transfer.position)

    def _park(self, meetings: Sequence[Meeting], done: Done) -> None:
        """Set those apart who cannot be folded with all others, and note who of them leaves."""
        people = self.people
        new = sorted(set_apart(meetings, self._parked, self._is_mine) - self._parked.keys())
        for name, (number, row) in zip(new, self._taken_out(new, done), strict=True):
            self._parked[name] = Parked(number=number, row=row, complete_to=people.complete_to, as_of=people.as_of)
        for meeting in meetings:
            for loser in meeting.losers:
                if loser in self._parked and self._is_mine(loser):
                    self._parked[loser].leaving = meeting

    def _hand_out(self, frame: Frame) -> list[Item]:
        """Give parked people their records; return those of all others."""
        others: list[Item] = []
        for item in frame.items:
            parked = self._parked.get(item.person)
            (others if parked is None else parked.items).append(item)
        return others

    def _run_of(self, parked: Parked) -> list[Item]:
        return parked.next_run(self._held.__contains__)

    def _go_on(self, names: Sequence[bytes], done: Done) -> None:
        """Fold parked people's records as far as those who are to come are here; for whom none is left then, be with
        the others again, or leave.
        """
        left = names
        while runs := {name: run for name in left if (run := self._run_of(self._parked[name]))}:
            self._fold_runs(runs, done)
            left = list(runs)
        through = {name: self._parked.pop(name) for name in names if not self._parked[name].items}
        self._let_go(through, done)
        self._let_back([parked for parked in through.values() if parked.leaving is None], done)

    def _fold_runs(self, runs: Mapping[bytes, list[Item]], done: Done) -> None:
        """Fold runs of parked people's records, and what is due before each of these, and nothing that is due behind
        them: how far it may be served differs.
        """
        arrived = [self._held.pop((run[0].position, loser)) for run in runs.values() for loser in run[0].losers]
        done.messages += map(_arrived, arrived)
        people = self._apart([*(self._parked[name].row for name in runs), *(transfer.row for transfer in arrived)])
        for some in days_of(sorted((item for run in runs.values() for item in run), key=lambda item: item.position)):
            self._step(people, some, 0, done)
        numbers = [people.number[name] for name in runs]
        rows = people.packed(np.array(numbers))
        for (name, run), number in zip(runs.items(), numbers, strict=True):
            self._parked[name].fold(run, rows[number])

    def _apart(self, rows: Iterable[bytes | None]) -> People:
        """Return people of these rows alone."""
        people = People(self.people.program)
        people.ready_at = self.people.ready_at
        people.load(enumerate(row for row in rows if row is not None))
        return people

    def _apart_as_of(self, parked: Parked) -> People:
        """Return people of whom somebody parked is the only one, as far as they are served."""
        people = self._apart([parked.row])
        people.position, people.as_of = parked.complete_to, parked.as_of
        return people

    def _let_go(self, through: Mapping[bytes, Parked], done: Done) -> None:
        """Send those away who leave."""
        for name, parked in through.items():
            if parked.leaving is not None:
                self._send(name, parked.leaving, self._served(name, parked.row, parked.leaving.at, done), done)

    def _let_back(self, parked: Sequence[Parked], done: Done) -> None:
        """Let those be with the others again for whom nothing waits any more."""
        new = itertools.count(len(self.people.rows))
        there = [one for one in parked if one.row is not None]
        self._admit([(next(new) if one.number == NOBODY else one.number, one.row) for one in there], done)
        self.people.complete_to = min([self.people.complete_to, *(one.complete_to for one in parked)])

    def _served(self, name: bytes, row: bytes | None, until: int, done: Done) -> bytes | None:
        """Return somebody's row with all served that is due by `until` (ms): where they go, nobody may know any more
        where in the log it falls.
        """
        if row is None or _due(row, self.people.dtype) > until:
            return row
        people = self._apart([row])
        self._step(people, [], until, done)
        return _row(people, name)

    def _send(self, name: bytes, meeting: Meeting, row: bytes | None, done: Done) -> None:
        transfer = Transfer(
            position=meeting.position,
            winner=meeting.winner,
            loser=name,
            row=row,
            from_=self.number,
            to=self._shard_of(meeting.winner),
        )
        self._unreceived[_key(transfer)] = transfer
        done.messages.append(transfer)

    def _fold(self, items: list[Item], frame: Frame, done: Done) -> None:
        """Fold the records of all who are not parked, and serve what is due by the frame's end."""
        people = self.people
        *earlier, last = days_of(items)
        for some in earlier:
            self._step_all(some, None, done)
        self._step_all(last, frame.as_of, done)
        people.position, people.as_of = frame.through, frame.as_of
        self._note_complete()

    def _step_all(self, items: list[Item], until: int | None, done: Done, seed: Seed | None = None) -> None:
        """Do a step over all who are not parked."""
        done.rows += self._step(self.people, items, until, done, self._wave, seed).rows.items()

    def _step(
        self,
        people: People,
        items: list[Item],
        until: int | None,
        done: Done,
        wave: int = EVERYBODY,
        seed: Seed | None = None,
    ) -> Delta:
        """Do one step and take it over. That records count is known, and remembered elsewhere (`sieve`)."""
        blocks = blocks_of(items)
        made = step(people, blocks, self._decider, self._timeline, self._workspace, wave, until=until, seed=seed)
        nothing = Delta(made.position, made.as_of, made.complete_to)
        delta = replace(made, keys=nothing.keys, contents=nothing.contents, days=nothing.days)
        people.apply(delta)
        done.add(delta)
        return delta

    def _note_complete(self) -> None:
        if self.people.next_due() > self.people.as_of:
            self.people.complete_to = self.people.position

    def _sight(self, mentions: Iterable[Mention], done: Done) -> None:
        """Make people of subjects who are nobody's yet."""
        sighted = list(dict.fromkeys(mentions))
        numbers = self.people.number.find([mention.subject for mention in sighted]).tolist()
        new = [mention for mention, number in zip(sighted, numbers, strict=True) if number == NOBODY]
        fixed = blank(self.people.program, 1)
        rows: list[tuple[int, bytes | None]] = []
        for number, mention in enumerate(new, len(self.people.rows)):
            fixed["known"] = mention.known
            rows.append((number, pack(Row((mention.subject,)), fixed.tobytes())))
        self._admit(rows, done)

    def _admit(self, rows: Sequence[tuple[int, bytes | None]], done: Done) -> None:
        self.people.load(rows)
        done.rows += rows

    def _taken_out(self, names: Sequence[bytes], done: Done) -> list[tuple[int, bytes | None]]:
        """Take people out; return the number and row of each, NOBODY and None of those who are not there."""
        people = self.people
        numbers = people.number.find(names).tolist()
        there = [number for number in numbers if number != NOBODY]
        people.warm(there)
        rows = people.packed(np.array(there, np.int64))
        people.number.forget(subject for number in there for subject in people.row(number).subjects)
        gone = [(number, None) for number in there]
        people.load(gone)
        done.rows += gone
        return [(number, rows.get(number)) for number in numbers]


def _people(kept: Kept, was: Waiting) -> People:
    """Return nobody, at the place where the shard was."""
    people = People(kept.program(), kept.layouts)
    people.position, people.as_of, people.complete_to = was.position, was.as_of, was.complete_to
    people.ready_at = _ready_at(kept)
    return people


def _ready_at(kept: Kept) -> int:
    return kept.switch.position if kept.switch else -1


def _key(message: Message) -> Key:
    return message.position, message.loser


def _arrived(transfer: Transfer) -> Arrived:
    return Arrived(position=transfer.position, loser=transfer.loser, to=transfer.from_)


def _due(row: bytes, dtype: np.dtype[np.void]) -> int:
    """Return when (ms) somebody is next due."""
    fixed = np.frombuffer(unpack(row)[1], dtype)[0]
    return int(min(fixed["due"], fixed["journey"]))


def _row(people: People, name: bytes) -> bytes:
    """Return the row of the person called so."""
    number = people.number[name]
    return people.packed(np.array([number]))[number]
