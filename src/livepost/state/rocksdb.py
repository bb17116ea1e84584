"""The state as a RocksDB: a folder, opened by the engine alone. Needs the extra `livepost[rocksdb]`.

In: commits, a step each. Out: what was kept, at start and when asked. Promises: a commit is one write batch over all
families, its WAL fsynced when `commit` returns; what a crash leaves is the last commit, or the one before it, whole.

Families: `meta` (where the last commit came to), `rows` (people by number), `seen`, `outbox` (by position and number),
`transitions` (by number), `by_person` and `by_segment` (their indexes), `dead`, `hours`, `steps`. Numbers in keys are
big-endian, so that families are in their order.
"""

from __future__ import annotations

import contextlib
import os
import struct
from bisect import bisect_left
from collections.abc import Collection, Iterator
from itertools import islice
from pathlib import Path

import msgspec
from rocksdict import Checkpoint, ColumnFamily, DBRecoveryMode, Options, Rdict, WriteBatch, WriteOptions

from livepost.errors import OutcomeUnknownError, StoreError
from livepost.model.letter import Letter
from livepost.state.base import (
    Commit,
    Loaded,
    Numbering,
    TransitionRow,
    new_epoch,
    require_limit,
    require_not_back,
)
from livepost.state.hold import held, sync_folder
from livepost.state.pack import Pack
from livepost.state.places import require_numbers

ROCKSDB_FORMAT = 3

FAMILIES = (
    "meta", "rows", "seen", "outbox", "transitions", "by_person", "by_segment", "dead", "hours", "steps",
)  # fmt: skip

BUFFER_BYTES = 32_000_000
"""From this length on what was written to a family is moved from memory to a file, beside the commits."""

WAL_BYTES = 256_000_000
"""Length of all WALs together from which on the oldest is moved to files."""

FILES_MAX = 256
"""Files open at once."""

_NUMBER = struct.Struct(">Q")
_PLACE = struct.Struct(">QQ")
_DAY = struct.Struct(">I")
_AT = struct.Struct(">q16s")
_META = b"meta"
_DEFINITIONS = b"definitions"
_FIRST, _END = b"", b"\xff" * 40


