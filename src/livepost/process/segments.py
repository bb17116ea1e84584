"""Step 7, segments: who is inside at each item of a round, when time alone flips it, and the transitions this makes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from livepost.engine.membership import Values, inside, next_flip
from livepost.engine.row import Bools, Fixed, Ints
from livepost.engine.window import Moments
from livepost.model.moment import NO_DUE


@dataclass(frozen=True)
class Memberships:
    """`inside[s, i]`: in segment s at item i; `changed`: that differs from before; `flip[i]`: the next time (ms)."""

    inside: Bools
    changed: Bools
    flip: Ints


def memberships(values: Values, moments: Moments, fixed: Fixed) -> Memberships:
    """Evaluate all segments at all items of a round; `fixed` are the parts of the round's people."""
    rules = values.program.rules
    now = np.zeros((len(rules), len(values.at)), bool)
    flip = np.full(len(values.at), NO_DUE)
    for number, rule in enumerate(rules):
        now[number] = inside(rule.condition, values)
        flip = np.minimum(flip, next_flip(rule.condition, values))
    before = np.empty_like(now)
    before[:, 1:] = now[:, :-1]
    before[:, moments.begin] = fixed["inside"][:, : len(rules)].T
    return Memberships(now, now != before, flip)


def settle(fixed: Fixed, found: Memberships, moments: Moments, last: Ints) -> None:
    """Write into `fixed` what holds after each person's item `last[p]`."""
    rules = len(found.inside)
    counted = np.arange(len(moments.at)) <= last[moments.person]
    for segment in range(rules):
        items = np.flatnonzero(found.changed[segment] & counted)
        people = moments.person[items]
        np.add.at(fixed["numbers"][:, segment], people, np.uint32(1))
        fixed["changed"][people, segment] = moments.at[items]
    fixed["inside"][:, :rules] = found.inside[:, last].T
    fixed["due"] = found.flip[last]


def changes(found: Memberships, counted: Bools) -> npt.NDArray[np.int64]:
    """Return (segment, item) pairs of the changes at counted items, ordered by item, then segment."""
    pairs = np.argwhere((found.changed & counted).T)
    return pairs[:, ::-1]
