"""Pathway, in commits of BATCH events: a person's state is a stateful reducer's value, as bytes.

Events come from a connector in Python, as from any source without a connector of Pathway's own; within a commit a
person's rows are put in log order here, since the engine gives none. It has no timers for one's own state: what time
alone changes is found at the person's next event, at its right moment but late, and never if none comes. Nothing is
persisted.

Results come in bursts, so all events are timed: from the first handed over to the last one's result.
"""

from __future__ import annotations

import msgspec
import pathway as pw

from benchmarks.peers.event import Event
from benchmarks.peers.person import Person, Transition, take
from benchmarks.peers.told import Job, Taken, Watch, job, keep, say

BATCH = 1_000
_READ, _DECODE = (
    msgspec.json.Decoder(Event).decode,
    msgspec.msgpack.Decoder(tuple[Person, list[Transition], int]).decode,
)


class Line(pw.Schema):
    """An event, with the key of its person."""

    seq: int
    person: str
    line: bytes


class Lines(pw.io.python.ConnectorSubject):
    """The file's events, BATCH a commit."""

    def __init__(self, asked: Job, watch: Watch) -> None:
        super().__init__()
        self._asked, self._watch = asked, watch

    def run(self) -> None:
        """Hand over line by line."""
        self._watch.begin()
        with self._asked.file.open("rb") as lines:
            for seq, line in zip(range(self._asked.events), lines, strict=False):
                self.next(seq=seq, person=_READ(line).person, line=line)
                if seq % BATCH == BATCH - 1:
                    self.commit()


@pw.reducers.stateful_many
def fold(held: bytes | None, rows: list[tuple[list[object], int]]) -> bytes:
    """Fold a person's rows of one commit; return the state, what changed, and how many rows these were."""
    person = Person() if held is None else _DECODE(held)[0]
    told: list[Transition] = []
    for _, line in sorted(values for values, _ in rows):
        told += take(person, _READ(line))
    return msgspec.msgpack.encode((person, told, len(rows)))


def run(asked: Job) -> tuple[Taken, list[Transition]]:
    """Fold the file; return what the timed part took, and all transitions."""
    watch = Watch(asked.events, 0)
    told: list[Transition] = []

    def changed(key: pw.Pointer, row: dict[str, object], time: int, is_addition: bool) -> None:
        if is_addition:
            _, found, count = _DECODE(row["state"])
            told.extend(found)
            watch.count(count)

    lines = pw.io.python.read(Lines(asked, watch), schema=Line, autocommit_duration_ms=None)
    people = lines.groupby(pw.this.person).reduce(pw.this.person, state=fold(pw.this.seq, pw.this.line))
    pw.io.subscribe(people, on_change=changed)
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)
    return watch.taken(f"pathway {pw.__version__}"), told


def main() -> None:
    """Do what the command line asks for."""
    asked = job()
    taken, transitions = run(asked)
    keep(asked.folder, transitions)
    say(taken)
