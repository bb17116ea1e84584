"""A real Apache Kafka: one process that is broker and controller (KRaft), on loopback, with a folder of its own.

In: a folder. Out: an address for clients, topics, and a broker that is stopped, killed and started again as told. Its
jars come from Maven (`make .venv/.kafka`); LIVEPOST_KAFKA names another folder for them. What it says stands in
`kafka.log` of its folder, which pytest keeps.

Promised of `kill`: the process is gone at once (SIGKILL) and its files stay. Kafka answers `acks=all` once the record
is in the page cache of every replica, here one: that survives a dead process and not a dead machine.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from tests.real.post import free_port, wait_until

JARS = Path(os.environ.get("LIVEPOST_KAFKA") or Path(__file__).parents[2] / ".venv" / "kafka")
START_S = 90.0
"""How long a broker may take until it answers; a second or five where nothing else runs."""

FORMAT_S = 60.0
STOP_S = 30.0
PATIENCE_S = 30.0
HEAP = "512m"
ASKING_S = 5.0
TAIL_BYTES = 2_000

PROPERTIES = """\
process.roles=broker,controller
node.id=1
listeners=PLAINTEXT://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{broker}
controller.listener.names=CONTROLLER
controller.quorum.voters=1@127.0.0.1:{controller}
log.dirs={logs}
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
"""


class BrokerError(Exception):
    """Kafka could not be started: says why, with the end of its log."""


class Broker:
    """A broker in `folder`, formatted and started; the same port and data after `kill` or `stop` and `start`."""

    def __init__(self, folder: Path, *, start_s: float = START_S) -> None:
        self.folder, self.said = folder, folder / "kafka.log"
        self._start_s = start_s
        self._process: subprocess.Popen[bytes] | None = None
        self._port = free_port()
        folder.mkdir(parents=True, exist_ok=True)
        self._properties = folder / "server.properties"
        told = PROPERTIES.format(broker=self._port, controller=free_port(), logs=folder / "logs")
        self._properties.write_text(told)
        self._format()
        self.start()

    @property
    def address(self) -> str:
        """What clients call `bootstrap.servers`."""
        return f"127.0.0.1:{self._port}"

    @property
    def pid(self) -> int:
        """The running process."""
        return self._running().pid

    def start(self) -> None:
        """Start it and wait until it answers; raise BrokerError if it ends or takes too long."""
        with self.said.open("ab") as said:
            self._process = subprocess.Popen(self._java("kafka.Kafka", self._properties), stdout=said, stderr=said)
        deadline = time.monotonic() + self._start_s
        while not self._answers():
            if self._process.poll() is not None:
                raise BrokerError(f"expected Kafka to run, it ended with {self._process.returncode}: {self._tail()}")
            if time.monotonic() > deadline:
                self.kill()
                raise BrokerError(f"expected Kafka to answer within {self._start_s:g} s, it did not: {self._tail()}")

    def kill(self) -> None:
        """End it without a word (SIGKILL)."""
        self._running().kill()
        self._gone()

    def stop(self) -> None:
        """Let it shut down; kill it if it takes too long. Nothing happens where it does not run."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._gone()
        except subprocess.TimeoutExpired:
            self.kill()

    def topic(self, name: str, partitions: int = 1) -> None:
        """Make a topic, and wait until each partition answers: its leader takes over after the reply."""
        admin = AdminClient({"bootstrap.servers": self.address})  # kept until it has the answer
        admin.create_topics([NewTopic(name, partitions, 1)])[name].result(PATIENCE_S)
        consumer = Consumer(_reading(self, "read_committed"))
        try:
            for number in range(partitions):
                at = TopicPartition(name, number)
                wait_until(f"partition {number} of {name} to answer", lambda at=at: _is_led(consumer, at), PATIENCE_S)
        finally:
            consumer.close()

    def partition_folder(self, topic: str, partition: int = 0) -> Path:
        """Return where a partition's segments lie."""
        return self.folder / "logs" / f"{topic}-{partition}"

    def _format(self) -> None:
        words = self._java("kafka.tools.StorageTool", "format", "-t", _cluster_id(), "-c", self._properties)
        with self.said.open("ab") as said:
            done = subprocess.run(words, stdout=said, stderr=said, timeout=FORMAT_S, check=False)
        if done.returncode:
            raise BrokerError(f"expected Kafka's storage to be formatted, got {done.returncode}: {self._tail()}")

    def _java(self, main: str, *words: str | Path) -> list[str]:
        flags = [f"-Xmx{HEAP}", "-XX:+UseSerialGC", "-Dorg.apache.logging.log4j.level=INFO"]
        return ["java", *flags, "-cp", f"{JARS}/*", main, *map(str, words)]

    def _answers(self) -> bool:
        try:
            quiet = {"bootstrap.servers": self.address, "log_level": 0}
            return bool(AdminClient(quiet).list_topics(timeout=1.0).brokers)
        except KafkaException:
            return False

    def _running(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "the broker does not run"
        return self._process

    def _gone(self) -> None:
        self._running().wait(STOP_S)
        self._process = None

    def _tail(self) -> str:
        return f"{self.said}\n{self.said.read_bytes()[-TAIL_BYTES:].decode(errors='replace')}"


def needs_kafka() -> None:
    """Skip where Kafka's jars or java are not there; in CI that is a failure."""
    if shutil.which("java") and any(JARS.glob("kafka_2.13-*.jar")):
        return
    reason = "Kafka is not there: say `make .venv/.kafka` (it needs java and mvn), or run `make test-real`"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def produced(broker: Broker, topic: str, values: Sequence[bytes], **also: object) -> list[bytes]:
    """Send the values with acks=all; return those that were acknowledged, in the order of the acknowledgements."""
    acknowledged: list[bytes] = []

    def told(error: KafkaError | None, message: Message) -> None:
        if error is None:
            acknowledged.append(message.value() or b"")

    producer = Producer({"bootstrap.servers": broker.address, "acks": "all", "linger.ms": 5, **also})
    for value in values:
        producer.produce(topic, value, on_delivery=told)
        producer.poll(0)
    producer.flush(START_S)  # a broker may be starting again meanwhile
    return acknowledged


def read(broker: Broker, topic: str, *, partition: int = 0, isolation: str = "read_committed") -> list[bytes]:
    """Return what a partition holds, from its first offset to the end as it is now."""
    consumer = Consumer(_reading(broker, isolation))
    try:
        first, end = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=PATIENCE_S)
        consumer.assign([TopicPartition(topic, partition, first)])
        return _until_end(consumer, end)
    finally:
        consumer.close()


