"""People written as a sweep behind the commits, not in them.

In: what each step is about to change. Out: images of all people as one step left them, a share written beside each
commit. A step's commit then has what it takes to do the step again (`Taken`) in place of rows, and `recovery` does the
steps since the last whole image again. Promises: an image is of one moment: who is about to change and not yet in it is
written before; what a start has to do again is bounded (`Pace`); the log is needed from the image on, and no further.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b

import msgspec
import numpy as np

from livepost.engine.row import Bools, Ints
from livepost.engine.seen import DAY_MS, day_of
from livepost.process.people import People
from livepost.runtime.engine.stepping import Given, Made, Stepper
from livepost.settings.settings import Settings
from livepost.state.base import Commit, Loaded, StateStore
from livepost.state.image import Images, NewImage
from livepost.state.pack import pack_of

STEP_US = 3_000
RECORD_US = 12
PERSON_US = 2
"""What work takes, about, on one core: a step whatever it has, each record in it, and a person in an image."""

SHARE_MAX = 5_000
"""People of an image beside one commit at most: some 10 ms for which live records wait."""


class Taken(msgspec.Struct, frozen=True, array_like=True):
    """A step that was committed: what it takes to do it again, and to know that it came out the same.

    position   where it ended; `seen` whether it had dedupe entries; `digest` of what it put out
    wave, failing, until   what it was given (`stepping.Given`)
    """

    position: int
    wave: int
    seen: bool
    digest: bytes
    failing: dict[int, str] = {}
    until: int | None = None


class About(msgspec.Struct, frozen=True, array_like=True):
    """Of what an image is: `loaded` the state of its moment, `people` how many numbers were given, `step` the number of
    the first step after it.
    """

    loaded: Loaded
    people: int
    step: int


@dataclass(frozen=True)
class Pace:
    """When images are made.

    redo_ms   work (ms, estimated) that may be left to do again before the next image begins; where people are so many
              that an image takes over a tenth of it, ten times that
    commits   over so many commits an image is written (more where people are over SHARE_MAX a commit), and so many more
              at most wait for the disk to have it: a start may have to do all these steps again besides
    age_ms    how old (in stamps) an image may become, if there was any step since: the log is needed back to it
    """

    redo_ms: int = 3_000
    commits: int = 32
    age_ms: int = DAY_MS


USUAL = Pace()


def pace_of(settings: Settings) -> Pace | None:
    """Return the pace of the sweep that a workspace asks for; None where each step's commit has its rows."""
    return Pace(redo_ms=settings.redo_ms) if settings.state_rows == "sweep" else None


NO_STEP = 1 << 62
"""More than any step's number."""


