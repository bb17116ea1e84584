"""The erasure list: what is of before is emptied, under any id, and nothing else is."""

from __future__ import annotations

import pytest

from livepost.intake.call import Call
from livepost.intake.erased import Erased, ErasedCall, erasure_hash
from livepost.vault.base import EMAIL, USER, ExternalId
from livepost.vault.memory import MemoryVault

AT = 1_700_000_000_000
VAULT = MemoryVault(root=bytes(32))
ADA = ExternalId(USER, "ada")
ERASED = Erased(VAULT.blind, {erasure_hash(VAULT.blind, id): AT for id in (ADA, ExternalId(EMAIL, "Ada@example.com "))})


def is_emptied(call: Call, *named: ExternalId, received_at: int = AT) -> bool:
    return type(ERASED.rest(call, named, None, received_at)) is ErasedCall


@pytest.mark.parametrize(("received_at", "emptied"), [(AT - 1, True), (AT, True), (AT + 1, False)])
def test_what_is_of_before_is_emptied_and_what_comes_later_is_not(received_at: int, emptied: bool) -> None:
    assert is_emptied(Call(type="track", event="Seen", user_id="ada"), ADA, received_at=received_at) is emptied


def test_somebody_else_is_let_in() -> None:
    assert not is_emptied(Call(type="track", event="Seen", user_id="bob"), ExternalId(USER, "bob"))


def test_a_time_of_before_counts_whenever_it_comes() -> None:
    call = Call(type="track", event="Seen", user_id="ada", timestamp="2020-01-01T00:00:00Z")
    assert is_emptied(call, ADA, received_at=AT + 10**9)


def test_an_alias_and_an_address_name_them_too() -> None:
    assert is_emptied(Call(type="alias", user_id="new", previous_id="ada"), ExternalId(USER, "new"))
    assert is_emptied(Call(type="identify", user_id="new", traits={"email": "ada@EXAMPLE.com"}))


def test_nothing_is_left_but_type_name_and_times() -> None:
    call = Call(type="track", event="Seen", user_id="ada", message_id="ada-1", properties={"a": 1}, context={"b": 2})
    rest = ERASED.rest(call, [ADA], None, AT)
    assert rest == ErasedCall(type="track", event="Seen")


def test_an_empty_list_empties_nothing() -> None:
    call = Call(type="track", event="Seen", user_id="ada")
    assert Erased(VAULT.blind, {}).rest(call, [ADA], None, 0) is call
