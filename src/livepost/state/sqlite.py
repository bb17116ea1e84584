"""The state on disk: one SQLite file, opened by the engine alone.

In: commits, a step each. Out: what was kept, at start and when asked. Promises: a commit is one transaction, fsynced
when `commit` returns; what a crash leaves is the last commit, or the one before it, whole.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator
from pathlib import Path

import msgspec

from livepost.model.letter import Letter
from livepost.state.base import Commit, Loaded, Numbering, new_epoch, require_limit, require_not_back
from livepost.state.file import CHECKPOINT_BYTES, TABLES, WAL_BYTES, StateFile
from livepost.state.people import USUAL, Bounds, People
from livepost.state.transitions import Transitions

READ_AT_ONCE = 5_000
"""Rows read in one statement: a longer one would keep the WAL from being moved."""

_ADD_COUNT = "INSERT INTO counts VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET count = count + excluded.count"
_LETTER = Letter.__struct_fields__
_PUT_LETTER = (
    "INSERT OR REPLACE INTO dead (position, fate, reason, at, source, name, replayed_at)"
    " VALUES (:position, :fate, :reason, :at, :source, :name, :replayed_at)"
)
_MARK_REPLAYED = "UPDATE dead SET replayed_at = ? WHERE position = ? AND replayed_at IS NULL"
_LETTERS = f"SELECT {', '.join(_LETTER)} FROM dead WHERE position > ? ORDER BY position LIMIT ?"
_NUMBERED = "SELECT number, body FROM outbox WHERE number > ? AND +position > ? ORDER BY number LIMIT ?"
_PAGE = "SELECT position, body FROM outbox WHERE position > ? ORDER BY position, number LIMIT ?"
_HOURS = (
    "SELECT ended, body FROM hours WHERE ended >= coalesce("
    "(SELECT max(ended) FROM hours WHERE ended < ?1), ?1) ORDER BY ended"
)
_PLACE = ("position", "as_of", "complete_to", "program", "image")
_OF_POSITION = "SELECT position, body FROM outbox WHERE position = ? ORDER BY number"


class SqliteState:
    """See `base.StateStore` for what each method promises."""

    def __init__(
        self,
        path: Path,
        *,
        checkpoint_bytes: int = CHECKPOINT_BYTES,
        wal_bytes: int = WAL_BYTES,
        packs: Bounds = USUAL,
        vfs: str | None = None,
    ) -> None:
        """Open the state at `path`, making it if it is not there; `vfs` names an apsw VFS.

        `checkpoint_bytes` and `wal_bytes` say how long the WAL may be before it is moved to the file beside the
        commits, and before a commit waits for that; `packs` when people's packs are taken up. Raises
        StoreError if another process has the state open, another Livepost made it, or it cannot be opened.
        """
        self._file = StateFile(path, checkpoint_bytes=checkpoint_bytes, wal_bytes=wal_bytes, vfs=vfs)
        with contextlib.ExitStack() as opened:
            opened.callback(self._file.close)
            self._people = People(self._file, packs)
            self._transitions = Transitions(self._file)
            self._epoch, self._last = self._numbered()
            opened.pop_all()
        self._pruned = -1
        self._item = self._last_item()

    def loaded(self) -> Loaded | None:
        """Return where the last commit came to; None if there is none."""
        found = self._file.select("SELECT position, as_of, complete_to, program, image FROM progress")
        counts = dict(self._file.select("SELECT name, count FROM counts"))
        definitions = b"".join(body for (body,) in self._file.select("SELECT body FROM definitions"))
        for place in found:
            return Loaded(**dict(zip(_PLACE, place, strict=True)), counts=counts, definitions=definitions)
        return None

    def rows(self) -> Iterator[tuple[int, bytes]]:
        """Go through all people, in no order."""
        return self._people.rows()

    def rows_of(self, numbers: Collection[int]) -> dict[int, bytes]:
        """Return the rows of these people."""
        return self._people.rows_of(numbers)

    def seen(self) -> Iterator[bytes]:
        """Go through the steps' dedupe entries, in order of commit."""
        return (entries for _, entries in self._numbered_rows("SELECT number, entries FROM seen"))

    def steps(self) -> Iterator[tuple[int, bytes]]:
        """Go through the steps since the image, in order of number."""
        return self._numbered_rows("SELECT number, body FROM steps")

    def commit(self, commit: Commit) -> None:
        """Keep all that a step changed, in one fsynced transaction."""
        people = self._people.plan(commit.rows)
        items = enumerate(commit.outbox, self._item + 1)
        with self._file.transaction():
            self._put_progress(commit)
            self._people.write(people)
            self._file.change("DELETE FROM outbox WHERE position <= ?", [(self._pruned,)])
            self._file.change("INSERT INTO outbox VALUES (?, ?, ?)", [(n, *item) for n, item in items])
            if commit.seen:
                self._file.change("INSERT INTO seen (day, entries) VALUES (?, ?)", [(commit.seen_day, commit.seen)])
            found_by = self._transitions.write(self._last + 1, commit.transitions)
            self._file.change(_PUT_LETTER, [msgspec.structs.asdict(letter) for letter in commit.dead])
            self._file.change(_MARK_REPLAYED, [(at, letter) for letter, at in commit.replayed])
            self._file.change("INSERT OR REPLACE INTO hours VALUES (?, ?)", commit.hours)
            self._file.change(_ADD_COUNT, commit.counts.items())
            self._put_step(commit)
            if commit.definitions:
                self._file.change("INSERT OR REPLACE INTO definitions VALUES (0, ?)", [(commit.definitions,)])
        self._people.apply(people)
        self._transitions.apply(found_by)
        self._last += len(commit.transitions)
        self._item += len(commit.outbox)

    def outbox(self, after: int, limit: int) -> list[tuple[int, bytes]]:
        """Return a page of whole positions after `after`."""
        require_limit(limit)
        found = self._file.select(_PAGE, (max(after, self._pruned), limit + 1))
        if len(found) <= limit:
            return found
        cut = found[-1][0]
        return [item for item in found if item[0] < cut] or self._file.select(_OF_POSITION, (cut,))

    def outbox_after(self, number: int, limit: int) -> list[tuple[int, bytes]]:
        """Return items after a number, in order of commit."""
        require_limit(limit)
        return self._file.select(_NUMBERED, (number, self._pruned, limit))

    def newest_item(self) -> int:
        """Return the number of the newest outbox item."""
        return self._item

    def prune_outbox(self, upto: int) -> None:
        """Drop outbox items up to a position: from pages now, from the disk with the next commit."""
        self._pruned = max(self._pruned, upto)

    def transitions(self, person: bytes | None, segment: str | None, limit: int) -> list[bytes]:
        """Return transitions, the last committed first."""
        require_limit(limit)
        return self._transitions.newest(person, segment, limit)

    def numbering(self) -> Numbering:
        """Return which transitions are kept, by number."""
        first = self._transitions.first()
        return Numbering(epoch=self._epoch, first=self._last + 1 if first is None else first, last=self._last)

    def transitions_after(self, number: int, limit: int) -> list[tuple[int, bytes]]:
        """Return transitions after a number, in order of commit."""
        require_limit(limit)
        return self._transitions.after(number, limit)

    def forget_transitions(self, before_ms: int) -> int:
        """Drop the oldest transitions, up to the first that is not before `before_ms`; their numbers stay taken."""
        with self._file.transaction():
            self._file.change("UPDATE numbering SET last = ?", [(self._last,)])
            count = self._transitions.forget(before_ms)
        self._transitions.load()
        return count

    def hours(self, since_ms: int) -> list[tuple[int, bytes]]:
        """Return the hours that ended since, and the last one before them."""
        return self._file.select(_HOURS, (since_ms,))

    def forget_hours(self, before_ms: int) -> int:
        """Drop the hours that ended before `before_ms`."""
        with self._file.transaction():
            return self._file.change("DELETE FROM hours WHERE ended < ?", [(before_ms,)])

    def dead(self, after: int, limit: int) -> list[Letter]:
        """Return dead letters after a seq."""
        require_limit(limit)
        return [Letter(**dict(zip(_LETTER, row, strict=True))) for row in self._file.select(_LETTERS, (after, limit))]

    def dead_count(self) -> int:
        """Return how many dead letters there are."""
        ((count,),) = self._file.select("SELECT count(*) FROM dead")
        return int(count)

    def forget_seen(self, before_day: int) -> int:
        """Drop the dedupe entries of steps before a day."""
        return self._forget("seen", "day", before_day)

    def reset(self) -> None:
        """Drop everything, in one transaction."""
        with self._file.transaction():
            for table in TABLES:
                self._file.change(f"DELETE FROM {table}")
            self._file.change("DELETE FROM numbering")
        self._people.load()
        self._transitions.load()
        self._epoch, self._last = self._numbered()
        self._pruned = -1

    def snapshot(self, to: Path) -> None:
        """Write the file as the last commit left it as a file of its own."""
        self._file.copy(to)

    def close(self) -> None:
        """Release files and let another process in."""
        self._file.close()

    def _numbered(self) -> tuple[str, int]:
        """Return the transitions' epoch, which begins here if none has, and the last number given."""
        newest = self._transitions.last()
        for epoch, last in self._file.select("SELECT epoch, last FROM numbering"):
            return epoch, max(last, newest)
        epoch = new_epoch()
        with self._file.transaction():
            self._file.change("INSERT INTO numbering VALUES (?, ?)", [(epoch, newest)])
        return epoch, newest

    def _last_item(self) -> int:
        ((newest,),) = self._file.select("SELECT coalesce(max(number), 0) FROM outbox")
        return int(newest)

    def _put_progress(self, commit: Commit) -> None:
        image = ""
        for last, kept in self._file.select("SELECT position, image FROM progress"):
            require_not_back(commit.position, last)
            image = kept
        self._file.change("DELETE FROM progress")
        image = commit.image[0] if commit.image else image
        place = (commit.position, commit.as_of, commit.complete_to, commit.program, image)
        self._file.change("INSERT INTO progress VALUES (?, ?, ?, ?, ?)", [place])

    def _put_step(self, commit: Commit) -> None:
        if commit.step is not None:
            self._file.change("INSERT INTO steps VALUES (?, ?)", [commit.step])
        if commit.image is not None:
            self._file.change("DELETE FROM steps WHERE number < ?", [(commit.image[1],)])

    def _numbered_rows(self, question: str) -> Iterator[tuple[int, bytes]]:
        """Ask for rows by number in parts, with no statement open in between."""
        sql = f"{question} WHERE number > ? ORDER BY number LIMIT ?"
        after = -1
        while part := self._file.select(sql, (after, READ_AT_ONCE)):
            yield from part
            after = part[-1][0]

    def _forget(self, table: str, column: str, before: int) -> int:
        """Delete a table's oldest rows, up to the first whose column is not before: reads no more than it deletes."""
        first_kept = self._file.select(
            f"SELECT number FROM {table} WHERE {column} >= ? ORDER BY number LIMIT 1", (before,)
        )
        with self._file.transaction():
            if first_kept:
                return self._file.change(f"DELETE FROM {table} WHERE number < ?", first_kept)
            return self._file.change(f"DELETE FROM {table}")
