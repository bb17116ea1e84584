"""Letters: what they told comes out of them again, what is wrong is said, and a replay is made once and quietly."""

from __future__ import annotations

import itertools
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livepost.errors import SealError
from livepost.intake.call import MAX_DEPTH, TOO_DEEP, read_call
from livepost.intake.context import CONSENT_EVENT
from livepost.intake.letter import OTHER_PERSON, Letters, masked, replayed, still_wrong
from livepost.intake.plan import TrackingPlan, Undeclared
from livepost.intake.record import PUBLIC_ALIAS, Arrival, Recorder
from livepost.intake.seal import open_value
from livepost.model.compiled import Compiled, EventSpec, FieldSpec
from livepost.model.letter import Letter
from livepost.model.record import KeyKind, Origin, Record, Verdict
from livepost.vault.base import USER, ExternalId
from livepost.vault.memory import MemoryVault

STAMP = 1_795_000_000_000
RECEIVED = STAMP - 500
PROJECT = Compiled(
    currency="EUR",
    events=(
        EventSpec(
            name="Order Completed",
            cls="OrderCompleted",
            fields=(
                FieldSpec(name="order_id", keys=("order_id", "orderId"), type="str"),
                FieldSpec(name="total", keys=("total",), type="money", currency_key="currency"),
                FieldSpec(name="paid_at", keys=("paid_at", "paidAt"), type="datetime", required=False),
                FieldSpec(name="steps", keys=("steps",), type="list", item="datetime", required=False),
                FieldSpec(name="note", keys=("note",), type="str", required=False, personal=True),
                FieldSpec(name="gift", keys=("gift",), type="bool", required=False),
            ),
        ),
        EventSpec(
            name="$identify",
            cls="Identified",
            fields=(
                FieldSpec(name="email", keys=("email",), type="str", required=False, personal=True),
                FieldSpec(
                    name="first_name", keys=("first_name", "firstName"), type="str", required=False, personal=True
                ),
            ),
        ),
    ),
)
ORDER = {
    "type": "track",
    "userId": "ada",
    "messageId": "m1",
    "event": "Order Completed",
    "properties": {"orderId": "o1", "total": 9.5},
}
BROKEN = {**ORDER, "properties": {"orderId": "o1", "total": "much", "note": "for-mother"}}


class Desk:
    """A recorder, its vault, and what opens its letters; a record it makes stands in the log at a position."""

    def __init__(self, undeclared: Undeclared = "allow") -> None:
        self.vault = MemoryVault()
        numbers = itertools.count()
        self.recorder = Recorder("shop", self.vault, TrackingPlan(PROJECT, undeclared), lambda: f"id-{next(numbers)}")
        self.letters = Letters(self.vault, "shop", PROJECT)
        self._seq = itertools.count(7)

    def take(self, call: Any, key: KeyKind = KeyKind.WRITE, stamp: int = STAMP) -> Record:
        arrival = Arrival(source="web", key=key, received_at=RECEIVED)
        (record,) = self.recorder.records([read_call(json.dumps(call).encode())], arrival)
        return self.logged(record, stamp)

    def logged(self, record: Record, stamp: int = STAMP) -> Record:
        effective_ts = min(record.effective_ts, stamp)
        return msgspec.structs.replace(record, seq=next(self._seq), stamp=stamp, effective_ts=effective_ts)

    def wrong(self, letter: Record, edited: Any = None, *, another_person: bool = False) -> str:
        call = None if edited is None else read_call(json.dumps(edited).encode())
        told = self.letters.told(letter)
        return still_wrong(self.recorder.plan, letter, told, call, another_person=another_person)

    def replayed(self, letter: Record, edited: Any = None, *, conflict: bool = False) -> Record:
        call = None if edited is None else read_call(json.dumps(edited).encode())
        return replayed(self.recorder, letter, self.letters.told(letter), call, conflict=conflict)

    def opened(self, record: Record) -> dict[str, Any]:
        keys = self.vault.keys(record.subject)
        values = [record.sealed_value(field) for field in record.sealed]
        return {value.field: open_value(keys, "shop", value) for value in values if value is not None}

    def plain(self, record: Record) -> dict[str, Any]:
        """Return all of a record that a replay keeps, seals opened."""
        told = msgspec.structs.asdict(record)
        for name in ("seq", "stamp", "origin", "control"):
            del told[name]
        return {**told, "sealed": self.opened(record)}


