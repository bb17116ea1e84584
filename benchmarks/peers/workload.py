"""The events that all peers get, made once and written to disk.

In: a name, how many. Out: `events.jsonl` for peers, one event a line, and `blocks` as Livepost's log has them, of the
same events. Two kinds: the reference of `livepost bench engine`, uniform or skewed, and the real baskets of Complete
Journey.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import duckdb
import msgspec

from benchmarks.peers.event import ADDED, ORDERED, VIEWED, Event
from livepost.bench.engine import BATCH, BLOCK
from livepost.bench.traffic import Distribution, bodies
from livepost.ids import digest
from livepost.log.body import new_block, pack, unpack
from livepost.model.record import KeyKind, Record

JOURNEY = Path(__file__).parents[3] / "shared" / "data" / "shopping" / "completejourney"
TABLE = "transactions_weeks_01_36.parquet"

LINES = """
select household_id, basket_id, epoch_ms(transaction_timestamp) as happened, product_id, department,
    cast(round(100 * sales_value) as bigint) as cents
from read_parquet($table) as bought join read_parquet($products) as product using (product_id)
order by happened, household_id, basket_id, product_id
"""


BATCHES = 2 * BATCH
"""A log's events are a multiple of it, so that each half of it is whole steps."""


class Workload(msgspec.Struct, frozen=True, kw_only=True):
    """Files of one log: `events` in all, the first `warm` of them folded before the clock starts."""

    name: str
    events: int
    warm: int
    file: Path
    bodies: list[bytes]


def reference(folder: Path, distribution: Distribution, people: int, events: int, days: float) -> Workload:
    """Write the log of `livepost bench engine`; half of the events are warm-up."""
    made = list(bodies(distribution, people, events, days, BLOCK))
    return _written(folder, f"{distribution}, {people:,} people", made)


def baskets(folder: Path, data: Path, events: int) -> Workload:
    """Write the first `events` of what 2,469 households bought.

    Each line of a basket is looked at and added, each basket is an order. A block's stamp is that of its last event,
    as if blocks were filled one after the other.
    """
    records = list(islice(_bought(data), events))
    cut = [records[first : first + BLOCK] for first in range(0, events, BLOCK)]
    made = [pack(new_block(part, n * BLOCK, part[-1].effective_ts)) for n, part in enumerate(cut)]
    return _written(folder, "real baskets", made)


def _written(folder: Path, name: str, made: list[bytes]) -> Workload:
    folder.mkdir(parents=True)
    file, count = folder / "events.jsonl", 0
    encode = msgspec.json.Encoder().encode
    with file.open("wb") as lines:
        for event in _events(made):
            lines.write(encode(event) + b"\n")
            count += 1
    return Workload(name=name, events=count, warm=count // 2, file=file, bodies=made)


def _events(made: Sequence[bytes]) -> Iterator[Event]:
    """Yield what stands in Livepost's own blocks, so that no peer gets another event."""
    for body in made:
        for record in unpack(body).records():
            said = record.properties
            yield Event(
                seq=record.seq,
                stamp=record.stamp,
                at=record.effective_ts,
                person=record.subject.hex(),
                id=record.message_id,
                name=record.name,
                product_id=said.get("product_id", ""),
                category=said.get("category", ""),
                total=said["total"][0] if "total" in said else 0,
            )


def _bought(data: Path) -> Iterator[Record]:
    asked = {"table": str(data / TABLE), "products": str(data / "products.parquet")}
    place, basket, cents, last = 0, None, 0, (0, 0)
    end = (0, None, 0, 0, "", 0)
    for household, number, at, product, department, paid in [*duckdb.execute(LINES, asked).fetchall(), end]:
        if basket not in (None, number):
            yield _record(place, *last, ORDERED, {"order_id": f"o-{basket}", "total": [cents, "USD"]})
            place, cents = place + 1, 0
        if number is None:
            return
        said = {"product_id": f"p-{product}", "category": department or "none"}
        yield _record(place, household, at, VIEWED, said)
        yield _record(place + 1, household, at, ADDED, {"product_id": said["product_id"]})
        place, basket, cents, last = place + 2, number, cents + paid, (household, at)


def _record(place: int, household: int, at: int, name: str, properties: dict[str, object]) -> Record:
    message_id = f"{place:032x}"
    return Record(
        key=KeyKind.WRITE,
        source="import",
        subject=digest("subject", household),
        message_id=message_id,
        name=name,
        timestamp=at,
        sent_at=at,
        received_at=at,
        effective_ts=at,
        properties=properties,
        content_hash=digest(message_id),
    )
