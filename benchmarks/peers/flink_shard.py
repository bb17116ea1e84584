"""PyFlink, by shard: a keyed function gets envelopes of one shard's events and folds them. The job is in `flinks.py`.

A shard's people are Flink's keyed state, a `MapState` of bytes: at the end of each envelope those who changed are
written to it, in one call, and after a restart a shard's people come from there. Between envelopes they are objects in
memory beside it, with due times in a heap and one timer a shard, for the earliest.

The envelopes are cut and written to a file before the clock starts (`shard.py`), as Livepost's own blocks are; their
events are decoded from JSON while it runs.
"""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any

from pyflink.common import Types
from pyflink.datastream import KeyedProcessFunction, RuntimeContext
from pyflink.datastream.state import MapStateDescriptor

from benchmarks.peers import flinks
from benchmarks.peers.person import NEVER, Transition
from benchmarks.peers.shard import Shard, envelopes, opened, written
from benchmarks.peers.told import Job, Taken, Watch, job, line, say


class Shop(KeyedProcessFunction):
    """The shards of one operator."""

    def __init__(self, asked: Job, last: int) -> None:
        self._asked, self._last = asked, last

    def open(self, runtime_context: RuntimeContext) -> None:
        """Get the state, start the watch."""
        people = MapStateDescriptor("people", Types.STRING(), Types.PICKLED_BYTE_ARRAY())
        self._state = runtime_context.get_map_state(people)
        self._shards: dict[str, Shard] = {}
        self._watch = Watch(self._asked.events, self._asked.warm)

    def process_element(self, value: flinks.Keyed, ctx: KeyedProcessFunction.Context) -> Any:
        """Fold an envelope."""
        shard = self._shard(ctx)
        count, told = shard.fold(opened(value[2]))
        yield from _text(told)
        self._keep(shard, ctx)
        if self._watch.count(count):
            flinks.leave(self._watch, self._asked)

    def on_timer(self, timestamp: int, ctx: KeyedProcessFunction.OnTimerContext) -> Any:
        """Let time pass; past the log's last stamp nobody knows the time."""
        if timestamp > self._last:
            return
        shard = self._shard(ctx)
        yield from _text(shard.wait(min(ctx.timer_service().current_watermark() + 1, self._last)))
        self._keep(shard, ctx)

    def _shard(self, ctx: KeyedProcessFunction.Context) -> Shard:
        """Return the shard of the current key, from the state where memory does not have it yet."""
        key = ctx.get_current_key()
        if key not in self._shards:
            self._shards[key] = Shard(self._state.items())
        return self._shards[key]

    def _keep(self, shard: Shard, ctx: KeyedProcessFunction.Context) -> None:
        self._state.put_all(shard.changed())
        if shard.due != NEVER:  # a timer that is set already stays the only one of its time
            ctx.timer_service().register_event_time_timer(shard.due)


def run(asked: Job) -> Taken:
    """Fold the file; leave the transitions in the job's folder."""
    file, last = _cut(asked)
    return flinks.fold(asked.folder, file, _keyed, Shop(asked, last))


def _cut(asked: Job) -> tuple[Path, int]:
    """Write the envelopes of the events that are asked for; return their file, and the last event's stamp."""
    file, last = asked.folder / "coming.txt", 0
    with asked.file.open("rb") as lines, file.open("w") as some:
        for envelope in envelopes(islice(lines, asked.events)):
            some.write(written(envelope))
            last = envelope.until
    return file, last


def _keyed(text: str) -> flinks.Keyed:
    envelope = opened(text)
    return envelope.shard, envelope.since, text


def _text(told: list[Transition]) -> list[str]:
    """Return transitions as one text, which is one hop out of Python; none if there are none."""
    return ["".join(map(line, told)).rstrip()] if told else []


def main() -> None:
    """Do what the command line asks for."""
    say(run(job()))
