"""Shards: people who meet across them wait for each other, and nobody else waits.

`a`, `d`, `g`... live in shard 0, `b`, `e`, `h`... in shard 1, `c`, `f`, `i`... in shard 2; capital letters, which are
known, in those of the small ones.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec
import pytest

from livepost.decide.stage import Campaigns
from livepost.model.change import Cut
from livepost.model.compiled import CampaignSpec, Compiled, FeatureSpec, SegmentSpec
from livepost.model.decision import Decision, Merge, OutboxItem
from livepost.model.person import PersonView
from livepost.model.record import Kind, Record
from livepost.process.changing import begun
from livepost.process.sharded.home import Home, Links
from livepost.process.sharded.shard import Done, Shard
from livepost.process.sharded.told import Arrived, Frame, Message, Transfer
from tests.properties.generators import compare, node
from tests.properties.shards import frames_of
from tests.unit.process.records import HOUR, NOW, block, event, subject

SHOP = Compiled(
    features=(
        FeatureSpec(name="views", kind="count", event="Viewed"),
        FeatureSpec(name="viewed", kind="since", event="Viewed"),
    ),
    segments=(
        SegmentSpec(name="quiet", condition=compare(node("feature", "viewed"), ">=", node("const", HOUR)), version="1"),
    ),
    campaigns=(CampaignSpec(name="welcome", on="Signed Up", wait_ms=HOUR, class_="transactional", version="1"),),
)


def home(name: bytes) -> int:
    """Return the shard of a name."""
    return (name.lower()[0] - ord("a")) % 3


@dataclass
class Town:
    """Three shards and the log before them; what they said, and messages that nobody has delivered yet."""

    bound: int = 1_000
    wave: int = 500
    shards: list[Shard] = field(default_factory=list)
    frames: list[list[Frame]] = field(default_factory=lambda: [[], [], []])
    outbox: list[OutboxItem] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    next: int = 0

    def __post_init__(self) -> None:
        self.shards = [self.opened(number) for number in range(3)]
        self._links, self._homes = Links(), [Home(), Home(), Home()]

    def opened(self, number: int) -> Shard:
        return Shard(
            number,
            home,
            begun(SHOP)[0],
            lambda kept: Campaigns(kept.definitions.serving, "w"),
            "w",
            wave=self.wave,
            parked_max=self.bound,
            unreceived_max=self.bound,
        )

    def log(self, after_ms: int, *records: Record) -> None:
        """Append records as a block, that many ms after NOW; every shard gets a frame."""
        some = block(self.next, NOW + after_ms, *records)
        self.next += len(records)
        events = [record for record in some.records() if record.kind is Kind.EVENT]
        for number, frame in enumerate(frames_of(some, events, self._links, self._homes, home)):
            self.frames[number].append(frame)

    def take(self, *numbers: int) -> None:
        """Let shards take all the frames that they have room for."""
        for number in numbers or range(3):
            shard = self.shards[number]
            while self.frames[number] and shard.has_room(self.frames[number][0]):
                self.note(shard.take(self.frames[number][0]))
                if shard.position >= self.frames[number][0].through:
                    del self.frames[number][0]

    def hear(self, number: int, message: Message) -> Done:
        done = self.shards[number].hear([message])
        self.note(done)
        return done

    def deliver(self) -> None:
        """Deliver messages, and let shards take what they have room for then, until nothing happens any more."""
        while self.messages:
            message = self.messages.pop(0)
            self.hear(message.to, message)
            self.take()
        for shard in self.shards:
            while not shard.is_complete:
                self.note(shard.serve())

    def note(self, done: Done) -> None:
        self.outbox += done.outbox
        self.messages += done.messages

    def transfers(self) -> list[Transfer]:
        return [message for message in self.messages if isinstance(message, Transfer)]

    def person(self, letter: str) -> PersonView | None:
        """Return the person of a subject, whosever shard has them."""
        return next(filter(None, (shard.view(subject(letter)) for shard in self.shards)), None)

    def views(self, letter: str) -> int:
        person = self.person(letter)
        assert person is not None
        return int(person.features["views"])

    def decisions(self) -> list[tuple[str, str]]:
        """Return whom each decision concerns, and its skip."""
        return [(chr(one.person[0]), one.skip) for one in self.outbox if isinstance(one, Decision)]


def signed_up(letter: str, message_id: str) -> Record:
    return event(letter, message_id, "Signed Up")


def test_who_meets_somebody_from_elsewhere_waits_for_them_and_nobody_else_does() -> None:
    town = Town()
    town.log(0, event("a", "1"), event("b", "2"), event("d", "3"))
    town.log(1, event("a", "4", mentions="b"), event("a", "5"), event("d", "6"))
    town.take(0)
    assert (town.shards[0].parked_records, town.shards[0].complete_to) == (2, 2)
    assert (town.views("a"), town.views("d")) == (1, 2)
    town.take(1, 2)
    town.deliver()
    assert (town.views("b"), town.shards[0].parked_records) == (4, 0)
    assert [shard.complete_to for shard in town.shards] == [5, 5, 5]


def test_records_of_who_went_elsewhere_follow_them() -> None:
    town = Town()
    town.log(0, event("b", "1", mentions="a"))
    town.log(1, event("b", "2"))
    town.take()
    town.deliver()
    person = town.person("b")
    assert person is not None
    assert (person.person, person.features["views"], person.subjects) == (subject("a"), 2, (subject("a"), subject("b")))
    assert town.shards[1].people.number == {}


@pytest.mark.parametrize("late_first", [False, True])
def test_two_meetings_in_a_chain_and_both_ways_at_once_come_out_in_whatever_order_transfers_do(
    late_first: bool,
) -> None:
    town = Town()
    town.log(0, event("a", "1"), event("b", "2"), event("c", "3"), event("d", "4"), event("E", "5"))
    town.log(
        1, event("c", "6", mentions="b"), event("b", "7", mentions="a"), event("a", "8", mentions="E"), event("d", "9")
    )
    town.take(2, 1, 0) if late_first else town.take(0, 1, 2)
    while town.messages:
        message = town.messages.pop(-1 if late_first else 0)
        town.hear(message.to, message)
    town.deliver()
    person = town.person("c")
    assert person is not None
    assert (person.person, person.features["views"]) == (subject("E"), 7)
    merges = [(chr(one.old[0]), chr(one.new[0])) for one in town.outbox if isinstance(one, Merge)]
    assert sorted(merges) == [("a", "E"), ("b", "a"), ("c", "b")]


def test_one_record_that_brings_three_together_waits_for_all() -> None:
    town = Town()
    town.log(0, event("a", "1"), event("b", "2"), event("c", "3"))
    town.log(1, event("c", "4", mentions="ba"))
    town.take()
    first, second = town.transfers()
    town.hear(0, first)
    assert town.shards[0].parked_records == 1
    town.hear(0, second)
    assert town.views("c") == 4


def test_two_journeys_become_one_and_bring_one_mail() -> None:
    town = Town()
    town.log(0, signed_up("a", "1"))
    town.log(5, signed_up("b", "2"))
    town.log(10, event("b", "3", mentions="a"))
    town.log(2 * HOUR, Record(kind=Kind.TICK))
    town.take()
    town.deliver()
    assert town.decisions() == [("a", "")]


def test_what_is_due_for_somebody_parked_waits_with_them_and_is_served_as_if_nobody_had_waited() -> None:
    town = Town()
    town.log(0, event("a", "1"), event("b", "2"))
    town.log(10, event("a", "3", mentions="b", effective_ts=NOW + 10))
    town.log(2 * HOUR, Record(kind=Kind.TICK))
    town.take(0)
    town.take(2)
    assert town.shards[0].position == 3
    town.take(1)
    transfers = town.transfers()
    assert len(transfers) == 1
    done = town.hear(0, transfers[0])
    assert (done.transitions, town.shards[0].is_complete) == ([], False)
    served = town.shards[0].serve()
    assert [(t.at, t.position) for t in served.transitions] == [(NOW + HOUR + 10, 3)]


def test_a_transfer_that_comes_before_its_frame_is_held() -> None:
    town = Town()
    town.log(0, event("a", "1"), event("b", "2"))
    town.log(1, event("a", "3", mentions="b"))
    town.take(1)
    done = town.hear(0, town.messages.pop())
    assert (town.shards[0].held, done.messages) == (1, [])
    town.take(0)
    assert (town.shards[0].held, town.views("b")) == (0, 3)


def test_a_transfer_that_comes_again_changes_nothing_and_is_answered_again() -> None:
    town = Town()
    town.log(0, event("a", "1"), event("b", "2"))
    town.log(1, event("a", "3", mentions="b"))
    town.take()
    (transfer,) = town.transfers()
    first, again = town.hear(0, transfer), town.hear(0, transfer)
    answer = Arrived(position=2, loser=subject("b"), to=1)
    assert (first.messages, again.messages, town.views("b")) == ([answer], [answer], 3)
    assert town.shards[1].unreceived() == [transfer]
    town.hear(1, answer)
    town.hear(1, answer)
    assert town.shards[1].unreceived() == []


def test_somebody_parked_is_shown_as_of_the_last_record_before_they_wait() -> None:
    town = Town()
    town.log(0, event("a", "1"))
    town.log(HOUR, event("a", "2", effective_ts=NOW + HOUR), event("a", "3", mentions="b"))
    town.take(0)
    person = town.person("a")
    assert person is not None
    assert (person.features["views"], person.position, person.as_of) == (2, 1, NOW + HOUR)
    assert town.person("b") is None


def test_who_never_was_there_is_told_of_by_a_transfer_without_a_row() -> None:
    town = Town()
    town.log(0, event("a", "1", mentions="b"))
    town.take()
    (transfer,) = town.transfers()
    assert transfer.row is None
    town.deliver()
    assert town.views("b") == 1


def test_who_is_mentioned_and_merges_with_nobody_is_a_person_of_their_own() -> None:
    town = Town()
    town.log(0, event("A", "1", mentions="B"))
    town.take()
    assert (town.views("B"), len(town.shards[1].people)) == (0, 1)
    town.log(1, event("A", "2", mentions="B"))
    town.take()
    assert len(town.shards[1].people) == 1


def test_at_the_bound_of_parked_records_no_frame_is_taken_until_somebody_came() -> None:
    town = Town(bound=2)
    town.log(0, event("a", "1"), event("b", "2"))
    town.log(1, event("a", "3", mentions="b"))
    town.log(2, event("a", "4"))
    town.log(3, event("a", "5"))
    town.take(0)
    assert (town.shards[0].position, town.shards[0].parked_records) == (3, 2)
    with pytest.raises(ValueError, match="expected a frame behind 3 and room for it, got one behind 3 with 2 records"):
        town.shards[0].take(town.frames[0][0])
    town.take(1)
    town.deliver()
    assert (town.shards[0].position, town.views("a")) == (4, 5)


def test_at_the_bound_of_transfers_that_have_not_arrived_no_frame_is_taken_until_one_did() -> None:
    town = Town(bound=1)
    town.log(0, event("a", "1", mentions="b"))
    town.log(1, event("e", "2"))
    town.take(1)
    assert town.shards[1].position == 0
    town.hear(1, Arrived(position=0, loser=subject("b"), to=1))
    town.take(1)
    assert town.shards[1].position == 1


def test_a_frame_taken_before_does_nothing_and_one_after_a_gap_is_refused() -> None:
    town = Town()
    town.log(0, event("a", "1"))
    town.log(1, event("a", "2"))
    town.log(2, event("a", "3"))
    first, second, third = town.frames[0]
    shard = town.shards[0]
    shard.take(first)
    assert shard.take(first) == Done()
    with pytest.raises(ValueError, match="expected a frame behind 0 and room for it, got one behind 1"):
        shard.take(third)
    shard.take(second)
    assert town.views("a") == 2


def test_a_record_that_changes_what_is_computed_with_waits_for_whoever_is_parked() -> None:
    town = Town()
    town.log(0, event("a", "1", mentions="b"))
    cut = msgspec.to_builtins(Cut(run="0" * 16, hash=SHOP.hash(), coming=SHOP))
    town.log(1, Record(kind=Kind.CUT, control=cut))
    town.take(0)
    assert town.shards[0].position == 0
    town.take(1)
    town.deliver()
    assert town.shards[0].position == 1


def test_a_wave_before_a_change_is_served_little_by_little_under_what_served_before() -> None:
    town = Town(wave=1)
    town.log(0, *[event(letter, letter) for letter in "adg"])
    cut = msgspec.to_builtins(Cut(run="0" * 16, hash=SHOP.hash(), coming=SHOP))
    town.log(2 * HOUR, Record(kind=Kind.CUT, control=cut))
    shard, (first, second) = town.shards[0], town.frames[0]
    shard.take(first)
    said = [step() for _ in range(2) for step in (lambda: shard.take(second), shard.serve)]
    assert (shard.position, sum(len(done.transitions) for done in said)) == (2, 2)
    said += [shard.take(second), shard.take(second)]
    assert (shard.position, shard.as_of) == (3, NOW + 2 * HOUR)
    assert [(t.at, t.position) for done in said for t in done.transitions] == [(NOW + HOUR, 3)] * 3


def test_a_shard_made_anew_of_what_was_kept_goes_on() -> None:
    town = Town()
    town.log(0, event("a", "1"), event("d", "2"), event("b", "3"))
    town.log(1, event("a", "4", mentions="b"))
    rows: dict[int, bytes | None] = {}
    for frame in town.frames[0]:
        rows |= dict(town.shards[0].take(frame).rows)
    kept = town.shards[0].waiting()
    town.shards[0] = Shard(
        0,
        home,
        begun(SHOP)[0],
        lambda kept: Campaigns(kept.definitions.serving, "w"),
        "w",
        rows=rows.items(),
        waiting=kept,
    )
    assert (town.shards[0].position, town.shards[0].parked_records, town.shards[0].waiting()) == (3, 1, kept)
    town.take(1)
    town.deliver()
    assert (town.views("b"), town.views("d")) == (3, 1)