def row_of(letter: Record, reason: str = "why") -> Letter:
    return Letter(
        position=letter.seq, fate="dead_lettered", reason=reason, at=letter.stamp, source="web", name=letter.name
    )


def test_a_broken_call_is_told_as_the_client_told_it() -> None:
    desk = Desk()
    assert desk.letters.told(desk.take(BROKEN)) == BROKEN
    assert desk.letters.told(desk.take({**ORDER, "userId": []})) == {**ORDER, "userId": []}
    assert desk.letters.told(desk.take([1, 2])) == [1, 2]


ORDINARY: list[tuple[dict[str, Any], KeyKind]] = [
    (ORDER, KeyKind.WRITE),
    (
        {
            **ORDER,
            "anonymousId": "a1",
            "timestamp": "2026-11-01T10:00:00.123Z",
            "context": {
                "consent": {"categoryPreferences": {"Marketing": True, "ads": False}},
                "locale": "de_DE",
                "timezone": "Europe/Berlin",
                "campaign": {"name": "spring"},
                "ip": "192.0.2.7",
                "page": {"path": "/teas"},
            },
            "properties": {
                "orderId": "o1",
                "total": "-12.34",
                "currency": "usd",
                "paidAt": "2026-10-01T00:00:00Z",
                "steps": ["2026-10-01T00:00:00Z"],
                "note": "for-mother",
                "gift": True,
                "coupon": {"code": "x"},
            },
        },
        KeyKind.WRITE,
    ),
    ({**ORDER, "userId": None, "anonymousId": "a1"}, KeyKind.WRITE),
    ({"type": "identify", "userId": "ada", "traits": {"email": "Ada@Example.com", "plan": "x"}}, KeyKind.SECRET),
    ({"type": "identify", "userId": "ada", "traits": {"email": "Ada@Example.com"}}, KeyKind.WRITE),
    ({"type": "identify", "userId": "ada"}, KeyKind.SECRET),
    ({"type": "page", "anonymousId": "a1", "name": "Home", "properties": {"url": "u"}}, KeyKind.WRITE),
    ({"type": "screen", "anonymousId": "a1", "name": "Home", "category": "c"}, KeyKind.WRITE),
    ({"type": "group", "userId": "ada", "groupId": "g1", "traits": {"size": 3}}, KeyKind.WRITE),
    ({"type": "alias", "userId": "ada", "previousId": "a1"}, KeyKind.WRITE),
    ({"type": "alias", "userId": "ada", "previousId": "bob"}, KeyKind.SECRET),
    ({"type": "alias", "userId": "ada", "anonymousId": "a2", "previousId": "bob"}, KeyKind.SECRET),
    ({"type": "alias", "userId": "ada", "previousId": "ada"}, KeyKind.SECRET),
    (
        {
            "type": "track",
            "userId": "ada",
            "event": CONSENT_EVENT,
            "properties": {"categoryPreferences": {"marketing": False}},
        },
        KeyKind.WRITE,
    ),
    ({"type": "track", "userId": "ada", "event": "Not Declared", "properties": {"a": [1, {"b": None}]}}, KeyKind.WRITE),
]


@pytest.mark.parametrize(("call", "key"), ORDINARY)
def test_of_an_ordinary_record_a_call_is_told_that_makes_the_same_record_again(
    call: dict[str, Any], key: KeyKind
) -> None:
    desk = Desk()
    letter = desk.take({"messageId": "m1", **call}, key)
    assert letter.verdict is Verdict.ACCEPTED
    assert desk.wrong(letter) == ""
    assert desk.plain(desk.replayed(letter)) == desk.plain(letter)


