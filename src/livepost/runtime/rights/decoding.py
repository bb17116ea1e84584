"""What each store holds, as its own reader gives it to one who has the vault: the byte-scan looks through it.

In: a reach. Out: bytes, unpacked and with every seal opened that a key still opens. Promised: nothing is written; a
seal whose key is destroyed gives nothing.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import apsw
import msgspec

from livepost.clock import WallClock
from livepost.deliver.keep import each
from livepost.errors import SealError, StoreError
from livepost.intake.seal import open_value
from livepost.log.base import LogReader
from livepost.model.person import PersonView
from livepost.model.record import Record, SealedValue
from livepost.runtime.engine.asking import engine_of
from livepost.runtime.engine.snapshot import snapshots
from livepost.runtime.engine.worker import Worker
from livepost.runtime.rights.reach import Reach, audiences_of
from livepost.state.image import Images
from livepost.state.opening import open_state

ALL = 1_000_000
READ = 1_000
_encode = msgspec.msgpack.encode


def log(reach: Reach) -> Iterator[bytes]:
    """Go through the log's records, each with its seals opened."""
    with closing(reach.folder.log_reader()) as reader:
        for record in records(reader):
            yield _encode(record)
            for value in filter(None, map(record.sealed_value, record.sealed)):
                yield from _opened(reach, value)


def records(reader: LogReader) -> Iterator[Record]:
    """Go through the records of a log."""
    after = reader.first() - 1
    while blocks := reader.read(after, READ):
        for block in blocks:
            yield from block.records()
        after = blocks[-1].first + blocks[-1].count - 1


def people(reach: Reach) -> Iterator[bytes]:
    """Go through the engine's people, transitions and dead letters, of the one that runs or of its state on disk."""
    with engine_of(reach.folder, reach.project) as engine:
        yield from _views(reach, engine.everybody(ALL))
        for transition in engine.transitions(None, None, ALL):
            yield _encode(transition)
        for letter in engine.dead(-1, ALL):
            yield _encode(letter)


def kept_states(reach: Reach) -> Iterator[bytes]:
    """Go through the people of each snapshot."""
    folder = reach.folder
    for snapshot in snapshots(folder):
        path = snapshot.path / folder.state_path.name
        yield from _state(reach, path, Images(snapshot.path / folder.images.folder.name))


def replayed(reach: Reach) -> Iterator[bytes]:
    """Go through the people of a state that a replay left unfinished."""
    for path in reach.folder.replay_folder.glob(reach.folder.state_path.name):
        yield from _state(reach, path, Images(path.with_name(path.name + ".images")))


def ledger(reach: Reach) -> Iterator[bytes]:
    """Go through every value of the ledger's tables; drafts and wishes opened."""
    with closing(reach.folder.ledger()) as open_ledger:
        for value in open_ledger.values():
            yield _bytes(value)
            if isinstance(value, bytes):
                with contextlib.suppress(ValueError):
                    yield from _opened(reach, msgspec.msgpack.decode(value, type=SealedValue))


def vault(reach: Reach) -> Iterator[bytes]:
    """Go through the external ids of every subject."""
    subjects = [bytes(row[0]) for row in _select(reach.folder.path / "vault.db", "SELECT subject FROM subjects")]
    for id in reach.vault.external_ids(subjects):
        yield f"{id.kind} {id.value}".encode()


def mailbox(reach: Reach) -> Iterator[bytes]:
    """Go through the kept mails."""
    if reach.folder.mailbox.exists():
        for mail in each(reach.folder.mailbox, reach.vault, reach.folder.settings.workspace):
            yield mail.raw


def audiences(reach: Reach) -> Iterator[bytes]:
    """Go through the book of audiences, with every ident that a vendor is known to have."""
    path = reach.folder.audiences_file
    yield from rows(path)
    if not path.exists():
        return
    with audiences_of(reach) as (book, destinations):
        for one, shop in destinations:
            for row in book.rows_after(one.name, b"", ALL):
                yield _encode(shop.open(row.ident))


def webhooks(reach: Reach) -> Iterator[bytes]:
    """Go through the book of webhooks."""
    return rows(reach.folder.webhooks_file)


def audit(reach: Reach) -> Iterator[bytes]:
    """Go through the audit."""
    return rows(reach.folder.audit_file)


def control(reach: Reach) -> Iterator[bytes]:
    """Go through the control tables."""
    return rows(reach.folder.path / "control.db")


def plain(*names: str) -> Any:
    """Return what goes through files that need no reader."""

    def read(reach: Reach) -> Iterator[bytes]:
        for name in names:
            for path in sorted(reach.folder.path.glob(name)):
                if path.is_file():
                    yield path.read_bytes()

    return read


def rows(path: Path) -> Iterator[bytes]:
    """Go through every value of every table of a SQLite file; nothing if there is none."""
    if not path.exists():
        return
    for (table,) in _select(path, "SELECT name FROM sqlite_schema WHERE type = 'table'"):
        for row in _select(path, f"SELECT * FROM {table}"):
            yield from map(_bytes, row)


def _select(path: Path, sql: str) -> Iterator[tuple[Any, ...]]:
    try:
        with closing(apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)) as connection:
            yield from connection.execute(sql)
    except apsw.Error as error:
        raise StoreError(f"{path} cannot be read: {error}") from error


def _state(reach: Reach, path: Path, images: Images) -> Iterator[bytes]:
    with closing(open_state(reach.folder.settings.state, path)) as store, closing(reach.folder.log_reader()) as reader:
        worker = Worker(
            reach.project.compiled, store, reader, WallClock(), reach.folder.settings.workspace, images=images
        )
        yield from _views(reach, worker.everybody(ALL))


def _views(reach: Reach, views: list[PersonView]) -> Iterator[bytes]:
    for view in views:
        yield _encode(view)
        yield from _all_opened(reach, view.sealed)


def _all_opened(reach: Reach, values: Mapping[str, SealedValue]) -> Iterator[bytes]:
    for value in values.values():
        yield from _opened(reach, value)


def _opened(reach: Reach, value: SealedValue) -> Iterator[bytes]:
    with contextlib.suppress(SealError):
        opened = open_value(reach.vault.keys(value.subject), reach.folder.settings.workspace, value)
        yield msgspec.json.encode(opened)


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()
