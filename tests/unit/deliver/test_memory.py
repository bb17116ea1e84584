"""Mails in memory: kept once, looked up, bounded."""

from __future__ import annotations

from livepost.clock import SimulatedClock
from livepost.deliver.memory import MemoryKeep
from livepost.model.message import Message


def mail(number: int) -> Message:
    return Message(
        decision=bytes([number]) * 16,
        person=bytes(16),
        sender="shop@example.com",
        recipient="ada@example.com",
        message_id=f"<{number}@example.com>",
        raw=b"",
    )


def test_mails_are_kept_in_the_order_of_sending_with_the_clocks_time() -> None:
    keep = MemoryKeep(SimulatedClock(5_000))
    receipts = keep.send([mail(2), mail(1)])
    assert [(one.state, one.at_ms) for one in receipts] == [("sent", 5_000), ("sent", 5_000)]
    assert keep.mails == [mail(2), mail(1)]


def test_a_decision_sent_before_is_not_sent_again() -> None:
    keep = MemoryKeep(SimulatedClock(0))
    keep.send([mail(1)])
    (receipt,) = keep.send([mail(1)])
    assert (receipt.state, receipt.text, len(keep.mails)) == ("sent", "kept before", 1)


def test_lookup_knows_for_sure_what_was_sent() -> None:
    keep = MemoryKeep(SimulatedClock(0))
    keep.send([mail(1)])
    assert [one.state for one in keep.lookup([mail(1).decision, mail(2).decision])] == ["sent", "failed"]


def test_a_full_memory_refuses_for_now() -> None:
    keep = MemoryKeep(SimulatedClock(0), max_mails=1)
    assert [one.state for one in keep.send([mail(1), mail(2)])] == ["sent", "temporary"]
