"""Message ids as rows keep them: what is shortened comes back as it was."""

from __future__ import annotations

import uuid

import pytest

from livepost.engine.message_id import shortened, whole

UUID = "0b8f2a64-97cd-4e5f-8a01-23456789abcd"
PLAIN = UUID.replace("-", "")

LONG = [UUID, PLAIN, f"ajs-next-1767225600000-{UUID}", f"é-{UUID}", f"x{PLAIN}"]
"""Those that end in a UUID."""

OTHER = ["", "m-1", UUID.upper(), UUID[:-1], PLAIN[1:], f"{UUID}-2", UUID.replace("-", "_"), f"{UUID[:-1]}é", "é" * 40]


@pytest.mark.parametrize("message_id", [*LONG, *OTHER])
def test_an_id_comes_back_as_it_was_alone_or_among_others(message_id: str) -> None:
    (alone,) = shortened([message_id])
    assert whole(alone) == message_id
    assert shortened(["m", UUID, message_id, PLAIN])[2] == alone


@pytest.mark.parametrize("message_id", LONG)
def test_an_id_that_ends_in_a_uuid_takes_seventeen_bytes_and_what_stands_before(message_id: str) -> None:
    (kept,) = shortened([message_id])
    before = message_id.removesuffix(UUID).removesuffix(PLAIN)
    assert isinstance(kept, bytes)
    assert len(kept) == 17 + len(before.encode())


@pytest.mark.parametrize("message_id", OTHER)
def test_any_other_id_stays_as_it_is(message_id: str) -> None:
    assert shortened([message_id]) == [message_id]


def test_ids_that_differ_are_shortened_to_others() -> None:
    assert len({*shortened([*LONG, *OTHER])}) == len(LONG) + len(OTHER)


def test_many_ids_come_back_in_their_order() -> None:
    message_ids = [str(uuid.UUID(int=number**7)) for number in range(1_000)]
    assert [*map(whole, shortened(message_ids))] == message_ids
    assert shortened([]) == []
