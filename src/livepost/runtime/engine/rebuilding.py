"""A replay: the state built anew from the log beside the one there is, compared with it, put in its place.

In: the data folder of a house that is stopped. Out: progress, what came out beside what was there, and, when told so,
the new state in place of the old one. Promised: nothing is mailed and the ledger is not written; the old state stays as
it is until the new one is whole and is told to take its place; a replay whose process died goes on where it was.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, closing
from functools import partial
from importlib.metadata import version
from pathlib import Path

import msgspec

from livepost.clock import WallClock
from livepost.errors import HeldError, StoreError
from livepost.ledger.base import MAX_LISTED
from livepost.model.compiled import Compiled
from livepost.model.decision import ASKED_FOR, Decision, OutboxItem, Transition
from livepost.model.told import SegmentCount
from livepost.ops.divergence import Compared, compare
from livepost.runtime.data.folder import DataFolder
from livepost.runtime.engine.attempts import Attempts
from livepost.runtime.engine.recovery import OtherwiseError
from livepost.runtime.engine.snapshot import snapshot_before
from livepost.runtime.engine.sweep import pace_of
from livepost.runtime.engine.worker import STEP_RECORDS, TRANSITIONS_KEPT_MS, TRANSITIONS_MAX, Worker
from livepost.state.base import DurableStateStore, StateStore
from livepost.state.hold import sync_folder
from livepost.state.image import ImageError, Images
from livepost.state.opening import open_state
from livepost.state.placing import copy, settle, take_place

ITEMS_AT_ONCE = 5_000
"""Outbox items read at once."""

BEGUN = "begun.json"
ATTEMPT = "engine.attempt"

_items = msgspec.msgpack.Decoder(OutboxItem)
_transitions = msgspec.msgpack.Decoder(Transition)


class Begun(msgspec.Struct, frozen=True, kw_only=True):
    """What a replay that may be gone on with was begun with: `start` is the seq of its first record."""

    livepost: str
    state: str
    rows: str
    start: int


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How many records are folded, of how many that are to be."""

    done: int
    of: int


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a replay came to. `transitions` are compared with those of the state before (None: `unread` says why not),
    `decisions` with the ledger's.
    """

    start: int
    position: int
    people: int
    segments: list[SegmentCount]
    decisions: Compared
    transitions: Compared | None
    unread: str = ""

    @property
    def holds(self) -> bool:
        """Whether it came out as it was, as far as that can be told."""
        return self.decisions.holds and (self.transitions is None or self.transitions.holds)


class Rebuilding:
    """One replay; a context manager. `went_on_at` is the position of the replay that is gone on with, None for a new
    one.
    """

    def __init__(self, folder: DataFolder, compiled: Compiled, start: int | None = None, *, anew: bool = False) -> None:
        """Begin a replay from record `start`, the log's first one if None; go on with one that was cut short, unless
        `anew`. `compiled` serves where the log names no project.

        Raises StoreError if the house runs, or the log or a snapshot has not what a state from there on needs.
        """
        self._folder = folder
        self._compiled = compiled
        with ExitStack() as opened:
            opened.enter_context(_stopped(folder))
            settle(folder.replay_folder, folder.state_path)
            self._log = opened.enter_context(closing(folder.log_reader()))
            self._start, self._snapshot = _start(folder, self._log.first(), self._log.last().seq, start)
            self._old = opened.enter_context(ExitStack())
            self._before, self._unread = _before(folder, self._old)
            self._prepare(anew)
            self._open = opened.enter_context(ExitStack())
            self._store, self._worker = self._opened()
            self._all = opened.pop_all()
        done = self._worker.shard.position
        self.went_on_at = done if done >= self._start else None

    def __enter__(self) -> Rebuilding:
        """Return itself."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Let go of the house; what was built stays beside the state unless it took its place."""
        self._all.close()

    def carry_out(self) -> Iterator[Progress]:
        """Fold the log to its end. Raises StoreError if it cannot be read, or the new state cannot be written."""
        end = self._log.last().seq
        going = True
        while going:
            yield Progress(done=self._worker.shard.position + 1 - self._start, of=end + 1 - self._start)
            going = self._worker.turn()
        self._worker.settle()

    def outcome(self) -> Outcome:
        """Compare what came out with what was there."""
        status = self._worker.status()
        return Outcome(
            start=self._start,
            position=status.position,
            people=status.people,
            segments=self._worker.segments(),
            decisions=self._compared_decisions(),
            transitions=self._compared_transitions(status.as_of),
            unread=self._unread,
        )

    def take_place(self) -> None:
        """Let the new state take the place of the old one, which goes. Raises StoreError if the disk says no: the next
        start goes on with it then.
        """
        self._open.close()
        self._old.close()
        take_place(self._folder.replay_folder, self._folder.state_path)

    def _prepare(self, anew: bool) -> None:
        """Make the folder in which the new state is built, unless there is one that can be gone on with."""
        place, name = self._folder.replay_folder, self._folder.state_path.name
        begun = Begun(
            livepost=version("livepost"),
            state=self._folder.settings.state,
            rows=self._folder.settings.state_rows,
            start=self._start,
        )
        if not anew and _read_begun(place) == begun:
            return
        try:
            shutil.rmtree(place, ignore_errors=True)
            place.mkdir(mode=0o700)
            if self._snapshot is not None:
                copy(self._snapshot / name, place)
            (place / BEGUN).write_bytes(msgspec.json.encode(begun))
            sync_folder(place)
            sync_folder(place.parent)
        except OSError as error:
            raise StoreError(
                f"a replay needs room for another state in {place}: {error}; nothing is changed"
            ) from error

    def _opened(self) -> tuple[DurableStateStore, Worker]:
        """Open what was built so far; begin anew where it cannot be gone on with."""
        try:
            return self._open_once()
        except (OtherwiseError, ImageError):
            self._open.close()
            self._prepare(True)
            return self._open_once()

    def _open_once(self) -> tuple[DurableStateStore, Worker]:
        folder, place = self._folder, self._folder.replay_folder
        path = place / folder.state_path.name
        store = self._open.enter_context(closing(open_state(folder.settings.state, path)))
        attempts = self._open.enter_context(closing(Attempts(STEP_RECORDS, place / ATTEMPT)))
        worker = Worker(
            self._compiled,
            store,
            self._log,
            WallClock(),
            folder.settings.workspace,
            attempts=attempts,
            images=Images(path.with_name(path.name + ".images")),
            pace=pace_of(folder.settings),
            row_bytes=folder.settings.rows_mb * 1_000_000,
        )
        self._open.enter_context(closing(worker))
        return store, worker

    def _compared_transitions(self, as_of: int) -> Compared | None:
        """Compare the transitions that both states keep for sure, up to where the old one had served everybody."""
        loaded = self._before.loaded() if self._before else None
        if self._before is None or loaded is None:
            return None
        since, upto = max(as_of, loaded.as_of) - TRANSITIONS_KEPT_MS, loaded.complete_to

        def kept(store: StateStore) -> Iterator[Transition]:
            for one in _transitions_of(store):
                if one.at >= since and self._start <= one.position <= upto:
                    yield one

        return compare(partial(kept, self._before), partial(kept, self._store), upto)

    def _compared_decisions(self) -> Compared:
        with closing(self._folder.ledger()) as ledger:

            def before() -> Iterator[Decision]:
                after = 0
                while numbered := ledger.decided(after, MAX_LISTED):
                    yield from (
                        one for _, one in numbered if one.campaign not in ASKED_FOR and one.position >= self._start
                    )
                    after = numbered[-1][0]

            return compare(before, partial(_decisions_of, self._store, self._start), ledger.cursor())