@settings(max_examples=150, deadline=None, database=None)
@given(
    total=st.integers(-(10**15), 10**15),
    currency=st.sampled_from(["EUR", "JPY", "BHD", "CLF"]),
    paid_at=st.integers(-62_135_596_800_000, 253_402_300_799_999),
)
def test_money_and_times_come_back_to_the_last_digit(total: int, currency: str, paid_at: int) -> None:
    desk = Desk()
    record = desk.take(ORDER)
    record.properties |= {"total": [total, currency], "paid_at": paid_at}
    assert desk.replayed(record).properties == record.properties


def test_a_value_whose_field_has_another_type_by_now_is_judged_as_it_is() -> None:
    desk = Desk()
    record = desk.take(ORDER)
    record.properties["total"] = "1.50"
    assert desk.letters.told(record)["properties"]["total"] == "1.50"
    record.properties["total"] = [1, 2, 3]
    assert desk.wrong(record).startswith("expected field `total` in `Order Completed` to be an amount")


def test_what_is_wrong_is_said_in_the_words_of_the_first_verdict_until_it_is_corrected() -> None:
    desk = Desk()
    letter = desk.take(BROKEN)
    assert (letter.verdict, desk.wrong(letter)) == (Verdict.DEAD, letter.reason)
    assert desk.wrong(letter, ORDER) == ""
    assert desk.wrong(letter, {**ORDER, "properties": {}}).startswith("expected field `order_id`")


def test_an_undeclared_event_is_good_once_it_is_declared_or_allowed() -> None:
    desk = Desk("quarantine")
    letter = desk.take({"type": "track", "userId": "ada", "event": "New", "properties": {"a": 1}})
    assert letter.verdict is Verdict.QUARANTINED
    assert desk.wrong(letter) == letter.reason
    desk.recorder.plan = TrackingPlan(PROJECT, "block")
    assert desk.wrong(letter) == "the tracking plan blocks events that it does not declare"
    declared = msgspec.structs.replace(PROJECT, events=(*PROJECT.events, EventSpec(name="New", cls="New", fields=())))
    desk.recorder.plan = TrackingPlan(declared, "quarantine")
    assert desk.wrong(letter) == ""


def test_a_call_that_nested_too_deep_is_not_replayed_as_what_is_left_of_it() -> None:
    deep: Any = {}
    for _ in range(MAX_DEPTH):
        deep = {"a": deep}
    desk = Desk()
    letter = desk.take({"type": "identify", "userId": "ada", "messageId": "m", "traits": deep})
    left = {"type": "identify", "userId": "ada", "messageId": "m"}
    assert desk.letters.told(letter) == left
    assert desk.wrong(letter) == TOO_DEEP
    assert desk.wrong(letter, {**left, "traits": {"plan": "x"}}) == ""


def test_an_alias_of_a_user_from_a_public_key_stays_a_letter_whatever_is_corrected_until_it_is_none() -> None:
    desk = Desk()
    desk.take({"type": "track", "event": "New", "userId": "bob", "messageId": "m0"})
    alias = {"type": "alias", "userId": "ada", "previousId": "bob", "messageId": "m1"}
    letter = desk.take(alias)
    assert (letter.verdict, letter.reason) == (Verdict.DEAD, PUBLIC_ALIAS)
    assert desk.wrong(letter) == desk.wrong(letter, {**alias, "previousId": "carl"}) == PUBLIC_ALIAS
    assert desk.wrong(letter, {"type": "identify", "userId": "ada"}, another_person=True) == ""


