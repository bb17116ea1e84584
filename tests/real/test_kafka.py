"""The harness's Kafka is a real one: it keeps what it acknowledged, and hides what was not committed."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Thread

import pytest
from confluent_kafka import Producer

from tests.real.kafka import PATIENCE_S, Broker, BrokerError, needs_kafka, produced, read


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Broker]:
    """A broker of the test's own, to be killed."""
    needs_kafka()
    broker = Broker(tmp_path / "kafka")
    yield broker
    broker.stop()


def lost(acknowledged: Sequence[bytes], found: Sequence[bytes]) -> list[bytes]:
    """Return what was acknowledged and is not there."""
    there = set(found)
    return [value for value in acknowledged if value not in there]


def numbers(count: int) -> list[bytes]:
    return [b"%08d" % number for number in range(count)]


def test_what_is_sent_with_all_acknowledgements_is_read_in_order(kafka: Broker) -> None:
    kafka.topic("ordered")
    sent = numbers(5_000)
    assert produced(kafka, "ordered", sent) == sent
    assert read(kafka, "ordered") == sent


def test_a_topic_has_the_partitions_that_were_asked_for(kafka: Broker) -> None:
    kafka.topic("parts", partitions=3)
    assert [read(kafka, "parts", partition=at) for at in range(3)] == [[], [], []]


def test_a_reader_of_what_is_committed_sees_no_aborted_transaction_and_another_reader_does(kafka: Broker) -> None:
    kafka.topic("transactions")
    producer = Producer({"bootstrap.servers": kafka.address, "transactional.id": "one"})
    producer.init_transactions(PATIENCE_S)
    for value, end in ((b"kept", producer.commit_transaction), (b"dropped", producer.abort_transaction)):
        producer.begin_transaction()
        producer.produce("transactions", value)
        producer.flush(PATIENCE_S)
        end(PATIENCE_S)
    assert read(kafka, "transactions") == [b"kept"]
    assert read(kafka, "transactions", isolation="read_uncommitted") == [b"kept", b"dropped"]


def test_a_producer_of_the_same_name_fences_off_the_one_before(kafka: Broker) -> None:
    kafka.topic("fenced")
    first, second = (Producer({"bootstrap.servers": kafka.address, "transactional.id": "same"}) for _ in range(2))
    first.init_transactions(PATIENCE_S)
    first.begin_transaction()
    first.produce("fenced", b"of the first")
    second.init_transactions(PATIENCE_S)
    with pytest.raises(Exception, match=r"(?i)fenced|newer instance"):
        first.commit_transaction(PATIENCE_S)
    assert read(kafka, "fenced") == []


def test_a_killed_broker_has_all_that_it_acknowledged_when_it_is_back(own: Broker) -> None:
    own.topic("kept")
    acknowledged: list[bytes] = []
    sender = Thread(target=lambda: acknowledged.extend(produced(own, "kept", numbers(50_000))))
    sender.start()
    _wait_for_first_bytes(own, "kept")
    own.kill()
    own.start()
    sender.join()
    assert len(acknowledged) == 50_000
    assert lost(acknowledged, read(own, "kept")) == []


def test_a_broker_whose_segment_was_cut_has_lost_what_it_acknowledged(own: Broker) -> None:
    own.topic("cut")
    acknowledged = produced(own, "cut", numbers(5_000))
    own.kill()
    [segment] = own.partition_folder("cut").glob("*.log")
    with segment.open("r+b") as file:
        file.truncate(segment.stat().st_size // 2)
    own.start()
    assert lost(acknowledged, read(own, "cut")) != []


def test_a_broker_that_ends_at_its_start_says_why(own: Broker) -> None:
    own.stop()
    shutil.rmtree(own.folder / "logs")
    with pytest.raises(BrokerError, match=r"expected Kafka to run, it ended with \d+"):
        own.start()


def test_a_broker_that_takes_too_long_is_ended_and_said(tmp_path: Path) -> None:
    needs_kafka()
    with pytest.raises(BrokerError, match=r"expected Kafka to answer within 0\.01 s"):
        Broker(tmp_path / "kafka", start_s=0.01)


def _wait_for_first_bytes(broker: Broker, topic: str) -> None:
    """Return when the first records are on their way to disk."""
    deadline = time.monotonic() + PATIENCE_S
    while not any(path.stat().st_size for path in broker.partition_folder(topic).glob("*.log")):
        assert time.monotonic() < deadline, "expected records in the broker's log"
        time.sleep(0.001)
