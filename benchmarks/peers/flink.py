"""PyFlink, event by event: keyed state and event-time timers, Python inside the JVM (thread mode), one slot.

State is on the heap (`hashmap`), a person's bytes in one `ValueState`; a checkpoint every CHECKPOINT_MS, exactly-once,
to disk; transitions go to files. The watermark follows the records' stamps. Parallelism 1, as all here use one core at
a time; `cpu_s` is that of the whole JVM process, whose own threads work beside Python's.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
from pyflink.common import Configuration, Encoder, Types, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream import KeyedProcessFunction, RuntimeContext, StreamExecutionEnvironment
from pyflink.datastream.connectors.file_system import FileSink, FileSource, StreamFormat
from pyflink.datastream.state import ValueStateDescriptor
from pyflink.version import __version__

from benchmarks.peers.event import Event
from benchmarks.peers.person import NEVER, Person, Transition, advance, take
from benchmarks.peers.told import TRANSITIONS, Job, Taken, Watch, job, line, say

CHECKPOINT_MS = 10_000
TAKEN = "taken.json"
_READ, _DECODE = msgspec.json.Decoder(Event).decode, msgspec.msgpack.Decoder(Person).decode


class Stamp(TimestampAssigner):
    """The record's stamp is Flink's event time."""

    def extract_timestamp(self, value: tuple[str, int, str], record_timestamp: int) -> int:
        """Return it (ms)."""
        return value[1]


class Shop(KeyedProcessFunction):
    """One person's features and segments; a timer for each due time."""

    def __init__(self, asked: Job, last: int) -> None:
        self._asked, self._last = asked, last

    def open(self, runtime_context: RuntimeContext) -> None:
        """Get the state, start the watch."""
        self._state = runtime_context.get_state(ValueStateDescriptor("person", Types.PICKLED_BYTE_ARRAY()))
        self._watch = Watch(self._asked.events, self._asked.warm)

    def process_element(self, value: tuple[str, int, str], ctx: KeyedProcessFunction.Context) -> Any:
        """Fold an event."""
        event = _READ(value[2])
        held = self._state.value()
        person = Person() if held is None else _DECODE(held)
        before = person.due
        yield from map(_text, take(person, event))
        self._keep(person, before, ctx)
        if self._watch.count():
            said = msgspec.json.encode(self._watch.taken(f"apache-flink {__version__}"))
            (self._asked.folder / TAKEN).write_bytes(said)

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
    environment = StreamExecutionEnvironment.get_execution_environment(_configuration(asked.folder))
    environment.set_parallelism(1)
    source = FileSource.for_record_stream_format(StreamFormat.text_line_format(), str(file)).build()
    watermarks = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Stamp())
    going = str(asked.folder / "going")
    sink = FileSink.for_row_format(going, Encoder.simple_string_encoder()).build()

    (
        environment.from_source(source, WatermarkStrategy.no_watermarks(), "events")
        .map(_keyed, Types.TUPLE([Types.STRING(), Types.LONG(), Types.STRING()]))
        .assign_timestamps_and_watermarks(watermarks)
        .key_by(lambda value: value[0], Types.STRING())
        .process(Shop(asked, last), Types.STRING())
        .sink_to(sink)
    )
    environment.execute("peers")
    parts = sorted(path for path in Path(going).rglob("*part-*") if path.is_file())
    (asked.folder / TRANSITIONS).write_text("".join(path.read_text() for path in parts))
    return msgspec.json.decode((asked.folder / TAKEN).read_bytes(), type=Taken)


def _configuration(folder: Path) -> Configuration:
    told = Configuration()
    for key, value in {
        "python.execution-mode": "thread",
        "restart-strategy.type": "disable",
        "state.backend.type": "hashmap",
        "execution.checkpointing.interval": f"{CHECKPOINT_MS} ms",
        "execution.checkpointing.mode": "EXACTLY_ONCE",
        "execution.checkpointing.dir": (folder / "checkpoints").as_uri(),
        "execution.checkpointing.storage": "filesystem",
        "taskmanager.numberOfTaskSlots": "1",
        "pipeline.object-reuse": "true",
    }.items():
        told.set_string(key, value)
    return told


def _cut(asked: Job) -> tuple[Path, int]:
    """Write the events that are asked for into a file of their own; return it, and the last one's stamp."""
    file, last = asked.folder / "coming.jsonl", b""
    with asked.file.open("rb") as lines, file.open("wb") as some:
        for _, last in zip(range(asked.events), lines, strict=False):
            some.write(last)
    return file, msgspec.json.decode(last, type=Event).stamp


def _keyed(text: str) -> tuple[str, int, str]:
    event = _READ(text)
    return event.person, event.stamp, text


def _text(transition: Transition) -> str:
    return line(transition).rstrip()


def main() -> None:
    """Do what the command line asks for."""
    say(run(job()))