def test_a_letter_named_by_a_declared_key_is_replayed_as_the_same_persons() -> None:
    desk = Desk()
    card = FieldSpec(name="card", keys=("card", "Card"), type="str", personal=True, key=True)
    total = FieldSpec(name="total", keys=("total",), type="int")
    declared = Compiled(events=(EventSpec(name="Bought", cls="Bought", fields=(card, total)),))
    desk.recorder.plan = TrackingPlan(declared)
    told = {"type": "track", "event": "Bought", "messageId": "m1", "properties": {"Card": "4711", "total": "x"}}
    letter = desk.take(told, KeyKind.SECRET)
    good = {**told, "properties": {"Card": "4711", "total": 5}}
    assert desk.wrong(letter).startswith("expected field `total`")
    assert desk.wrong(letter, good) == ""
    assert desk.replayed(letter, good).subject == letter.subject
    assert desk.wrong(letter, {**told, "properties": {"Card": "1147", "total": 5}}) == OTHER_PERSON


def test_a_replay_keeps_source_key_person_times_and_id_and_is_history() -> None:
    desk = Desk()
    letter = desk.take({**BROKEN, "timestamp": "2026-11-01T10:00:00Z", "sentAt": "2026-11-01T10:00:05Z"})
    record = desk.replayed(letter, {**ORDER, "timestamp": "2026-11-01T10:00:00Z", "messageId": "another"})
    for name in ("source", "key", "subject", "known", "message_id", "timestamp", "sent_at", "received_at"):
        assert getattr(record, name) == getattr(letter, name), name
    assert record.effective_ts == letter.effective_ts < letter.stamp
    assert (record.origin, record.replays, record.verdict) == (Origin.IMPORT, letter.seq, Verdict.ACCEPTED)


def test_what_happened_in_the_future_is_replayed_at_the_time_it_was_clamped_to() -> None:
    desk = Desk()
    letter = desk.take({**ORDER, "timestamp": "2036-01-01T00:00:00Z"})
    assert desk.replayed(letter).effective_ts == letter.effective_ts == STAMP


def test_a_corrected_time_counts_and_an_unreadable_one_is_said() -> None:
    desk = Desk()
    letter = desk.take({**ORDER, "timestamp": "yesterday"})
    assert desk.wrong(letter).startswith("expected `timestamp` to be an ISO 8601 date-time")
    assert desk.replayed(letter, {**ORDER, "timestamp": "2026-11-01T00:00:00Z"}).effective_ts == 1_793_491_200_000


def test_a_letter_in_conflict_gets_one_id_of_its_own_however_often_it_is_replayed() -> None:
    desk = Desk()
    letter, copy = desk.take(ORDER), desk.take(ORDER)
    other = desk.take({**ORDER, "properties": {"orderId": "o2", "total": 1}})
    ids = [desk.replayed(one, conflict=True).message_id for one in (letter, letter, copy, other)]
    assert len(set(ids)) == len({"m1", *ids}) - 1 == 2 and ids[0] == ids[1] == ids[2]
    assert [desk.replayed(one).message_id for one in (letter, copy, other)] == ["m1"] * 3


def test_the_same_replay_has_the_same_content_and_an_unchanged_one_that_of_its_letter() -> None:
    desk = Desk("quarantine")
    for letter in (desk.take({**ORDER, "event": "New"}), desk.take(ORDER)):
        assert desk.replayed(letter).content_hash == letter.content_hash
    broken = desk.take(BROKEN)
    assert desk.replayed(broken, ORDER).content_hash == desk.replayed(broken, ORDER).content_hash
    assert desk.replayed(broken, ORDER).content_hash != broken.content_hash


@pytest.mark.parametrize(
    "edited",
    [
        {**ORDER, "userId": "bob"},
        {**ORDER, "userId": None, "anonymousId": "a1"},
        {**ORDER, "anonymousId": "a1"},
        {"type": "alias", "userId": "ada", "previousId": "bob"},
    ],
)
def test_a_corrected_call_names_another_person_only_where_that_is_said(edited: dict[str, Any]) -> None:
    desk = Desk()
    letter = desk.take(BROKEN)
    assert desk.wrong(letter, edited) == OTHER_PERSON
    assert desk.wrong(letter, edited, another_person=True) == ""


