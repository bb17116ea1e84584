"""The log that benchmarks read: who does what when, from a fixed seed, as bodies of blocks.

Events are spread evenly over the log's days; each record's person is drawn anew, `uniform` or `skewed` (Zipf 1.1 over
the people, so that the busiest has an eighth of all events). 2 % happened up to an hour before they came.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from livepost.ids import digest
from livepost.log.body import new_block, pack
from livepost.model.record import KeyKind, Record

Distribution: TypeAlias = Literal["uniform", "skewed"]
DISTRIBUTIONS: tuple[Distribution, ...] = ("uniform", "skewed")

SEED = 20_261_122
START = 1_767_225_600_000
DAY_MS = 86_400_000
ZIPF = 1.1
LATE = 0.02
NAMES = ("Product Viewed", "Products Searched", "Product Added", "Order Completed")
SHARES = (0.78, 0.12, 0.07, 0.03)
PRODUCTS = 2_000


def bodies(distribution: Distribution, people: int, events: int, days: float, size: int) -> Iterator[bytes]:
    """Yield the log as bodies of blocks of `size` records; `days` is how long it is."""
    dice = np.random.default_rng(SEED)
    subjects = [digest("subject", number) for number in range(people)]
    who = _people(dice, distribution, people, events)
    names = dice.choice(len(NAMES), events, p=SHARES)
    for first in range(0, events, size):
        stamp = START + int(first / events * days * DAY_MS)
        places = range(first, min(first + size, events))
        records = [_record(dice, subjects[who[place]], NAMES[names[place]], place, stamp) for place in places]
        yield pack(new_block(records, first, stamp))


def _people(dice: np.random.Generator, distribution: Distribution, people: int, events: int) -> npt.NDArray[np.int64]:
    if distribution == "uniform":
        return dice.integers(0, people, events)
    weights = np.arange(1, people + 1) ** -ZIPF
    return dice.permutation(people)[dice.choice(people, events, p=weights / weights.sum())]


def _record(dice: np.random.Generator, subject: bytes, name: str, place: int, stamp: int) -> Record:
    happened = stamp - (int(dice.integers(0, 3_600_000)) if dice.random() < LATE else 0)
    product = int(dice.integers(0, PRODUCTS))
    message_id = f"{place:032x}"
    return Record(
        key=KeyKind.WRITE,
        source="web",
        subject=subject,
        message_id=message_id,
        name=name,
        timestamp=happened,
        sent_at=happened,
        received_at=stamp,
        effective_ts=happened,
        properties=_properties(name, product, place),
        context={"consent": {"marketing": True}} if place % 50 == 0 else {},
        facets={"device": "mobile"},
        sealed={"context.ip": bytes(28), "context.userAgent": bytes(120)},
        content_hash=digest(message_id),
    )


def _properties(name: str, product: int, place: int) -> dict[str, object]:
    match name:
        case "Product Viewed":
            return {"product_id": f"p-{product}", "category": f"c-{product % 20}"}
        case "Products Searched":
            return {"query_words": product % 5}
        case "Product Added":
            return {"product_id": f"p-{product}"}
        case _:
            return {"order_id": f"o-{place}", "total": [1_000 + 7 * product, "USD"]}
