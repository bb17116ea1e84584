"""What PyFlink's peers have in common: a job of one keyed function, Python inside the JVM (thread mode), one slot.

State is on the heap (`hashmap`); a checkpoint every CHECKPOINT_MS, exactly-once, to disk; transitions go to files. The
watermark follows the records' stamps. Parallelism 1, as all here use one core at a time; `cpu_s` is that of the whole
JVM process, whose own threads work beside Python's.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
from pyflink.common import Configuration, Encoder, Types, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream import KeyedProcessFunction, StreamExecutionEnvironment
from pyflink.datastream.connectors.file_system import FileSink, FileSource, StreamFormat
from pyflink.version import __version__

from benchmarks.peers.told import TRANSITIONS, Job, Taken, Watch

CHECKPOINT_MS = 10_000
TAKEN = "taken.json"

Keyed = tuple[str, int, str]
"""A line's key, its event time (ms), and the line."""


class Stamp(TimestampAssigner):
    """The line's stamp is Flink's event time."""

    def extract_timestamp(self, value: Keyed, record_timestamp: int) -> int:
        """Return it (ms)."""
        return value[1]


def fold(folder: Path, file: Path, keyed: Callable[[str], Keyed], shop: KeyedProcessFunction) -> Taken:
    """Send the file's lines through a keyed function that tells transitions, as text, and ends with `leave`."""
    environment = StreamExecutionEnvironment.get_execution_environment(_configuration(folder))
    environment.set_parallelism(1)
    source = FileSource.for_record_stream_format(StreamFormat.text_line_format(), str(file)).build()
    watermarks = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Stamp())
    going = str(folder / "going")
    sink = FileSink.for_row_format(going, Encoder.simple_string_encoder()).build()

    (
        environment.from_source(source, WatermarkStrategy.no_watermarks(), "events")
        .map(keyed, Types.TUPLE([Types.STRING(), Types.LONG(), Types.STRING()]))
        .assign_timestamps_and_watermarks(watermarks)
        .key_by(lambda value: value[0], Types.STRING())
        .process(shop, Types.STRING())
        .sink_to(sink)
    )
    environment.execute("peers")
    parts = sorted(path for path in Path(going).rglob("*part-*") if path.is_file())
    (folder / TRANSITIONS).write_text("".join(path.read_text() for path in parts))
    return msgspec.json.decode((folder / TAKEN).read_bytes(), type=Taken)


def leave(watch: Watch, asked: Job) -> None:
    """Leave in the job's folder what the timed events took, now that the last one is folded."""
    (asked.folder / TAKEN).write_bytes(msgspec.json.encode(watch.taken(f"apache-flink {__version__}")))


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
