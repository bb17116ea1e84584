"""The stores of a data folder: what each is for, how long it is.

In: a folder. Out: a standing each. Promised: nothing is opened; a file that goes away meanwhile counts nothing.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from livepost.model.standing import StoreStanding

STORES: tuple[tuple[str, str], ...] = (
    ("log", "every accepted event, in the order it came"),
    ("state.db", "people, segments, journeys: made of the log"),
    ("state.db.images", "people as they were a while ago, whole: where a start begins"),
    ("state.rocksdb", "the same as state.db, in RocksDB"),
    ("state.rocksdb.images", "its people, whole"),
    ("snapshots", "the state as it was at some records: where a replay may begin"),
    ("replay", "a state that `livepost replay` builds; it goes when that is done"),
    ("ledger.db", "decisions, deliveries, consents, suppressions"),
    ("webhooks.db", "how far each webhook's target was told, and dead letters of webhooks"),
    ("audiences.db", "what each destination of audiences has of whom (as keyed hashes), and who waits"),
    ("audit.db", "who saw and who changed what, in a chain"),
    ("control.db", "users, sessions, what was asked for and approved"),
    ("vault.db", "who is who, and the keys to personal values"),
    ("keys", "the key-encryption key, where it is a file, and the keys of the API"),
    ("mailbox", "mails kept instead of sent, sealed"),
)
"""Names in the data folder, a file each (with what SQLite keeps beside it) or a folder, and what they are for."""


def store_standings(folder: Path) -> list[StoreStanding]:
    """Return the stores that are there, in the order of STORES, and what the folder's disk has left (for its owner)."""
    free = shutil.disk_usage(folder).free
    return [
        StoreStanding(name=name, purpose=purpose, bytes=_bytes(folder / name), free_bytes=free)
        for name, purpose in STORES
        if (folder / name).exists()
    ]


def _bytes(store: Path) -> int:
    total = 0
    for file in _files(store):
        with contextlib.suppress(FileNotFoundError):
            total += file.stat().st_size
    return total


def _files(store: Path) -> Iterator[Path]:
    if store.is_dir():
        return (file for file in store.rglob("*") if file.is_file())
    return (store.with_name(store.name + suffix) for suffix in ("", "-wal", "-shm"))
