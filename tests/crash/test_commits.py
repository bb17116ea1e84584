"""Killed at every commit: whoever goes on from there comes to the people, ids and mails of a house that never fell.

A counter lives over a disk that remembers. At each sync, right before and right after it, a folder is made of what a
kill leaves; another counter opens it, sees the moment that was cut short once more, as clients repeat it, and lives to
the end. LIVEPOST_COMMIT_SEEDS says how many lives are cut so, LIVEPOST_COMMIT_CUTS how many places of each (0: all).
"""

from __future__ import annotations

import itertools
import os
import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apsw
import msgspec
import pytest

from livepost.ids import digest
from livepost.ledger.base import LEASE_MS, MAX_IN_FLIGHT, MAX_LISTED
from livepost.model.person import PersonView
from livepost.process.changing import begun
from livepost.runtime.engine import worker
from tests.crash.counter import Begun, Counter, Mailed, Moment, Restart, moments_of
from tests.crash.recording import Disk, Recording, Said, Synced
from tests.crash.test_rollback import edited

SEEDS = int(os.environ.get("LIVEPOST_COMMIT_SEEDS", "1"))
CUTS = int(os.environ.get("LIVEPOST_COMMIT_CUTS", "30"))
SEED = int(os.environ.get("LIVEPOST_CRASH_SEED", "1"))
MOMENTS = 16
CALLS = 6
END_MS = 10_000


