"""Hypothesis strategies for logs whose people turn out to be the same: what happened first, the links, what came then.

Out: a `Merging`: a project, what happened before anybody knew, the link records, which all have one stamp and can be
put into any order, and what happened afterwards. Promised: every link merges whatever the order. So within a group of
subjects that become one person there is at most one known one, or a secret key says each link, by an alias or a
declared key. Campaigns start on events only: what a segment is entered by between two links has happened, and stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from hypothesis import strategies as st

from livepost.ids import digest
from livepost.model.compiled import Compiled
from livepost.model.record import KeyKind, Kind, Mention, Record
from tests.properties.generators import DAY, HOUR, REPR_MAX, Dice, Seeded, any_log, any_project, telling

SUBJECTS = (3, 4, 5, 6)
ALIAS = "$alias"
MENTION = "Nobody Declared"
"""An event that feeds nothing and starts nothing."""


@dataclass(frozen=True)
class Merging:
    """A project, what happened before the links, the links, what happened after, and how long (ms) the log goes on."""

    compiled: Compiled
    before: list[Record]
    links: list[Record]
    after: list[Record]
    on_ms: int

    def log(self, order: Sequence[int]) -> list[Record]:
        """Return the whole log with the links in this order."""
        return self._with([self.links[place] for place in order])

    def in_one_record(self, order: Sequence[int]) -> list[Record]:
        """Return the log with one alias by a secret key instead of the links; it names everybody, in this order."""
        everybody = {mention.subject: mention for link in self.links for mention in (_subject(link), *link.mentions)}
        named = [mention for _, mention in sorted(everybody.items())]
        mentions = tuple(named[place % len(named)] for place in order)
        return self._with([msgspec.structs.replace(self.links[0], mentions=mentions, **_BY_ALIAS)])

    def _with(self, links: list[Record]) -> list[Record]:
        happened = [*self.before, *links, *self.after]
        stamp = happened[-1].stamp + self.on_ms
        whole = [*happened, Record(kind=Kind.TICK, effective_ts=stamp, stamp=stamp)]
        return [msgspec.structs.replace(record, seq=seq) for seq, record in enumerate(whole)]

    def __repr__(self) -> str:
        """Return the project, and of each record what tells it from others."""
        project = msgspec.json.encode(self.compiled).decode()
        records = [telling(record) for record in (*self.before, *self.links, *self.after)]
        return f"Merging({project}, {records!r})"[:REPR_MAX]


_BY_ALIAS: dict[str, Any] = {"name": ALIAS, "key": KeyKind.SECRET}


@st.composite
def mergings(draw: st.DrawFn) -> Merging:
    """Return what happened to 3-6 subjects, and the links that make one or two persons of them."""
    return any_merging(Dice(draw))


def seeded_merging(seed: int) -> Merging:
    """Return one by a seed, for what needs no shrinking."""
    return any_merging(Seeded(seed))


def any_merging(dice: Dice) -> Merging:
    """Return a project, a log without links, and links."""
    compiled = _started_by_events(dice, any_project(dice))
    records = [msgspec.structs.replace(record, mentions=()) for block in any_log(dice, compiled) for record in block]
    told = {record.subject: record.known for record in records if record.kind == Kind.EVENT}
    for place in range(dice.pick(SUBJECTS)):
        told.setdefault(digest("subject", place), dice.chance(2))
    subjects = [Mention(subject, known) for subject, known in told.items()]
    first = len(subjects) if dice.chance(2) else max(2, len(subjects) - 2)
    edges = [*_edges(dice, subjects[:first]), *_edges(dice, subjects[first:])]
    cut = max(1, len(records) * dice.pick((4, 2, 3, 2)) // 4)
    links = [_link(number, records[cut - 1].stamp, *edge) for number, edge in enumerate(edges)]
    return Merging(compiled, records[:cut], links, records[cut:], dice.pick((HOUR, 3 * DAY, 100 * DAY)))


def _started_by_events(dice: Dice, compiled: Compiled) -> Compiled:
    """Return the project with campaigns that events start, and that differ in whom they leave out and let in."""
    event = compiled.events[0].name
    campaigns = [
        spec if spec.on else msgspec.structs.replace(spec, on=event, audience=None) for spec in compiled.campaigns
    ]
    varied = [
        msgspec.structs.replace(spec, holdout=dice.pick((0.0, 0.5, 0.0)), reentry_ms=dice.pick((0, DAY, None, 0)))
        for spec in campaigns
    ]
    return msgspec.structs.replace(compiled, campaigns=tuple(varied))


def _edges(dice: Dice, group: list[Mention]) -> list[tuple[Mention, Mention, bool]]:
    """Return what links a group: a chain or a star or a tree, now and then closed to a circle, or linked to itself.

    Each edge is (subject, mentioned, whether by an alias from a secret key); else a known one is mentioned as a
    declared key is.
    """
    alias = sum(member.known for member in group) > 1
    pairs = [(member, group[dice.pick(range(place))]) for place, member in enumerate(group) if place]
    if len(group) > 2 and dice.chance(2):
        pairs.append((group[0], group[-1]))
    if group and dice.chance(4):
        pairs.append((group[0], group[0]))
    turned = [pair if dice.chance(2) else (pair[1], pair[0]) for pair in pairs]
    return [(a, b, not (b.known and dice.chance(2)) if alias else dice.chance(3)) for a, b in turned]


def _link(number: int, stamp: int, subject: Mention, mentioned: Mention, alias: bool) -> Record:
    return Record(
        key=KeyKind.SECRET if alias or mentioned.known else KeyKind.WRITE,
        source="server",
        subject=subject.subject,
        known=subject.known,
        mentions=(mentioned,),
        message_id=f"link-{number}",
        name=ALIAS if alias else MENTION,
        timestamp=stamp,
        received_at=stamp,
        effective_ts=stamp,
        content_hash=digest("link", number),
        stamp=stamp,
    )


def _subject(link: Record) -> Mention:
    return Mention(link.subject, link.known)
