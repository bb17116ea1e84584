"""Quix Streams on Kafka, event by event: state in RocksDB with a changelog topic, exactly-once.

Kafka holds the events in one partition, keyed by person; transitions go to a topic in the same transaction. It has no
timers: what time alone changes is found at the person's next event, at its right moment but late, and never if none
comes.

Setting the topics up and writing the events into Kafka is not timed; the broker's own CPU is not counted.
"""

from __future__ import annotations

import logging
from importlib.metadata import version

import msgspec
from confluent_kafka import Producer
from quixstreams import Application, State
from quixstreams.models import TopicConfig

from benchmarks.peers.event import Event
from benchmarks.peers.person import Person, Transition, take
from benchmarks.peers.told import Job, Watch, events, job, keep, say

SEND = 10_000
COMMIT_S = 1.0
IDLE_S = 20.0


def run(asked: Job, watch: Watch) -> list[Transition]:
    """Put the file into Kafka, then fold it from there; return all transitions."""
    application = Application(
        broker_address=asked.address,
        consumer_group=asked.folder.name,
        auto_offset_reset="earliest",
        processing_guarantee="exactly-once",
        commit_interval=COMMIT_S,
        state_dir=str(asked.folder / "state"),
        loglevel=logging.WARNING,
    )
    one = TopicConfig(num_partitions=1, replication_factor=1)
    coming = application.topic(f"{asked.folder.name}-events", value_deserializer="bytes", config=one)
    going = application.topic(f"{asked.folder.name}-transitions", value_serializer="bytes", config=one)
    _send(asked, coming.name)
    told: list[Transition] = []
    read, decode, encode = (
        msgspec.json.Decoder(Event).decode,
        msgspec.msgpack.Decoder(Person).decode,
        msgspec.msgpack.encode,
    )

    def serve(value: bytes, state: State) -> list[bytes]:
        event = read(value)
        held = state.get_bytes("person")
        person = Person() if held is None else decode(held)
        found = take(person, event)
        state.set_bytes("person", encode(person))
        told.extend(found)
        watch.count()
        return [msgspec.json.encode(one) for one in found]

    application.dataframe(coming).apply(serve, stateful=True, expand=True).to_topic(going)
    application.run(count=asked.events, timeout=IDLE_S)
    return told


def _send(asked: Job, topic: str) -> None:
    producer = Producer({"bootstrap.servers": asked.address, "acks": "all", "linger.ms": 20})
    for event in events(asked.file, asked.events):
        producer.produce(topic, msgspec.json.encode(event), event.person)
        if event.seq % SEND == 0:
            producer.flush()
    producer.flush()


def main() -> None:
    """Do what the command line asks for."""
    asked = job()
    watch = Watch(asked.events, asked.warm)
    keep(asked.folder, run(asked, watch))
    say(watch.taken(f"quixstreams {version('quixstreams')}"))
