"""Where a person's numbers stand: slots by the version of a feature, columns by segment. Given once and kept.

In: the layout before, and what a program needs. Out: the layout after. Promised: a slot never means something else than
before: what is new is appended, what is not needed any more leaves a hole. So tiles and picks are read as they are, and
fixed parts (engine.row) that were written under an older layout are read column by column.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

HOLE = ""
"""In place of a slot that nothing needs any more."""

LAYOUTS_MAX = 65_535
"""Layouts that one state can have, one after the other: fixed parts say theirs in two bytes."""

NAME_USED_AGAIN = 1_000_000
"""From where transition numbers go on, for each segment that had a name before in this state: no id is given twice."""

Slots = tuple[str, ...]


class Layout(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A layout.

    number     counts from 1 within a state; a fixed part says which wrote it
    tiles, sums, lasts, picks   what each slot is of: a feature's version and the sum's name, or HOLE
    segments   the columns of segments, each with a number that its segment keeps through renames; `drawn` is the next
    uses       how many segments had each name one after the other, those that are gone among them
    floors     the transition number from which each segment's count, where that is not 0
    ready      stamp (ms) at which people of older layouts are evaluated anew; -1 if they are not
    """

    number: int = 0
    tiles: Slots = ()
    sums: Slots = ()
    lasts: Slots = ()
    picks: Slots = ()
    segments: dict[str, int] = {}
    drawn: int = 0
    uses: dict[str, int] = {}
    floors: dict[str, int] = {}
    ready: int = -1

    def following(
        self, slots: Mapping[str, Iterable[str]], segments: Iterable[str], sources: Mapping[str, str], ready: int = -1
    ) -> Layout:
        """Return the layout for what is needed: slots by kind, and segments in order.

        `sources` names the segment that each takes over (itself where it is not named), `ready` is the new layout's.
        The same need gives the same layout, unless it is ready anew.
        """
        drawn, uses = self.drawn, dict(self.uses)
        columns: dict[str, int] = {}
        floors: dict[str, int] = {}
        for name in segments:
            source = sources.get(name, name)
            kept = self.segments.get(source)
            columns[name] = drawn if kept is None else kept
            drawn += kept is None
            floor = 0 if kept is None else self.floors.get(source, 0)
            if kept is None or source != name:
                floor = max(floor, NAME_USED_AGAIN * uses.get(name, 0))
                uses[name] = uses.get(name, 0) + 1
            floors |= {name: floor} if floor else {}
        after = {kind: _slots(getattr(self, kind), needed) for kind, needed in slots.items()}
        layout = msgspec.structs.replace(self, **after, segments=columns, drawn=drawn, uses=uses, floors=floors)
        same = layout == self and list(columns) == list(self.segments)
        if same and self.number and ready < 0:
            return self
        return msgspec.structs.replace(layout, number=self.number + 1, ready=ready)


def _slots(before: Slots, needed: Iterable[str]) -> Slots:
    wanted = dict.fromkeys(needed)
    kept = [slot if slot in wanted else HOLE for slot in before]
    return (*kept, *(slot for slot in wanted if slot not in before))
