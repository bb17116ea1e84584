"""The power fails: what a disk may have of a house's writes, at every boundary between two of them, is a house.

A counter lives on a disk that remembers (recording.py). From that, folders are made as a power cut may leave them; each
is opened as at a start and held to every word that was said before the cut. LIVEPOST_POWER_CUTS says how many
boundaries are cut (0: all), LIVEPOST_CRASH_SEED what is drawn; what once found something stays in power_seeds.txt.
"""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw
import pytest

from livepost.errors import LivepostError, SealError
from livepost.intake.seal import UNDECLARED, open_value
from livepost.model.record import Kind, Record
from livepost.vault.base import Vault
from tests.crash.counter import (
    Acked,
    Begun,
    Copied,
    Counter,
    Faults,
    Forget,
    Forgetting,
    Forgotten,
    Mailed,
    Moment,
    Restart,
    Stepped,
    VaultLast,
    moments_of,
)
from tests.crash.house import SOURCE
from tests.crash.proofs import differences, records_of
from tests.crash.recording import Disk, Fleeting, Left, Recording, Said, Synced, Unheard
from tests.crash.replaying import replayed_log

CUTS = int(os.environ.get("LIVEPOST_POWER_CUTS", "100"))
SEED = int(os.environ.get("LIVEPOST_CRASH_SEED", "1"))
SEEDS = Path(__file__).with_name("power_seeds.txt")
LEFT: tuple[Left, ...] = ("synced", "written", "drawn", "drawn")
"""What is left of unsynced writes, an image each."""

MOMENTS = 24
CALLS = 8
FLEETING = Fleeting()
DEEP = 10
"""One in so many images is also replayed whole, and each of its files checked page by page."""


@dataclass
class Word:
    """What the house has said up to a cut."""

    acked: set[str] = field(default_factory=set)
    position: int = -1
    cursor: int = -1
    move: int = 0
    maybe_forgotten: set[bytes] = field(default_factory=set)
    forgotten: set[bytes] = field(default_factory=set)
    mailed: list[Any] = field(default_factory=list)

    def hear(self, said: Any) -> None:
        """Take in one more of its words."""
        match said:
            case Acked(ids=ids):
                self.acked.update(ids)
            case Stepped(position=position):
                self.position = position
            case Copied(cursor=cursor, move=move):
                self.cursor, self.move = cursor, move
            case Forgetting(subject=subject):
                self.maybe_forgotten.add(subject)
            case Forgotten(subject=subject):
                self.forgotten.add(subject)
            case Mailed(message=message):
                self.mailed.append(message)
            case Begun():
                pass