class Meta(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept beside the families: where the last commit came to (None: none yet), and what is counted."""

    format: int
    epoch: str
    loaded: Loaded | None = None
    transition: int = 0
    item: int = 0
    seen: int = 0
    dead: int = 0


_meta = msgspec.msgpack.Decoder(Meta)
_letter = msgspec.msgpack.Decoder(Letter)


class RocksState:
    """See `base.StateStore` for what each method promises."""

    def __init__(self, path: Path) -> None:
        """Open the state in the folder `path`, making it if it is not there.

        Raises StoreError if another process has the state open, another Livepost made it, or it cannot be opened.
        """
        self._path = path
        self._broken = ""
        self._pruned = -1
        self._decided: list[tuple[int, int]] | None = None
        self._family: dict[str, Rdict] = {}
        self._handle: dict[str, ColumnFamily] = {}
        with contextlib.ExitStack() as opened:
            opened.callback(os.close, held(path))
            self._db = _open(path)
            opened.callback(self._close_all)
            self._family = {name: self._db.get_column_family(name) for name in FAMILIES}
            self._handle = {name: self._db.get_column_family_handle(name) for name in FAMILIES}
            self._meta = self._read_meta()
            self._close = opened.pop_all()

    def loaded(self) -> Loaded | None:
        """Return where the last commit came to; None if there is none."""
        loaded = self._meta.loaded
        return msgspec.structs.replace(loaded, definitions=self._get("meta", _DEFINITIONS)) if loaded else None

    def rows(self) -> Iterator[tuple[int, bytes]]:
        """Go through all people, in no order."""
        return self._numbered("rows")

    def rows_of(self, numbers: Collection[int]) -> dict[int, bytes]:
        """Return the rows of these people."""
        with self._reading():
            found = self._family["rows"].get([_NUMBER.pack(number) for number in numbers]) if numbers else []
        return {number: row for number, row in zip(numbers, found or (), strict=True) if row is not None}

    def seen(self) -> Iterator[bytes]:
        """Go through the steps' dedupe entries, in order of commit."""
        return (raw[_DAY.size :] for _, raw in self._numbered("seen"))

    def steps(self) -> Iterator[tuple[int, bytes]]:
        """Go through the steps since the image, in order of number."""
        return self._numbered("steps")

    def commit(self, commit: Commit) -> None:
        """Keep all that a step changed, in one fsynced batch."""
        before = self._meta.loaded
        require_not_back(commit.position, before.position if before else commit.position)
        require_numbers(commit.rows.numbers)
        batch, meta = WriteBatch(raw_mode=True), self._meta
        self._put_rows(batch, commit.rows)
        self._drop(batch, "outbox", _PLACE.pack(self._pruned + 1, 0))
        self._put(batch, "outbox", [(_PLACE.pack(p, n), body) for n, (p, body) in enumerate(commit.outbox, meta.item)])
        if commit.seen:
            self._put(batch, "seen", [(_NUMBER.pack(meta.seen), _DAY.pack(commit.seen_day) + commit.seen)])
        self._put_transitions(batch, commit.transitions)
        new_letters = self._put_letters(batch, commit)
        self._put(batch, "hours", [(_NUMBER.pack(end), body) for end, body in commit.hours])
        if commit.definitions:
            self._put(batch, "meta", [(_DEFINITIONS, commit.definitions)])
        if commit.step is not None:
            self._put(batch, "steps", [(_NUMBER.pack(commit.step[0]), commit.step[1])])
        if commit.image is not None:
            self._drop(batch, "steps", _NUMBER.pack(commit.image[1]))
        self._write(
            batch,
            msgspec.structs.replace(
                meta,
                loaded=_after(before, commit),
                transition=meta.transition + len(commit.transitions),
                item=meta.item + len(commit.outbox),
                seen=meta.seen + bool(commit.seen),
                dead=meta.dead + new_letters,
            ),
        )
        if self._decided is not None:
            self._decided += [(n, position) for n, (position, _) in enumerate(commit.outbox, meta.item)]

    def outbox(self, after: int, limit: int) -> list[tuple[int, bytes]]:
        """Return a page of whole positions after `after`."""
        require_limit(limit)
        begin = max(after, self._pruned) + 1
        found = [(_PLACE.unpack(key)[0], body) for key, body in islice(self._items("outbox", begin), limit + 1)]
        if len(found) <= limit:
            return found
        cut = found[-1][0]
        return [item for item in found if item[0] < cut] or self._of_position(cut)

    def outbox_after(self, number: int, limit: int) -> list[tuple[int, bytes]]:
        """Return items after a number, in order of commit."""
        require_limit(limit)
        if self._decided is None:  # on disk they are by position: whoever never asks for them so does not read them all
            places = (_PLACE.unpack(key) for key, _ in self._items("outbox", self._pruned + 1))
            self._decided = sorted((n, position) for position, n in places)
        first = bisect_left(self._decided, (number, 0))  # kept from 0, told from 1
        found = self._decided[first : first + limit]
        with self._reading():
            bodies = self._family["outbox"].get([_PLACE.pack(at, n) for n, at in found]) if found else []
        return [(n + 1, body) for (n, _), body in zip(found, bodies or (), strict=True)]

    def newest_item(self) -> int:
        """Return the number of the newest outbox item."""
        return self._meta.item  # kept from 0, told from 1

    def prune_outbox(self, upto: int) -> None:
        """Drop outbox items up to a position: from pages now, from the disk with the next commit."""
        if upto > self._pruned and self._decided is not None:
            self._decided = [(n, position) for n, position in self._decided if position > upto]
        self._pruned = max(self._pruned, upto)

    def transitions(self, person: bytes | None, segment: str | None, limit: int) -> list[bytes]:
        """Return transitions, the last committed first."""
        require_limit(limit)
        if person is None and segment is None:
            bodies = (_body_of(raw) for _, raw in self._backwards("transitions", b""))
            return list(islice(bodies, limit))
        index, prefix = ("by_person", person) if person is not None else ("by_segment", _segment_key(segment))
        asked = None if segment is None else segment.encode()
        wanted = (key[-_NUMBER.size :] for key, told in self._backwards(index, prefix) if asked in (None, told))
        return [_body_of(self._get("transitions", number)) for number in islice(wanted, limit)]

    def numbering(self) -> Numbering:
        """Return which transitions are kept, by number."""
        last = self._meta.transition
        first = next((number for number, _ in self._numbered("transitions")), last + 1)
        return Numbering(epoch=self._meta.epoch, first=first, last=last)

    def transitions_after(self, number: int, limit: int) -> list[tuple[int, bytes]]:
        """Return transitions after a number, in order of commit."""
        require_limit(limit)
        found = islice(self._numbered("transitions", max(number, 0) + 1), limit)
        return [(kept, _body_of(raw)) for kept, raw in found]

    def forget_transitions(self, before_ms: int) -> int:
        """Drop the oldest transitions, up to the first that is not before `before_ms`; their numbers stay taken."""
        batch, count = WriteBatch(raw_mode=True), 0
        for number, raw in self._numbered("transitions"):
            at, person = _AT.unpack_from(raw)
            if at >= before_ms:
                break
            key = _NUMBER.pack(number)
            batch.delete(key, self._handle["transitions"])
            batch.delete(person + key, self._handle["by_person"])
            batch.delete(_segment_key(_segment_of(raw)) + key, self._handle["by_segment"])
            count += 1
        self._write(batch, self._meta)
        return count

    def hours(self, since_ms: int) -> list[tuple[int, bytes]]:
        """Return the hours that ended since, and the last one before them."""
        earlier = [end for end, _ in self._numbered("hours") if end < since_ms]
        return list(self._numbered("hours", earlier[-1] if earlier else 0))

    def forget_hours(self, before_ms: int) -> int:
        """Drop the hours that ended before `before_ms`."""
        return self._forget("hours", [end for end, _ in self._numbered("hours") if end < before_ms])

    def dead(self, after: int, limit: int) -> list[Letter]:
        """Return dead letters after a seq."""
        require_limit(limit)
        return [_letter.decode(raw) for _, raw in islice(self._numbered("dead", max(after + 1, 0)), limit)]

    def dead_count(self) -> int:
        """Return how many dead letters there are."""
        return self._meta.dead

    def forget_seen(self, before_day: int) -> int:
        """Drop the dedupe entries of steps before a day."""
        old = []
        for number, raw in self._numbered("seen"):
            if _DAY.unpack_from(raw)[0] >= before_day:
                break
            old.append(number)
        return self._forget("seen", old)

    def reset(self) -> None:
        """Drop everything, in one batch."""
        batch = WriteBatch(raw_mode=True)
        for name in FAMILIES:
            batch.delete_range(_FIRST, _END, self._handle[name])
        self._write(batch, Meta(format=ROCKSDB_FORMAT, epoch=new_epoch()))
        self._pruned = -1
        self._decided = None

    def snapshot(self, to: Path) -> None:
        """Write a checkpoint: files that do not change any more are linked, the rest is copied."""
        try:
            Checkpoint(self._db).create_checkpoint(str(to))
            sync_folder(to.parent)
        except Exception as error:
            raise StoreError(
                f"the state {self._path} cannot be copied to {to}: {error}; see `livepost doctor`"
            ) from error

    def close(self) -> None:
        """Release files and let another process in."""
        self._close.close()

    def _put_rows(self, batch: WriteBatch, rows: Pack) -> None:
        people, key = self._handle["rows"], _NUMBER.pack
        for number, row in rows.everybody():
            if row is None:
                batch.delete(key(number), people)
            else:
                batch.put(key(number), row, people)

    def _put_transitions(self, batch: WriteBatch, transitions: list[TransitionRow]) -> None:
        for number, one in enumerate(transitions, self._meta.transition + 1):
            key, segment = _NUMBER.pack(number), one.segment.encode()
            raw = b"".join((_AT.pack(one.at, one.person), _DAY.pack(len(segment)), segment, one.body))
            batch.put(key, raw, self._handle["transitions"])
            batch.put(one.person + key, segment, self._handle["by_person"])
            batch.put(_segment_key(one.segment) + key, segment, self._handle["by_segment"])

    def _put_letters(self, batch: WriteBatch, commit: Commit) -> int:
        """Put a commit's letters and mark those replayed; return how many are new."""
        letters = {letter.position: letter for letter in commit.dead}
        new = sum(self._letter(seq) is None for seq in letters)
        for seq, at in commit.replayed:
            letter = letters.get(seq) or self._letter(seq)
            if letter is not None and letter.replayed_at is None:
                letters[seq] = msgspec.structs.replace(letter, replayed_at=at)
        packed = [(_NUMBER.pack(seq), msgspec.msgpack.encode(letter)) for seq, letter in letters.items()]
        self._put(batch, "dead", packed)
        return new

    def _letter(self, seq: int) -> Letter | None:
        raw = self._get("dead", _NUMBER.pack(seq)) if seq >= 0 else b""
        return _letter.decode(raw) if raw else None

    def _put(self, batch: WriteBatch, family: str, items: list[tuple[bytes, bytes]]) -> None:
        handle = self._handle[family]
        for key, value in items:
            batch.put(key, value, handle)

    def _drop(self, batch: WriteBatch, family: str, before: bytes) -> None:
        """Drop what lies before a key, if there is anything: each range that is dropped costs later reads."""
        first = next(self._items(family, 0), None)
        if first is not None and first[0] < before:
            batch.delete_range(_FIRST, before, self._handle[family])

    def _forget(self, family: str, numbers: list[int]) -> int:
        batch = WriteBatch(raw_mode=True)
        for number in numbers:
            batch.delete(_NUMBER.pack(number), self._handle[family])
        self._write(batch, self._meta)
        return len(numbers)

    def _of_position(self, position: int) -> list[tuple[int, bytes]]:
        end = _NUMBER.pack(position + 1)
        begin = ((key, body) for key, body in self._items("outbox", position))
        found = []
        for key, body in begin:
            if key >= end:
                break
            found.append((position, body))
        return found

    def _write(self, batch: WriteBatch, meta: Meta) -> None:
        """Write a batch, fsynced, and with it what is counted.

        Raises StoreError if a write failed before, OutcomeUnknownError if this one does.
        """
        if self._broken:
            raise StoreError(f"the state takes nothing more since {self._broken}; close it and open it again")
        batch.put(_META, msgspec.msgpack.encode(meta), self._handle["meta"])
        synced = WriteOptions()
        synced.sync = True
        try:
            self._db.write(batch, synced)
        except Exception as error:  # the binding has no error of its own
            # The WAL may hold the batch or not, and the kernel may tell the next fsync that all is well.
            self._broken = f"a commit failed ({error})"
            raise OutcomeUnknownError(
                f"nobody can know whether the state has the last step: {error}; close it, open it again, and go on "
                "from its position"
            ) from error
        self._meta = meta

    def _get(self, family: str, key: bytes) -> bytes:
        """Return a value, b"" if it is not there."""
        with self._reading():
            return self._family[family].get(key) or b""

    def _items(self, family: str, begin: int) -> Iterator[tuple[bytes, bytes]]:
        """Go through a family from a number on."""
        with self._reading():
            yield from self._family[family].items(from_key=_NUMBER.pack(max(begin, 0)))

    def _numbered(self, family: str, begin: int = 0) -> Iterator[tuple[int, bytes]]:
        for key, value in self._items(family, begin):
            yield _NUMBER.unpack(key)[0], value

    def _backwards(self, family: str, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Go through what in a family has a key that begins with a prefix, the last first."""
        with self._reading():
            for key, value in self._family[family].items(backwards=True, from_key=prefix + b"\xff" * 9):
                assert isinstance(key, bytes)
                if not key.startswith(prefix):
                    return
                yield key, value

    @contextlib.contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except GeneratorExit:
            raise
        except Exception as error:
            raise StoreError(f"the state {self._path} cannot be read: {error}; see `livepost doctor`") from error

    def _read_meta(self) -> Meta:
        """Return what is kept beside the families; a new state gets it here."""
        raw = self._get("meta", _META)
        if not raw:
            new = Meta(format=ROCKSDB_FORMAT, epoch=new_epoch())
            self._write(WriteBatch(raw_mode=True), new)
            return new
        try:
            meta = _meta.decode(raw)
        except ValueError as error:
            raise StoreError(f"the state {self._path} cannot be read: {error}; see `livepost doctor`") from error
        if meta.format != ROCKSDB_FORMAT:
            raise StoreError(
                f"expected a state of format {ROCKSDB_FORMAT}, got {meta.format} in {self._path}; open it with the "
                "Livepost that wrote it, or move it away and have the state rebuilt from the log"
            )
        return meta

    def _close_all(self) -> None:
        # Closing moves memory to files; what is in the WAL is as safe there, and the next opening makes up for it. The
        # folder is RocksDB's until the last of these is gone.
        for part in (*self._family.values(), self._db):
            with contextlib.suppress(Exception):
                part.close()
        self._family, self._handle = {}, {}


def _open(path: Path) -> Rdict:
    options = Options(raw_mode=True)
    options.create_if_missing(True)
    options.create_missing_column_families(True)
    options.set_max_open_files(FILES_MAX)
    options.set_max_total_wal_size(WAL_BYTES)
    options.set_wal_recovery_mode(DBRecoveryMode.point_in_time())
    try:
        path.mkdir(mode=0o700, exist_ok=True)
        sync_folder(path.parent)
        return Rdict(str(path), options, {name: _family_options() for name in FAMILIES})
    except Exception as error:
        raise StoreError(f"the state {path} cannot be opened: {error}; see `livepost doctor`") from error


def _family_options() -> Options:
    options = Options(raw_mode=True)
    options.set_write_buffer_size(BUFFER_BYTES)
    return options


def _after(before: Loaded | None, commit: Commit) -> Loaded:
    counts = before.counts if before else {}
    return Loaded(
        position=commit.position,
        as_of=commit.as_of,
        complete_to=commit.complete_to,
        program=commit.program,
        counts=counts | {name: counts.get(name, 0) + more for name, more in commit.counts.items()},
        image=commit.image[0] if commit.image else before.image if before else "",
    )


def _segment_key(segment: str | None) -> bytes:
    return (segment or "").encode() + b"\x00"


def _segment_of(raw: bytes) -> str:
    (length,) = _DAY.unpack_from(raw, _AT.size)
    return raw[_AT.size + _DAY.size :][:length].decode()


def _body_of(raw: bytes) -> bytes:
    (length,) = _DAY.unpack_from(raw, _AT.size)
    return raw[_AT.size + _DAY.size + length :]
