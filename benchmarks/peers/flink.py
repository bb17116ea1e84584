"""PyFlink, event by event: a person's bytes are one `ValueState`, a due time is a timer. The job is in `flinks.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
from pyflink.common import Types
from pyflink.datastream import KeyedProcessFunction, RuntimeContext
from pyflink.datastream.state import ValueStateDescriptor

from benchmarks.peers import flinks
from benchmarks.peers.event import Event
from benchmarks.peers.person import NEVER, Person, Transition, advance, take
from benchmarks.peers.told import Job, Taken, Watch, job, line, say

_READ, _DECODE = msgspec.json.Decoder(Event).decode, msgspec.msgpack.Decoder(Person).decode


class Shop(KeyedProcessFunction):
    """One person's features and segments; a timer for each due time."""

    def __init__(self, asked: Job, last: int) -> None:
        self._asked, self._last = asked, last

    def open(self, runtime_context: RuntimeContext) -> None:
        """Get the state, start the watch."""
        self._state = runtime_context.get_state(ValueStateDescriptor("person", Types.PICKLED_BYTE_ARRAY()))
        self._watch = Watch(self._asked.events, self._asked.warm)

    def process_element(self, value: flinks.Keyed, ctx: KeyedProcessFunction.Context) -> Any:
        """Fold an event."""
        event = _READ(value[2])
        held = self._state.value()
        person = Person() if held is None else _DECODE(held)
        before = person.due
        yield from map(_text, take(person, event))
        self._keep(person, before, ctx)
        if self._watch.count():
            flinks.leave(self._watch, self._asked)

    def on_timer(self, timestamp: int, ctx: KeyedProcessFunction.OnTimerContext) -> Any:
        """Let time pass; past the log's last stamp nobody knows the time."""
        if timestamp > self._last:
            return
        person = _DECODE(self._state.value())
        if person.due == timestamp:  # else it was set anew since
            passed = min(ctx.timer_service().current_watermark() + 1, self._last)
            yield from map(_text, advance(person, ctx.get_current_key(), passed))
            self._keep(person, timestamp, ctx)

    def _keep(self, person: Person, before: int, ctx: KeyedProcessFunction.Context) -> None:
        self._state.update(msgspec.msgpack.encode(person))
        if person.due not in (before, NEVER):
            ctx.timer_service().register_event_time_timer(person.due)


def run(asked: Job) -> Taken:
    """Fold the file; leave the transitions in the job's folder."""
    file, last = _cut(asked)
    return flinks.fold(asked.folder, file, _keyed, Shop(asked, last))


def _cut(asked: Job) -> tuple[Path, int]:
    """Write the events that are asked for into a file of their own; return it, and the last one's stamp."""
    file, last = asked.folder / "coming.jsonl", b""
    with asked.file.open("rb") as lines, file.open("wb") as some:
        for _, last in zip(range(asked.events), lines, strict=False):
            some.write(last)
    return file, msgspec.json.decode(last, type=Event).stamp


def _keyed(text: str) -> flinks.Keyed:
    event = _READ(text)
    return event.person, event.stamp, text


def _text(transition: Transition) -> str:
    return line(transition).rstrip()


def main() -> None:
    """Do what the command line asks for."""
    say(run(job()))