def _reading(broker: Broker, isolation: str) -> dict[str, str | bool]:
    return {
        "bootstrap.servers": broker.address,
        "group.id": uuid4().hex,
        "isolation.level": isolation,
        "enable.auto.commit": False,
        "enable.partition.eof": True,
    }


def _is_led(consumer: Consumer, at: TopicPartition) -> bool:
    try:
        consumer.get_watermark_offsets(at, timeout=1.0)
    except KafkaException:
        return False
    return True


def _until_end(consumer: Consumer, end: int) -> list[bytes]:
    """Return messages until the partition says that its end is reached; transactions' own marks have offsets too."""
    values: list[bytes] = []
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        for message in consumer.consume(1_000, timeout=ASKING_S):
            error = message.error()
            if error is None:
                values.append(message.value() or b"")
            elif error.code() == KafkaError._PARTITION_EOF:
                return values
            else:
                raise KafkaException(error)
    raise AssertionError(
        f"expected the end of the partition ({end}) within {PATIENCE_S:g} s, got {len(values)} messages"
    )


def _cluster_id() -> str:
    """Return a new cluster's id as Kafka writes them: 16 bytes as url-safe base64; none looks like an option."""
    return urlsafe_b64encode(b"k" + uuid4().bytes[1:]).decode().rstrip("=")
