"""Step 3, dedupe: an event id counts once for 30 days; the same id with other content goes to the dead letters."""

from __future__ import annotations

import numpy as np

from livepost.engine.row import Ints
from livepost.engine.seen import DAY_MS, Days, Hashes, Seen, hashes
from livepost.process.batch import Batch

CONFLICT = "id conflict: this message id came before with other content; give each event an id of its own"


def dedupe(batch: Batch, seen: Seen) -> tuple[Hashes, Hashes, Days]:
    """Settle duplicates and conflicts; return the new ids, content hashes and days to remember.

    The batch must not span more than a day of stamps, so that nothing is forgotten within it.
    """
    places = np.flatnonzero(batch.alive)
    keys, contents = hashes(batch.event)[places], hashes(batch.content)[places]
    days = (batch.stamp[places] // DAY_MS).astype(np.uint16)
    remembered, same = seen.find(keys, contents, days)
    earlier = _first_alike(keys)
    repeated = earlier != np.arange(len(places))
    again = remembered | repeated
    _settle(batch, places, again, np.where(remembered, ~same, contents[earlier] != contents))
    fresh = ~again
    return keys[fresh], contents[fresh], days[fresh]


def _settle(batch: Batch, places: Ints, again: np.ndarray, differs: np.ndarray) -> None:
    batch.drop(places[again & ~differs], "duplicate")
    batch.bury(places[again & differs], CONFLICT)


def _first_alike(keys: Hashes) -> Ints:
    """Return for each key the place of the first that is like it; mostly all differ."""
    in_order = np.sort(keys)
    if (in_order[1:] != in_order[:-1]).all():
        return np.arange(len(keys))
    _, first, which = np.unique(keys, return_index=True, return_inverse=True)
    return first[which]