def _stopped(folder: DataFolder) -> ExitStack:
    """Keep houses off the folder; raises StoreError if one runs there."""
    try:
        held = folder.hold()
    except StoreError as error:
        raise StoreError(
            f"expected a house that is stopped, to replay its log, one runs on {folder.path}; stop it (Ctrl-C) and "
            "replay then"
        ) from error
    with ExitStack() as stack:
        stack.enter_context(closing(held))
        return stack.pop_all()


def _start(folder: DataFolder, first: int, last: int, wished: int | None) -> tuple[int, Path | None]:
    """Return the seq of the first record to be folded, and the snapshot to begin with, if any.

    Raises StoreError if neither log nor a snapshot has what is before it.
    """
    if last < 0:
        raise StoreError("expected a log with records, got an empty one; there is nothing to replay")
    if wished is None and first > 0:
        raise StoreError(
            f"expected the log from its first record, it begins at {first}: retention dropped what was before, and a "
            f"state made without it has forgotten that; `livepost replay --from {first}` does it all the same"
        )
    if wished is None or wished <= first:
        return first, None
    snapshot = snapshot_before(folder, wished)
    if snapshot is None or snapshot.position < first - 1:
        raise StoreError(
            f"expected a snapshot of the state before record {wished}, there is none in {folder.snapshots_folder} that "
            f"the log goes on from (`livepost snapshot` makes them); `--from {first}` begins at the log's first record"
        )
    return snapshot.position + 1, snapshot.path


def _before(folder: DataFolder, open_: ExitStack) -> tuple[DurableStateStore | None, str]:
    """Return the state that is there, open, so that no engine opens it meanwhile; or why there is none to compare with.

    Raises HeldError if an engine has it open.
    """
    if not folder.state_path.exists():
        return None, "there was no state before"
    try:
        store = open_.enter_context(closing(folder.state()))
        return (store, "") if store.loaded() else (None, "the state before was empty")
    except HeldError:
        raise
    except StoreError as error:
        return None, f"the state before could not be read ({error})"


def _transitions_of(store: StateStore) -> Iterator[Transition]:
    after = store.numbering().first - 1
    while numbered := store.transitions_after(after, TRANSITIONS_MAX):
        yield from (_transitions.decode(body) for _, body in numbered)
        after = numbered[-1][0]


def _decisions_of(store: StateStore, start: int) -> Iterator[Decision]:
    after = start - 1
    while page := store.outbox(after, ITEMS_AT_ONCE):
        for _, body in page:
            item = _items.decode(body)
            if isinstance(item, Decision):
                yield item
        after = page[-1][0]


def _read_begun(place: Path) -> Begun | None:
    try:
        return msgspec.json.decode((place / BEGUN).read_bytes(), type=Begun)
    except (FileNotFoundError, ValueError):
        return None