def test_an_address_from_a_secret_key_is_an_id_that_no_correction_changes_silently() -> None:
    desk = Desk()
    told = {"type": "identify", "userId": "ada", "timestamp": "bad", "traits": {"email": "ada@example.com"}}
    letter = desk.take(told, KeyKind.SECRET)
    good = {**told, "timestamp": None}
    assert desk.wrong(letter, good) == ""
    assert desk.wrong(letter, {**good, "traits": {"email": "eve@example.com"}}) == OTHER_PERSON


def test_a_letter_that_named_nobody_is_given_somebody() -> None:
    desk = Desk()
    letter = desk.take({**ORDER, "userId": ""})
    assert desk.wrong(letter).startswith("expected a `userId` or an `anonymousId`")
    assert desk.wrong(letter, ORDER) == ""
    record = desk.replayed(letter, ORDER)
    ada = desk.vault.find(ExternalId(USER, "ada"))
    assert ada is not None and record.subject == ada.subject != letter.subject


def test_what_a_public_key_brought_is_not_made_sendable_by_a_correction() -> None:
    desk = Desk()
    told = {"type": "identify", "userId": "ada", "timestamp": "bad"}
    letter = desk.take(told, KeyKind.WRITE)
    edited = {**told, "timestamp": None, "traits": {"email": "eve@example.com"}}
    assert desk.wrong(letter, edited) == ""
    record = desk.replayed(letter, edited)
    assert (record.key, record.mentions) == (KeyKind.WRITE, ())
    secret = desk.take(told, KeyKind.SECRET)
    assert desk.replayed(secret, edited).mentions != ()


@pytest.mark.parametrize("call", [BROKEN, ORDER])
def test_of_a_person_who_was_forgotten_nothing_is_told(call: dict[str, Any]) -> None:
    desk = Desk()
    letter = desk.take(call)
    desk.vault.forget([letter.subject])
    with pytest.raises(SealError):
        desk.letters.told(letter)
    detail = desk.letters.detail(row_of(letter), letter, open=True)
    assert (detail.forgotten, detail.opened, detail.call) == (True, False, None)


def test_judging_and_showing_make_nobody_new() -> None:
    desk = Desk()
    letter = desk.take({**ORDER, "userId": ""})
    desk.wrong(letter, {**ORDER, "userId": "newcomer"})
    desk.letters.detail(row_of(letter), letter, open=True)
    assert desk.vault.find(ExternalId(USER, "newcomer")) is None


def test_a_letter_is_shown_with_types_in_place_of_values_unless_it_is_opened() -> None:
    desk = Desk()
    letter = desk.take(BROKEN)
    shown = desk.letters.detail(row_of(letter, letter.reason), letter, open=False)
    assert b"for-mother" not in msgspec.json.encode(shown)
    assert shown.call["properties"] == {"orderId": "a string", "total": "a string", "note": "a string"}
    assert (shown.position, shown.key, shown.origin, shown.message_id) == (letter.seq, "write", "live", "m1")
    opened = desk.letters.detail(row_of(letter), letter, open=True)
    assert (opened.opened, shown.opened, opened.call) == (True, False, BROKEN)


def test_any_json_is_masked_to_its_last_value() -> None:
    told = {"a": [1, True, None, {"b": "x"}], "c": {}}
    assert masked(told) == {"a": ["a number", "a boolean", "null", {"b": "a string"}], "c": {}}


def test_no_value_of_a_corrected_call_stands_open_in_its_record() -> None:
    desk = Desk()
    letter = desk.take(BROKEN)
    edited = {**ORDER, "properties": {**ORDER["properties"], "note": "qx-note", "other": "qx-other"}}  # type: ignore[dict-item]
    packed = msgspec.msgpack.encode(desk.replayed(letter, edited))
    assert b"qx-" not in packed
    assert b"o1" in packed  # the control: what is declared and not personal is found
