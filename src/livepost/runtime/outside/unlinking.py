"""A merge undone from outside the house: find the links of a person, read their history, have one undone.

In: a data folder; to undo, a running house. Out: links; where the undo is in the log. Promised: while the log is read
live records go on; what comes of the person meanwhile is read, too, before the undo is written.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, closing

import msgspec

from livepost.errors import StoreError
from livepost.log.whole import READ_RECORDS
from livepost.model.block import Block
from livepost.model.person import PersonView
from livepost.ops.unlinks import Link, Unlinks
from livepost.runtime.author.project import Project
from livepost.runtime.data.definitions import Named
from livepost.runtime.data.folder import DataFolder
from livepost.runtime.engine.asking import engine_of
from livepost.runtime.front.changing import NAMED
from livepost.runtime.front.reasons import person_of
from livepost.runtime.front.undoing import UNLINK
from livepost.runtime.outside.applying import FOLD_S, LOOK_S, patiently
from livepost.runtime.sockets.wire import WireClient, WireError

TRIES = 10
"""How often the log is read further because the person did something meanwhile."""


class Split(msgspec.Struct, frozen=True, kw_only=True):
    """A link, and what it undone would make of a person; subjects in hex.

    position, at, name   of the record that made one of two: its seq, stamp (ms) and name
    subject, mentioned   whose record it is, and whom it mentions
    one, other           the subjects on the side of either
    """

    position: int
    at: int
    name: str
    subject: str
    mentioned: str
    one: list[str]
    other: list[str]


class Undone(msgspec.Struct, frozen=True, kw_only=True):
    """An undo that took effect: its position, and what the two people are called (hex), who keeps the name first."""

    position: int
    person: str
    other: str


class Unlinking:
    """One person of a house; a context manager.

    person        as the engine has them; `splits` what each link undone would make of them, oldest first
    first         the oldest record that the log has: what was before it is lost to both
    lost_consents   purposes for which the person is allowed, by a record that the log does not have any more
    """

    def __init__(self, folder: DataFolder, project: Project, name: str) -> None:
        """Find the person whom one of their ids names, and read the log.

        Raises StoreError if nobody is known by it, or the log cannot be read.
        """
        self._folder = folder
        with ExitStack() as opened:
            self._vault = opened.enter_context(closing(folder.vault(readonly=True)))
            self._log = opened.enter_context(closing(folder.log_reader()))
            self._engine = opened.enter_context(engine_of(folder, project))
            self.person: PersonView = person_of(self._vault, self._engine, name, project.compiled.keys())
            unlinks = Unlinks(project.compiled, self.person.subjects, self._engine.apart())
            self._unlinks = opened.enter_context(unlinks)
            self.first = self._log.first()
            self._read_on()
            self._open = opened.pop_all()

    def __enter__(self) -> Unlinking:
        """Return itself."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Close what is open."""
        self._open.close()

    @property
    def splits(self) -> list[Split]:
        """What each link undone would make of the person, the oldest link first."""
        return [self._split(link) for link in self._links()]

    @property
    def lost_consents(self) -> list[str]:
        """Purposes for which nobody is allowed once the person is two: the log does not say who said so."""
        said = self._unlinks.purposes
        return sorted(purpose for purpose, allowed in self.person.consents.items() if allowed and purpose not in said)

    def undo(self, split: Split) -> Undone:
        """Make two people of the person; return once the engine has.

        Raises StoreError if the house does not run, the person is never quiet for long enough, or is another one by
        now.
        """
        [link] = [
            one for one in self._links() if (one.position, one.mentioned.hex()) == (split.position, split.mentioned)
        ]
        unseen = [subject for subject in self.person.subjects if subject not in self._unlinks.links.known]
        known = {subject: self._vault.keys(subject).known for subject in unseen}
        with closing(WireClient(self._folder.front_socket)) as front:
            _require_running(front)
            for _ in range(TRIES):
                told = self._unlinks.unlink(link, known)
                at = patiently(lambda: front.call(UNLINK, told, int | None))  # type: ignore[arg-type] # noqa: B023
                if at is not None:
                    return self._undone(at, link)
                self._read_on()
        raise StoreError(
            f"expected the person to do nothing while the end of the log is read, got something in each of {TRIES} "
            "tries; try again when they are quiet"
        )

    def _links(self) -> list[Link]:
        """Return the links that are between the person's subjects."""
        subjects = {*self.person.subjects}
        return [link for link in self._unlinks.links.links if {link.subject, link.mentioned} <= subjects]

    def _split(self, link: Link) -> Split:
        one, other = self._unlinks.links.sides(link, self.person.subjects)
        return Split(
            position=link.position,
            at=link.at,
            name=link.name,
            subject=link.subject.hex(),
            mentioned=link.mentioned.hex(),
            one=[subject.hex() for subject in one],
            other=[subject.hex() for subject in other],
        )

    def _read_on(self) -> None:
        """Read the log from where it was read to, to its end."""
        upto, last = self._unlinks.upto.seq, self._log.last()
        after = upto if upto >= 0 else self._log.first() - 1
        if last.seq > upto:
            self._unlinks.read(self._blocks(after, last.seq), last)

    def _blocks(self, after: int, upto: int) -> Iterator[Block]:
        while after < upto and (blocks := self._log.read(after, min(READ_RECORDS, upto - after))):
            yield from blocks
            after = blocks[-1].first + blocks[-1].count - 1

    def _undone(self, at: int, link: Link) -> Undone:
        """Return what came of an undo at a position: of one before it, where the answer to that was lost."""
        deadline = time.monotonic() + FOLD_S
        while patiently(self._engine.status).position < at:
            if time.monotonic() > deadline:
                raise StoreError(f"expected the engine to get to record {at} within {FOLD_S:g} s, it did not")
            time.sleep(LOOK_S)
        undone = [(undo.link, undo.mentioned) for undo in patiently(self._engine.apart)]
        if (link.position, link.mentioned) not in undone:
            raise StoreError(
                "expected the person to be the same while the log was read, they were merged with another or parted; "
                "look at their links again"
            )
        ends = patiently(lambda: self._engine.people([link.subject, link.mentioned], at))
        names = sorted((view.person for view in ends.values()), key=lambda name: name != self.person.person)
        return Undone(position=at, person=names[0].hex(), other=names[1].hex())


def _require_running(front: WireClient) -> None:
    try:
        front.call(NAMED, None, Named)
    except WireError as error:
        raise StoreError(
            "expected a house that runs, to undo a merge, got no answer from its front; start it with `livepost run`"
        ) from error
