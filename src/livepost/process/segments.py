"""Step 7, segments: who is inside at each item of a round, when time alone flips it, and the transitions this makes.

Where a condition is unknown, who was inside stays inside, and who was not stays out.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from livepost.engine.membership import Conditions, Evaluated
from livepost.engine.program import PROGRAMS, Program
from livepost.engine.row import Bools, Fixed, Ints
from livepost.engine.values import Values
from livepost.engine.window import Moments
from livepost.model.moment import NO_DUE


@dataclass(frozen=True)
class Memberships:
    """`inside[s, i]`: in segment s at item i; `changed`: that differs from before; `unknown`: the condition is unknown
    (None: nowhere in the round); `flip[i]`: the next time (ms).
    """

    inside: Bools
    changed: Bools
    unknown: Bools | None
    flip: Ints


@dataclass(frozen=True)
class Changes:
    """Memberships that changed, by item and then segment: `numbers` are the transition numbers."""

    items: Ints
    segments: Ints
    numbers: Ints
    entered: Bools


def memberships(values: Values, moments: Moments, fixed: Fixed) -> Memberships:
    """Evaluate all segments at all items of a round; `fixed` are the parts of the round's people."""
    rules = values.program.rules
    stored = fixed["inside"][:, : len(rules)].T
    now = np.zeros((len(rules), len(values.at)), bool)
    unknown: Bools | None = None
    flip = np.full(len(values.at), NO_DUE)
    for number, answer in enumerate(_conditions(values.program).evaluate(values)):
        now[number] = answer.holds
        flip = np.minimum(flip, answer.flip)
        if answer.unknown is not None:
            unknown = np.zeros_like(now) if unknown is None else unknown
            unknown[number] = answer.unknown
            now[number] = _kept(answer, moments, stored[number])
    before = np.empty_like(now)
    before[:, 1:] = now[:, :-1]
    before[:, moments.begin] = stored
    return Memberships(now, now != before, unknown, flip)


@lru_cache(PROGRAMS)
def _conditions(program: Program) -> Conditions:
    return Conditions([rule.condition for rule in program.rules], program)


def _kept(answer: Evaluated, moments: Moments, stored: Bools) -> Bools:
    """Return the answer, and where it is unknown the person's last known one, `stored` where there is none."""
    assert answer.unknown is not None
    items = np.arange(len(moments.at))
    known = np.maximum.accumulate(np.where(answer.unknown, -1, items))
    here = known >= moments.begin[moments.person]
    return np.where(here, answer.holds[np.maximum(known, 0)], stored[moments.person])


def changes(found: Memberships, moments: Moments, fixed: Fixed, counted: Bools) -> Changes:
    """Return the changes at counted items: of each person all up to one; `fixed` as before the round."""
    items, segments = np.nonzero((found.changed & counted).T)
    if not len(items):
        return Changes(items, segments, items, np.zeros(0, bool))
    so_far = np.cumsum(found.changed, axis=1)
    person = moments.person[items]
    begin = moments.begin[person]
    before: Ints = so_far[segments, begin] - found.changed[segments, begin]
    numbers = fixed["numbers"][person, segments] + so_far[segments, items] - before
    return Changes(items, segments, numbers, found.inside[segments, items])


def settle(fixed: Fixed, found: Memberships, moments: Moments, last: Ints, changed: Changes) -> None:
    """Write into `fixed` what holds after each person's item `last`, the last of those that are counted; `changed` are
    the changes up to there.
    """
    rules = len(found.inside)
    if rules:
        if len(changed.items):
            cells = moments.person[changed.items], changed.segments
            np.maximum.at(fixed["numbers"], cells, changed.numbers.astype(np.uint32))
            np.maximum.at(fixed["changed"], cells, moments.at[changed.items])
        fixed["inside"][:, :rules] = found.inside[:, last].T
        fixed["unknown"][:, :rules] = False if found.unknown is None else found.unknown[:, last].T
    fixed["due"] = found.flip[last]