class Sweep:
    """Makes images of people, who are as the store's last commit left them; `step` is the number of the next one."""

    def __init__(self, stepper: Stepper, store: StateStore, images: Images, step: int, pace: Pace = USUAL) -> None:
        """Nothing is written yet: whoever only looks makes no image."""
        self._stepper = stepper
        self._people = stepper.people
        self._store = store
        self._images = images
        self._step = step
        self._pace = pace
        self._under_way: _UnderWay | None = None
        self._to_redo_us = 0
        loaded = store.loaded()
        self._sealed = about_of(images, loaded.image) if loaded and loaded.image else None

    @property
    def needed_after(self) -> int:
        """The position after which the log is needed: before it, all is in the image."""
        return self._sealed.loaded.complete_to if self._sealed else -1

    def prepare(self) -> None:
        """Make the first image, whole, if there is none; rows that the store has of people go with it."""
        if self._sealed is None:
            self._write_whole([(number, None) for number, _ in self._store.rows()])

    def settle(self) -> None:
        """Leave nothing to do again: make an image of people as they are, whole; seconds where they are millions."""
        if self._sealed is not None and self._sealed.step < self._step:
            self.close()
            self._write_whole([])

    def joined(self, commit: Commit, made: Made, given: Given) -> Commit:
        """Return a step's commit with what takes the place of its rows; writes a share of the image under way.

        An image under way is given up where people are to be brought under another program: it would be of two.
        """
        if made.program is not None:
            self.close()
        self._keep(made.delta.changed.numbers)
        image = self._written(self._share())
        return msgspec.structs.replace(commit, step=(self._step, _taken(commit, given)), image=image)

    def applied(self, commit: Commit, records: int) -> None:
        """Go on from a step that is committed and applied, and had so many records."""
        self._step += 1
        self._to_redo_us += STEP_US + RECORD_US * records
        self._seal(commit.image)
        if self._under_way is None and self._is_due():
            self._begin()

    def rest(self) -> bool:
        """Write a share of the image under way while there is nothing else to do; say whether there was one."""
        if self._under_way is None:
            return False
        self._put([], self._written(self._share(), wait=True))
        return True

    def close(self) -> None:
        """Release the file of the image under way: it does not count."""
        if self._under_way is not None:
            self._under_way.image.close()
            self._under_way = None

    def _write_whole(self, rows: list[tuple[int, None]]) -> None:
        self._begin()
        self._put(rows, self._written(len(self._people.rows), wait=True))

    def _is_due(self) -> bool:
        assert self._sealed is not None
        enough_us = max(1_000 * self._pace.redo_ms, 10 * PERSON_US * len(self._people))
        return self._to_redo_us >= enough_us or self._people.as_of - self._sealed.loaded.as_of >= self._pace.age_ms

    def _begin(self) -> None:
        """Begin an image of people as they are now: as the last commit left them."""
        people = self._people
        loaded = self._store.loaded() or Loaded(
            position=people.position,
            as_of=people.as_of,
            complete_to=people.complete_to,
            program=people.program.hash,
            counts={},
            definitions=self._stepper.kept.packed(),
        )
        about = About(loaded, len(people.rows), self._step)
        image = self._images.begin(f"people-{self._step}", msgspec.msgpack.encode(about))
        self._under_way = _UnderWay(image, about, np.ones(about.people, np.bool_))
        self._to_redo_us = 0

    def _keep(self, changing: list[int]) -> None:
        """Write who is about to change and not yet in the image, as they are."""
        if self._under_way is not None:
            self._write(self._under_way.missing_of(np.array(changing, np.int64)))

    def _share(self) -> int:
        if self._under_way is None:
            return 0
        return min(self._under_way.about.people // self._pace.commits + 1, SHARE_MAX)

    def _written(self, most: int, *, wait: bool = False) -> tuple[str, int] | None:
        """Write up to so many more people; return (name, step) of the image if all of it is on disk."""
        under_way = self._under_way
        if under_way is None:
            return None
        if not under_way.finished:
            self._write(np.flatnonzero(under_way.missing)[:most])
            if not under_way.missing.any():
                under_way.image.finish()
                under_way.finished = True
        else:
            under_way.waited += 1
        on_disk = under_way.image.synced(wait=wait or under_way.waited >= self._pace.commits) and under_way.finished
        return (under_way.image.name, under_way.about.step) if on_disk else None

    def _write(self, numbers: Ints) -> None:
        assert self._under_way is not None
        if len(numbers):
            self._under_way.image.write(self._people.piece(numbers))
            self._under_way.missing[numbers] = False

    def _put(self, rows: list[tuple[int, None]], image: tuple[str, int] | None) -> None:
        """Commit an image beside no step."""
        people = self._people
        commit = Commit(
            position=people.position,
            as_of=people.as_of,
            complete_to=people.complete_to,
            program=people.program.hash,
            rows=pack_of(rows),
            seen_day=day_of(people.as_of),
            image=image,
        )
        if rows or image:
            self._store.commit(commit)
            self._seal(image)

    def _seal(self, image: tuple[str, int] | None) -> None:
        """Take over that an image is committed: older ones go."""
        if image is not None:
            assert self._under_way is not None
            self._sealed = self._under_way.about
            self.close()
            self._images.keep_only(image[0])


@dataclass
class _UnderWay:
    """An image being written, who is `missing` in it (by number), and how many commits have `waited` for the disk since
    it was finished.
    """

    image: NewImage
    about: About
    missing: Bools
    finished: bool = False
    waited: int = 0

    def missing_of(self, numbers: Ints) -> Ints:
        """Return those of the numbers who are missing."""
        known = numbers[numbers < len(self.missing)]
        return known[self.missing[known]]


def taken_out(people: People, store: StateStore) -> None:
    """Put the rows of all people into the store in place of the image it names: from now on each step writes rows."""
    loaded = store.loaded()
    if loaded is not None and loaded.image:
        rows = people.packed(np.arange(len(people.rows)))
        store.commit(
            Commit(
                position=people.position,
                as_of=people.as_of,
                complete_to=people.complete_to,
                program=people.program.hash,
                rows=pack_of(rows.items()),
                seen_day=day_of(people.as_of),
                image=("", NO_STEP),
            )
        )


def digest_of(commit: Commit) -> bytes:
    """Return a digest (16 bytes) of what a step put out: all of its commit but rows and image."""
    told = (
        commit.position,
        commit.as_of,
        commit.complete_to,
        sorted(commit.counts.items()),
        commit.dead,
        commit.replayed,
    )
    outbox, transitions = [body for _, body in commit.outbox], [one.body for one in commit.transitions]
    return blake2b(
        b"".join([msgspec.msgpack.encode(told), commit.seen, *outbox, *transitions]), digest_size=16
    ).digest()


def _taken(commit: Commit, given: Given) -> bytes:
    digest = digest_of(commit)
    return msgspec.msgpack.encode(
        Taken(commit.position, given.wave, bool(commit.seen), digest, dict(given.failing), given.until)
    )


def about_of(images: Images, name: str) -> About:
    """Return of what an image is; raises ImageError for a bad one."""
    return msgspec.msgpack.decode(images.about(name), type=About)