def a_life(seed: int) -> list[Moment]:
    """Return moments of shoppers, with a restart among them."""
    moments = moments_of(f"commits-{seed}", MOMENTS, CALLS)
    moments.insert(MOMENTS // 2, Restart())
    return moments


def subjects_of(folder: Path) -> Callable[[], bytes]:
    """Number subjects in the order in which they come: whoever repeats a moment gives the same ids."""
    known = 0
    if (folder / "vault.db").exists():
        with closing(apsw.Connection(str(folder / "vault.db"))) as vault:
            if vault.pragma("user_version"):
                known = int(vault.execute("SELECT count(*) FROM subjects").fetchall()[0][0])  # type: ignore[arg-type]
    numbers = itertools.count(known)
    return lambda: digest("subject", next(numbers))


@dataclass(frozen=True)
class End:
    """What must be the same however often the house fell: hashes of people, transitions and decisions, and what was
    sent. Where in the log something stands is not among it: a repeated request is in the log twice.

    `doubt` are mails that were in flight when it fell: marketing ones are not sent again, so they may be missing.
    """

    state: dict[str, bytes]
    sent: dict[bytes, tuple[str, str]]
    mails: list[bytes]
    processed: int
    doubt: frozenset[bytes]

    def trouble(self, wanted: End) -> list[str]:
        """Return in what this end differs from the wanted one."""
        doubt = self.doubt
        found = [f"{name} differ" for name, hashed in self.state.items() if hashed != wanted.state[name]]
        if _but_for(doubt, self.sent) != _but_for(doubt, wanted.sent) or self.sent.keys() != wanted.sent.keys():
            found.append("what was sent differs")
        if set(self.mails) | doubt != set(wanted.mails) | doubt or len(set(self.mails)) < len(self.mails):
            found.append("mails differ")
        if not 0 <= wanted.processed - self.processed <= len(doubt):
            found.append(f"expected {wanted.processed} events processed, got {self.processed}")
        return found + ([] if len(doubt) <= MAX_IN_FLIGHT else [f"{len(doubt)} mails in doubt"])


def end_of(counter: Counter) -> End:
    """Return what has come of a life."""
    told = counter.told()
    deliveries = counter.ledger.deliveries(limit=MAX_LISTED)
    moves = counter.ledger.moves(0, MAX_LISTED)
    assert max(len(deliveries), len(moves)) < MAX_LISTED
    state: dict[str, Any] = {
        "people": [msgspec.json.encode(_at_any_position(view), order="deterministic") for view in told.people],
        "transitions": sorted((one.id, one.person, one.segment, one.entered, one.at) for one in told.transitions),
        "decisions": sorted((one.decision.id, one.decision.campaign, one.decision.skip) for one in deliveries),
    }
    return End(
        state={name: digest(msgspec.msgpack.encode(value)) for name, value in state.items()},
        sent={one.decision.id: (one.state, one.reason) for one in deliveries},
        mails=[mail.decision for mail in counter.mailbox.mails],
        processed=told.counts["processed"],
        doubt=frozenset(move.decision for move in moves if move.after == "unknown"),
    )


def _but_for(doubt: frozenset[bytes], sent: dict[bytes, tuple[str, str]]) -> dict[bytes, tuple[str, str]]:
    return {id: state for id, state in sent.items() if id not in doubt}


def _at_any_position(view: PersonView) -> dict[str, Any]:
    """Return a person without the log's positions, and of the seals, which are drawn anew, only that they are there."""
    return {**msgspec.structs.asdict(view), "position": 0, "sealed": sorted(view.sealed)}


def ended(counter: Counter, moments: Sequence[Moment]) -> End:
    """Live to the end and let all waits run out; return what has come of it."""
    counter.live(moments)
    counter.pass_time(END_MS)
    return end_of(counter)


def killed(recording: Recording, work: Path, cuts: Sequence[int], mailbox_forgets: bool = False) -> Iterator[Counter]:
    """Go through the counters that open what a kill leaves after so many happenings each."""
    disk = Disk(work)
    at, moment = 0, 0
    mails: list[Any] = []
    for cut in cuts:
        for happening in recording.happened[at:cut]:
            match happening:
                case Said(what=Begun(moment=moment)):
                    pass
                case Said(what=Mailed(message=message)):
                    mails.append(message)
                case Said():
                    pass
                case _:
                    disk.take(happening)
        at = cut
        image = work.with_name("image")
        disk.image(image, "written", random.Random(cut))
        kept = [] if mailbox_forgets else mails
        counter = Counter(image, mails=kept, moment=moment, new_id=subjects_of(image), later_ms=LEASE_MS)
        with closing(counter):
            yield counter
        shutil.rmtree(image)


def commit_cuts(recording: Recording) -> list[int]:
    """Return the places right before and right after every sync."""
    synced = [place for place, happening in enumerate(recording.happened) if isinstance(happening, Synced)]
    return sorted({cut for place in synced for cut in (place, place + 1) if cut})


def some_of(cuts: list[int], seed: int) -> list[int]:
    """Return so many of the places as are asked for."""
    return cuts if not CUTS or len(cuts) <= CUTS else sorted(random.Random(seed).sample(cuts, CUTS))


def recorded(folder: Path, moments: Sequence[Moment]) -> tuple[Recording, End]:
    """Return what was done to the disk while a counter lived undisturbed, and its end."""
    recording = Recording(folder)
    with recording.listening():
        counter = Counter(folder, recording.say, vfs=recording.name, new_id=subjects_of(folder))
        with closing(counter):
            return recording, ended(counter, moments)


@pytest.mark.parametrize("seed", range(SEED, SEED + SEEDS))
def test_killed_at_any_commit_a_house_comes_to_the_same_end(seed: int, tmp_path: Path) -> None:
    moments = a_life(seed)
    recording, wanted = recorded(tmp_path / "house", moments)
    cuts = commit_cuts(recording)
    print(f"seed {seed}: {len(cuts)} places")
    differ = []
    for cut, counter in zip(
        some_of(cuts, seed), killed(recording, tmp_path / "house", some_of(cuts, seed)), strict=True
    ):
        differ += [f"seed {seed}, cut {cut}: {trouble}" for trouble in ended(counter, moments).trouble(wanted)]
        if counter.ledger.divergences():
            differ.append(f"seed {seed}, cut {cut}: divergences")
    assert differ == []


def test_a_mailbox_that_forgets_what_it_has_would_be_found(tmp_path: Path) -> None:
    """The negative control: what was in flight is asked for, and a sender that does not know loses or doubles it."""
    moments = a_life(SEED)
    recording, wanted = recorded(tmp_path / "house", moments)
    mailed = [
        place + 1
        for place, happening in enumerate(recording.happened)
        if isinstance(happening, Said) and isinstance(happening.what, Mailed)
    ]
    counters = killed(recording, tmp_path / "house", mailed[-1:], mailbox_forgets=True)
    assert all("mails differ" in ended(counter, moments).trouble(wanted) for counter in counters)


def test_subjects_that_are_drawn_anew_would_be_found(tmp_path: Path) -> None:
    """The negative control of the hash: other subjects are other people, transitions and decisions."""
    moments = a_life(SEED)
    _, wanted = recorded(tmp_path / "house", moments)
    with closing(Counter(tmp_path / "other")) as counter:
        found = ended(counter, moments)
    assert {"people differ", "transitions differ", "decisions differ", "mails differ"} <= set(found.trouble(wanted))


def test_a_state_of_any_age_under_an_edited_campaign_inserts_nothing_behind_the_fence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The state goes back by any number of commits, the campaign is another by then, ledger and vault are of today.

    The campaign is edited behind the log's back: what serves is kept in the state.
    """
    moments = a_life(SEED)
    recording, _ = recorded(tmp_path / "house", moments)
    places = [
        place + 1
        for place, happening in enumerate(recording.happened)
        if isinstance(happening, Synced) and happening.path.endswith("state.db-wal")
    ]
    diverged = 0
    for cut in some_of(places, SEED)[:: max(len(places) // 12, 1)]:
        today = tmp_path / "today"
        shutil.copytree(tmp_path / "house", today)
        for compiled in (None, edited(Counter.usual(), "reminder", wait_ms=500)):
            _put_back(recording, tmp_path / "house", cut, today)
            if compiled is not None:
                monkeypatch.setattr(worker, "kept_of", lambda raw, serving=compiled: begun(serving)[0])
            with closing(Counter(today, moment=MOMENTS, compiled=compiled)) as counter:
                fence, moves = counter.ledger.cursor(), counter.ledger.last_move()
                taken = counter.rest()
                diverged += taken.diverged
                assert taken.inserted == 0
                assert (counter.ledger.cursor(), counter.ledger.last_move()) == (fence, moves)
            monkeypatch.undo()
        shutil.rmtree(today)
    assert diverged > 0


def _put_back(recording: Recording, work: Path, cut: int, today: Path) -> None:
    """Put the state as it was after so many happenings into a folder."""
    disk = Disk(work)
    for happening in recording.happened[:cut]:
        if not isinstance(happening, Said):
            disk.take(happening)
    image = work.with_name("old")
    disk.image(image, "written", random.Random(cut))
    for path in today.glob("state.db*"):
        path.unlink()
    for path in image.glob("state.db*"):
        shutil.copy(path, today / path.name)
    shutil.rmtree(image)
