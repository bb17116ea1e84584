"""Plain Python, event by event, that keeps its state in SQLite: what a good afternoon's own program does.

People live in memory as objects; every BATCH events the changed ones, the transitions and the position are committed in
one transaction with an fsync (WAL, synchronous=FULL). Due times are in a heap, so that time alone changes answers too.
"""

from __future__ import annotations

from pathlib import Path

import apsw
import msgspec

from benchmarks.peers.person import Transition
from benchmarks.peers.shop import Shop
from benchmarks.peers.told import Job, Taken, Watch, events, job, keep, say

BATCH = 1_000
TABLES = """
pragma journal_mode = wal;
pragma synchronous = full;
create table people(person text primary key, state blob not null) without rowid;
create table transitions(person text, segment text, entered int, at int, seen int);
create table position(only int primary key, seq int);
"""


class Store:
    """The state on disk."""

    def __init__(self, file: Path) -> None:
        self._db = apsw.Connection(str(file))
        for _ in self._db.execute(TABLES):
            pass
        self._encode = msgspec.msgpack.Encoder().encode

    def commit(self, shop: Shop, seq: int) -> None:
        """Write what changed in one transaction, and empty it."""
        rows = [(name, self._encode(shop.people[name])) for name in shop.changed]
        with self._db:
            self._db.executemany("insert or replace into people values (?, ?)", rows)
            self._db.executemany("insert into transitions values (?, ?, ?, ?, ?)", shop.fresh)
            self._db.execute("insert or replace into position values (1, ?)", (seq,))
        shop.changed, shop.fresh = set(), []


def run(asked: Job) -> tuple[Taken, list[Transition]]:
    """Fold the file; return what the timed part took, and all transitions."""
    shop, store, watch = Shop(), Store(asked.folder / "state.db"), Watch(asked.events, asked.warm)
    told: list[Transition] = []
    for event in events(asked.file, asked.events):
        shop.take(event)
        if event.seq % BATCH == BATCH - 1:
            told += shop.fresh
            store.commit(shop, event.seq)
            watch.count(BATCH)
    return watch.taken(f"apsw {apsw.apsw_version()}, SQLite {apsw.sqlite_lib_version()}"), told


def main() -> None:
    """Do what the command line asks for."""
    asked = job()
    taken, transitions = run(asked)
    keep(asked.folder, transitions)
    say(taken)
