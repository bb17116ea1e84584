"""DuckDB, asked again and again: the manner of systems that keep events in a column store and poll it.

Every `every` events: append them to the table, compute the 17 features that segments use for everybody at the last
stamp, compare with the memberships of the time before. The other three (favourites, category, looked_at) are for
reading one person and are not computed. Its database is a file; appending commits. What begins and ends between two
polls is not seen, and `at` is the poll's.

In its favour: reading and parsing the events' file is not timed.
"""

from __future__ import annotations

import duckdb

from benchmarks.peers.person import DAY, GRIDS, HOUR, SEGMENTS, SPANS, Transition
from benchmarks.peers.told import Job, Taken, Watch, job, keep, say

NAMES = ("Product Viewed",) * 4 + ("Products Searched",) + ("Product Added",) * 2 + ("Order Completed",) * 5
COLUMNS = ("v1", "v24", "v7", "v30", "s7", "a24", "a7", "o7", "o30", "o90", "m30", "m90")
WHEN = (
    "v7 >= 5 and o7 = 0",
    "v1 >= 5",
    "v24 >= 4 or s7 >= 3",
    f"last_add <= $now - {HOUR} and coalesce(last_order < last_add, true)",
    "a7 >= 2 and o7 = 0",
    "o30 >= 1",
    "m90 >= 50000",
    "o90 >= 2 and m90 / o90 >= 8000",
    f"orders >= 1 and last_view <= $now - {14 * DAY}",
    "v30 >= 10 and m30 >= 10000 and a24 >= 1",
)
READ = {"seq": "bigint", "stamp": "bigint", "at": "bigint", "person": "varchar", "name": "varchar", "total": "bigint"}


def run(asked: Job) -> tuple[Taken, list[Transition]]:
    """Fold the file poll by poll; return what the timed part took, and all transitions."""
    db = duckdb.connect(str(asked.folder / "state.duckdb"))
    _prepare(db, asked)
    watch, told = Watch(asked.events, asked.warm), list[Transition]()
    for first in range(0, asked.events, asked.every):
        told += _poll(db, first, min(first + asked.every, asked.events))
        watch.count(min(asked.every, asked.events - first))
    return watch.taken(f"DuckDB {duckdb.__version__}, a poll every {asked.every:,} events"), told


def _prepare(db: duckdb.DuckDBPyConnection, asked: Job) -> None:
    columns = ", ".join(f"'{name}': '{kind}'" for name, kind in READ.items())
    read = f"read_json('{asked.file}', format = 'newline_delimited', columns = {{{columns}}})"
    db.execute(
        f'create temp table coming as select *, "at" as happened from {read} where seq < {asked.events} order by seq'
    )
    db.execute("create table events as select * from coming limit 0")
    db.execute("create table members(person varchar, inside integer)")


def _poll(db: duckdb.DuckDBPyConnection, first: int, end: int) -> list[Transition]:
    """Append the events in [first, end), compute everybody's memberships, return the differences."""
    db.execute("insert into events select * from coming where seq >= $1 and seq < $2", [first, end])
    [(now,)] = db.execute("select max(stamp) from events where seq >= $1", [first]).fetchall()
    db.execute(f"create or replace temp table latest as {_memberships(now)}", {"now": now})
    changed = db.execute(
        "select person, l.inside, coalesce(m.inside, 0) from latest l left join members m using (person) "
        "where l.inside <> coalesce(m.inside, 0)"
    ).fetchall()
    db.execute("create or replace table members as select * from latest")
    return [
        (person, segment, bool(inside >> place & 1), now, now)
        for person, inside, before in changed
        for place, segment in enumerate(SEGMENTS)
        if (inside ^ before) >> place & 1
    ]


def _memberships(now: int) -> str:
    """Return the SQL of everybody's memberships as bits."""
    sums = [
        f"{'sum(total)' if column in ('m30', 'm90') else 'count(*)'} filter (name = '{name}'"
        f" and happened >= {(now - span) // grid * grid}) as {column}"
        for column, name, span, grid in zip(COLUMNS, NAMES, SPANS, GRIDS, strict=True)
    ]
    bits = " + ".join(f"(case when {when} then {1 << place} else 0 end)" for place, when in enumerate(WHEN))
    return f"""select person, ({bits})::integer as inside from (
        select person, {", ".join(sums)},
            count(*) filter (name = 'Order Completed') as orders,
            max(happened) filter (name = 'Product Added') as last_add,
            max(happened) filter (name = 'Order Completed') as last_order,
            max(happened) filter (name = 'Product Viewed') as last_view
        from events group by person)"""


def main() -> None:
    """Do what the command line asks for."""
    asked = job()
    taken, transitions = run(asked)
    keep(asked.folder, transitions)
    say(taken)