def a_life(seed: int) -> list[Moment]:
    """Return moments of shoppers, with somebody forgotten and a restart among them."""
    moments = moments_of(f"power-{seed}", MOMENTS, CALLS)
    who = next(call.user_id for calls in moments if isinstance(calls, tuple) for call in calls if call.user_id)
    moments.insert(MOMENTS // 2, Restart())
    moments.insert(MOMENTS // 3, Forget(str(who)))
    return moments


def recorded(folder: Path, seed: int, faults: Faults | None = None, deaf: tuple[str, ...] = ()) -> Recording:
    """Return what was done to the disk, and said, while a counter lived."""
    recording = Recording(folder, deaf=deaf)
    with recording.listening():
        counter = Counter(folder, recording.say, vfs=recording.name, faults=faults)
        with closing(counter):
            counter.live(a_life(seed))
    return recording


def cuts_of(recording: Recording, seed: int, cuts: int) -> list[int]:
    """Return after how many happenings the power fails: everywhere, or at so many places drawn."""
    boundaries = range(1, len(recording.happened) + 1)
    if not cuts or cuts >= len(boundaries):
        return list(boundaries)
    return sorted(random.Random(seed).sample(boundaries, cuts))


def cuts_after_syncs(recording: Recording, end: str) -> list[int]:
    """Return the boundaries right after a file whose name ends so was synced, or would have been."""
    return [
        place + 1
        for place, happening in enumerate(recording.happened)
        if isinstance(happening, Synced | Unheard) and happening.path.endswith(end)
    ]


def troubles(recording: Recording, work: Path, seed: int, cuts: Sequence[int]) -> Iterator[str]:
    """Cut the power at the boundaries, in each way; say what is wrong with what is left."""
    disk, word = Disk(work), Word()
    at = 0
    for cut in cuts:
        for happening in recording.happened[at:cut]:
            if isinstance(happening, Said):
                word.hear(happening.what)
            else:
                disk.take(happening)
        at = cut
        for number, left in enumerate(LEFT):
            dice = random.Random(f"{seed}-{cut}-{number}")
            image = work.with_name("image")
            disk.image(image, left, dice)
            for trouble in trouble_in(image, word, deep=dice.randrange(DEEP) == 0):
                yield f"seed {seed}, cut {cut}, {left} ({number}): {trouble}"
            shutil.rmtree(image)


def trouble_in(image: Path, word: Word, *, deep: bool) -> list[str]:
    """Open what is left of a house as at a start; return in what it does not keep its word."""
    try:
        with closing(Counter(image, vfs=FLEETING.name, mails=word.mailed)) as counter:
            found = [*_trouble_at_start(counter, word)]
            taken = counter.rest()
            if taken.diverged or counter.ledger.divergences():
                found.append(f"{taken.diverged} decisions are others now")
            if deep:
                fresh = replayed_log(image / "log", counter.compiled, counter.workspace)
                found += differences(counter.told(), fresh)
        return found + (_broken_pages(image) if deep else [])
    except (LivepostError, apsw.Error) as error:
        return [f"{type(error).__name__}: {error}"]


def _trouble_at_start(counter: Counter, word: Word) -> Iterator[str]:
    readable: set[str] = set()
    for record in records_of(counter.log):
        if record.kind is Kind.EVENT and record.source == SOURCE:
            trouble = _unreadable(record, counter.vault, counter.workspace, word)
            if trouble:
                yield trouble
            readable.add(record.message_id)
    if lost := word.acked - readable:
        yield f"{len(lost)} acknowledged events are not in the log: {sorted(lost)[:3]}"
    for subject in word.forgotten:
        if _has_key(counter.vault, subject):
            yield "the key of somebody forgotten is back"
    shard, ledger = counter.worker.shard, counter.ledger
    if shard.position < word.position:
        yield f"the state was at {word.position} and is at {shard.position}"
    if ledger.cursor() < word.cursor or ledger.last_move() < word.move:
        yield f"the ledger was at {word.cursor}, {word.move} and is at {ledger.cursor()}, {ledger.last_move()}"
    if ledger.cursor() > shard.complete_to:
        yield f"the ledger has decisions up to {ledger.cursor()}, the state is complete to {shard.complete_to} only"


def _unreadable(record: Record, vault: Vault, workspace: str, word: Word) -> str:
    """Say what is wrong with a record: whoever is in the log has a key, unless they may be forgotten by now."""
    if record.subject in word.maybe_forgotten:
        return ""
    try:
        keys = vault.keys(record.subject)
        value = record.sealed_value(UNDECLARED)
        told = open_value(keys, workspace, value) if value is not None else {}
    except SealError as error:
        return f"record {record.seq} cannot be read: {error}"
    return "" if told.get("note") == record.message_id else f"record {record.seq} says something else"


def _has_key(vault: Vault, subject: bytes) -> bool:
    try:
        vault.keys(subject)
    except SealError:
        return False
    return True


def _broken_pages(image: Path) -> list[str]:
    found = []
    for path in sorted(image.rglob("*.db")):
        with closing(apsw.Connection(str(path))) as connection:
            told = connection.pragma("integrity_check")
        found += [] if told == "ok" else [f"{path.name}: {told}"]
    return found


def seeds() -> Sequence[int]:
    """Return the seed of this run, and those that once found something."""
    kept = [int(line.split()[0]) for line in SEEDS.read_text().splitlines() if line[:1].isdigit()]
    return list(dict.fromkeys([SEED, *kept]))


@pytest.mark.parametrize("seed", seeds())
def test_what_a_power_cut_leaves_keeps_every_word_that_was_said_before_it(seed: int, tmp_path: Path) -> None:
    recording = recorded(tmp_path / "house", seed)
    words = [happening.what for happening in recording.happened if isinstance(happening, Said)]
    print(f"seed {seed}: {len(recording.happened)} boundaries, {len(words)} words")
    assert sum(isinstance(word, Mailed) for word in words) > MOMENTS / 2
    assert sum(isinstance(word, Forgotten) for word in words) == 1
    assert list(troubles(recording, tmp_path / "house", seed, cuts_of(recording, seed, CUTS))) == []


@pytest.mark.parametrize(
    ("faults", "told"),
    [
        (Faults(synchronous="NORMAL"), "not in the log"),
        (Faults(acks_first=True), "not in the log"),
        (Faults(intake=VaultLast), "cannot be read"),
    ],
    ids=["the log commits without a sync", "acknowledged before the commit", "the vault commits after the log"],
)
def test_a_house_that_does_not_keep_its_word_would_be_found(faults: Faults, told: str, tmp_path: Path) -> None:
    recording = recorded(tmp_path / "house", SEED, faults)
    cuts = cuts_after_syncs(recording, ".db-wal")
    assert any(told in trouble for trouble in troubles(recording, tmp_path / "house", SEED, cuts))


@pytest.mark.parametrize("store", ["vault.db-wal", "0.db-wal", "state.db-wal", "ledger.db-wal"])
def test_a_disk_that_says_synced_and_is_not_would_be_found(store: str, tmp_path: Path) -> None:
    recording = recorded(tmp_path / "house", SEED, deaf=(store,))
    assert any(troubles(recording, tmp_path / "house", SEED, cuts_after_syncs(recording, store)))


def test_a_wal_that_is_begun_anew_before_its_file_is_synced_would_be_found(tmp_path: Path) -> None:
    recording = recorded(tmp_path / "house", SEED, deaf=("state.db", "ledger.db", "vault.db"))
    assert any(troubles(recording, tmp_path / "house", SEED, cuts_after_syncs(recording, "vault.db-wal")))
