"""Records: subject, mentions, seals, facets and the content hash; nothing personal stands open."""

from __future__ import annotations

import itertools
from typing import Any

import msgspec
import pytest

from livepost.intake.call import Call, read_call
from livepost.intake.plan import TrackingPlan, Undeclared
from livepost.intake.record import PUBLIC_ALIAS, Arrival, Recorder
from livepost.intake.seal import open_value
from livepost.log.body import packed_piece
from livepost.model.block import columns_of
from livepost.model.compiled import Compiled, EventSpec, FieldSpec
from livepost.model.record import KeyKind, Mention, Origin, Record, Verdict
from livepost.vault.base import ANONYMOUS, EMAIL, USER, ExternalId
from livepost.vault.memory import MemoryVault

PROJECT = Compiled(
    currency="EUR",
    events=(
        EventSpec(
            name="Order Completed",
            cls="OrderCompleted",
            fields=(
                FieldSpec(name="order_id", keys=("order_id",), type="str"),
                FieldSpec(name="total", keys=("total",), type="money", currency_key="currency"),
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
                FieldSpec(name="plan", keys=("plan",), type="str", required=False),
            ),
        ),
    ),
)


class Desk:
    """A recorder with its vault, and ids that count up."""

    def __init__(self, undeclared: Undeclared = "allow") -> None:
        self.vault = MemoryVault()
        numbers = itertools.count()
        self.recorder = Recorder("shop", self.vault, TrackingPlan(PROJECT, undeclared), lambda: f"id-{next(numbers)}")

    def record(self, call: Call | bytes, key: KeyKind = KeyKind.WRITE, sent_at: int | None = None) -> Record:
        return self.records([call], key, sent_at)[0]

    def records(self, calls: list[Any], key: KeyKind = KeyKind.WRITE, sent_at: int | None = None) -> list[Record]:
        read = [read_call(call) if isinstance(call, bytes) else call for call in calls]
        return self.recorder.records(read, Arrival(source="web", key=key, received_at=10_000, sent_at=sent_at))

    def subject(self, kind: str, value: str) -> bytes:
        found = self.vault.find(ExternalId(kind, value))
        assert found is not None
        return found.subject

    def opened(self, record: Record, field: str) -> Any:
        value = record.sealed_value(field)
        assert value is not None
        return open_value(self.vault.keys(record.subject), "shop", value)


def order(**parts: Any) -> Call:
    return Call(
        **{
            "type": "track",
            "user_id": "u1",
            "event": "Order Completed",
            "message_id": "m1",
            "properties": {"order_id": "o1", "total": 9.5},
            **parts,
        }
    )


def identify(**parts: Any) -> Call:
    return Call(**{"type": "identify", "user_id": "u1", "message_id": "m1", **parts})


MANY = [
    b'{"type":"track","event":"Order Completed","userId":"u1","messageId":"1","properties":{"order_id":"o","total":9}}',
    b'{"type":"track","event":"Order Completed","userId":"u1","messageId":"2","properties":{},"sentAt":"2026-01-01"}',
    b'{"type":"identify","userId":"u1","anonymousId":"a1","traits":{"email":"a@b.co"},"context":{"locale":"en","q":1}}',
    b'{"type":"track","event":"Nobody\'s","anonymousId":"a2","messageId":"4","timestamp":"2026-01-01T00:00:00Z"}',
    b'{"type":"track","event":"Nobody\'s","anonymousId":"a2","messageId":"5","timestamp":"soon"}',
    b'{"type":"alias","previousId":"u1","userId":"u2","messageId":"6"}',
    b'{"type":"page","properties":[],"messageId":"7"}',
    b'{"userId":[],"messageId":"8"}',
]


@pytest.mark.parametrize("undeclared", ["allow", "quarantine", "block"])
@pytest.mark.parametrize("key", KeyKind)
def test_columns_are_to_the_byte_those_of_the_records(
    undeclared: Undeclared, key: KeyKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(undeclared)
    arrival = Arrival(source="web", key=key, received_at=10_000, sent_at=9_000, origin=Origin.IMPORT)

    def made(how: str) -> bytes:
        nonces, ids = itertools.count(), itertools.count()
        monkeypatch.setattr("livepost.vault.subject.new_nonce", lambda: next(nonces).to_bytes(12, "big"))
        recorder = Recorder("shop", desk.vault, desk.recorder.plan, lambda: f"fresh-{next(ids)}")
        calls = [read_call(call) for call in MANY]
        told = recorder.columns(calls, arrival) if how == "columns" else columns_of(recorder.records(calls, arrival))
        return packed_piece(told)

    made("records")  # everybody is known from here on
    assert made("columns") == made("records")


def test_a_declared_event_stands_open_and_normalised() -> None:
    record = Desk().record(order())
    assert (record.name, record.verdict, record.properties) == (
        "Order Completed",
        Verdict.ACCEPTED,
        {"order_id": "o1", "total": [950, "EUR"]},
    )
    assert (record.source, record.key, record.message_id, record.sealed) == ("web", KeyKind.WRITE, "m1", {})


def test_the_subject_is_the_strongest_id_and_the_other_is_mentioned() -> None:
    desk = Desk()
    record = desk.record(order(anonymous_id="a1"))
    assert (record.subject, record.known) == (desk.subject(USER, "u1"), True)
    assert record.mentions == (Mention(desk.subject(ANONYMOUS, "a1"), False),)


def test_an_anonymous_person_is_not_known() -> None:
    desk = Desk()
    record = desk.record(order(user_id=None, anonymous_id="a1"))
    assert (record.subject, record.known, record.mentions) == (desk.subject(ANONYMOUS, "a1"), False, ())


TILL = Compiled(
    events=(
        EventSpec(
            name="Bought",
            cls="Bought",
            fields=(
                FieldSpec(name="card", keys=("card", "Card"), type="str", required=False, personal=True, key=True),
                FieldSpec(name="number", keys=("number",), type="int", required=False, personal=True, key=True),
            ),
        ),
    )
)


def bought(**properties: Any) -> Call:
    return Call(type="track", event="Bought", message_id="m", properties=properties)


def test_a_declared_key_is_weaker_than_a_user_id_and_stronger_than_an_anonymous_id() -> None:
    desk = Desk()
    desk.recorder.plan = TrackingPlan(TILL)
    call = bought(Card="4711", number=7)
    call.anonymous_id = "till"
    record = desk.record(call, KeyKind.SECRET)
    assert (record.subject, record.known) == (desk.subject("card", "4711"), True)
    number, till = Mention(desk.subject("number", "7"), True), Mention(desk.subject(ANONYMOUS, "till"), False)
    assert record.mentions == (number, till)
    assert (record.properties, set(record.sealed)) == ({}, {"card", "number"})
    call.user_id = "ada"
    record = desk.record(call, KeyKind.SECRET)
    assert record.subject == desk.subject(USER, "ada")
    assert record.mentions == (Mention(desk.subject("card", "4711"), True), number, till)


def test_a_declared_key_from_a_public_key_is_a_personal_value_and_no_id() -> None:
    desk = Desk()
    desk.recorder.plan = TrackingPlan(TILL)
    call = bought(card="4711")
    call.user_id = "ada"
    record = desk.record(call)
    assert (record.mentions, set(record.sealed)) == ((), {"card"})
    assert desk.vault.find(ExternalId("card", "4711")) is None


def test_a_number_and_its_text_are_one_id() -> None:
    first, second = Desk().records([order(user_id=7), order(user_id="7")])
    assert first.subject == second.subject


def test_an_address_is_mentioned_only_if_a_secret_key_brought_it() -> None:
    desk = Desk()
    public = desk.record(identify(traits={"email": "jane@example.com"}))
    assert public.mentions == ()
    assert desk.vault.find(ExternalId(EMAIL, "jane@example.com")) is None
    secret = desk.record(identify(traits={"email": "jane@example.com"}), KeyKind.SECRET)
    assert secret.mentions == (Mention(desk.subject(EMAIL, "jane@example.com"), False),)


@pytest.mark.parametrize("known", [[], [ANONYMOUS], [ANONYMOUS, USER]])
def test_an_alias_from_a_public_key_mentions_an_anonymous_id_only(known: list[str]) -> None:
    desk = Desk()
    desk.vault.admit([ExternalId(kind, "old") for kind in known])
    record = desk.record(Call(type="alias", user_id="u1", previous_id="old"))
    assert record.mentions == (Mention(desk.subject(ANONYMOUS, "old"), False),)
    assert record.verdict is Verdict.ACCEPTED


def test_an_alias_of_two_users_from_a_public_key_is_a_dead_letter_that_says_so_and_names_nobody() -> None:
    desk = Desk()
    desk.record(order(user_id="old"))
    record = desk.record(Call(type="alias", user_id="u1", previous_id="old"))
    assert (record.verdict, record.reason, record.mentions) == (Verdict.DEAD, PUBLIC_ALIAS, ())
    assert desk.vault.find(ExternalId(ANONYMOUS, "old")) is None


def test_what_else_is_wrong_with_an_alias_is_said_first() -> None:
    desk = Desk()
    desk.record(order(user_id="old"))
    record = desk.record(Call(type="alias", user_id="u1", previous_id="old", timestamp="yesterday"))
    assert (record.verdict, "timestamp" in record.reason) == (Verdict.DEAD, True)


def test_an_alias_from_a_secret_key_mentions_the_user_it_names() -> None:
    desk = Desk()
    record = desk.record(Call(type="alias", user_id="u1", previous_id="old"), KeyKind.SECRET)
    assert (record.name, record.mentions) == ("$alias", (Mention(desk.subject(USER, "old"), True),))


def test_an_alias_from_a_secret_key_finds_an_anonymous_id_of_the_same_batch() -> None:
    desk = Desk()
    calls = [order(user_id=None, anonymous_id="anon-77"), Call(type="alias", user_id="u1", previous_id="anon-77")]
    record = desk.records(calls, KeyKind.SECRET)[1]
    assert record.mentions == (Mention(desk.subject(ANONYMOUS, "anon-77"), False),)
    assert desk.vault.find(ExternalId(USER, "anon-77")) is None


def test_nobody_mentions_themselves() -> None:
    assert Desk().record(Call(type="alias", user_id="u1", previous_id="u1"), KeyKind.SECRET).mentions == ()


def test_personal_fields_are_sealed_one_by_one_and_undeclared_ones_together() -> None:
    desk = Desk()
    record = desk.record(
        identify(traits={"email": "j@example.com", "firstName": "Jane", "plan": "gold", "a": 1, "b": 2})
    )
    assert record.properties == {"plan": "gold"}
    assert set(record.sealed) == {"email", "first_name", "$undeclared"}
    assert desk.opened(record, "email") == "j@example.com"
    assert desk.opened(record, "first_name") == "Jane"
    assert desk.opened(record, "$undeclared") == {"a": 1, "b": 2}


def test_an_undeclared_event_is_sealed_whole() -> None:
    desk = Desk()
    record = desk.record(order(event="Song Played", properties={"artist": "x"}))
    assert (record.name, record.properties) == ("Song Played", {})
    assert desk.opened(record, "$undeclared") == {"artist": "x"}


def test_the_rest_of_the_context_is_sealed_together() -> None:
    desk = Desk()
    record = desk.record(order(context={"ip": "203.0.113.9", "timezone": "UTC", "page": {"path": "/p"}}))
    assert (record.context, record.facets) == ({"timezone": "UTC"}, {"context.zone": "UTC"})
    assert desk.opened(record, "$context") == {"ip": "203.0.113.9", "page": {"path": "/p"}}


def test_an_identify_gives_facets_and_other_calls_do_not() -> None:
    traits = {"email": "jane@example.com"}
    assert Desk().record(identify(traits=traits)).facets == {"email.domain": "example.com"}
    assert Desk().record(Call(type="group", user_id="u1", group_id="g", traits=traits)).facets == {}


def test_a_preference_event_carries_consent_in_context_or_properties() -> None:
    preferences = {"categoryPreferences": {"Marketing": False}}
    for parts in (
        {"context": {"consent": preferences}},
        {"properties": preferences},
        {"properties": {"consent": preferences}},
    ):
        record = Desk().record(order(event="Segment Consent Preference Updated", **{"properties": {}, **parts}))
        assert record.context["consent"] == {"marketing": False}


def test_other_events_give_no_consent_by_their_properties() -> None:
    record = Desk().record(order(event="Song Played", properties={"categoryPreferences": {"Marketing": True}}))
    assert record.context == {}


def test_times_are_kept_and_corrected() -> None:
    record = Desk().record(order(timestamp="1970-01-01T00:00:05Z"), sent_at=7_000)
    assert (record.timestamp, record.sent_at, record.received_at, record.effective_ts) == (5_000, 7_000, 10_000, 8_000)


def test_the_calls_own_sent_at_goes_before_the_batchs() -> None:
    assert Desk().record(order(sent_at="1970-01-01T00:00:06Z"), sent_at=7_000).sent_at == 6_000


def test_a_call_without_an_id_gets_one() -> None:
    assert Desk().record(order(message_id=None)).message_id == "id-0"
    assert Desk().record(order(message_id="")).message_id == "id-0"


def test_a_dead_letter_keeps_the_whole_call_sealed() -> None:
    desk = Desk()
    record = desk.record(order(properties={"order_id": 5, "total": 1}))
    assert (record.verdict, record.properties, set(record.sealed)) == (Verdict.DEAD, {}, {"$call"})
    assert read_call(msgspec.json.encode(desk.opened(record, "$call"))) == order(properties={"order_id": 5, "total": 1})


def test_a_broken_call_is_kept_as_it_was_told() -> None:
    desk = Desk()
    record = desk.record(b'{"type":"track","userId":"u1","event":5,"channel":"x"}')
    assert record.verdict is Verdict.DEAD
    assert desk.opened(record, "$call") == {"type": "track", "userId": "u1", "event": 5, "channel": "x"}


def test_calls_that_name_nobody_share_one_fresh_subject() -> None:
    first, second = Desk().records([Call(type="track", event="X"), b"[1]"])
    assert first.verdict is second.verdict is Verdict.DEAD
    assert first.subject == second.subject
    assert not first.known


def test_a_quarantined_event_is_kept_sealed_and_a_blocked_one_is_not() -> None:
    quarantined = Desk("quarantine").record(order(event="Song Played"))
    blocked = Desk("block").record(order(event="Song Played"))
    assert (quarantined.verdict, set(quarantined.sealed)) == (Verdict.QUARANTINED, {"$call"})
    assert (blocked.verdict, blocked.sealed) == (Verdict.FILTERED, {})


def test_the_content_hash_of_a_retry_is_the_same() -> None:
    desk = Desk()
    first = desk.record(
        b'{"type":"track","userId":"u1","event":"X","properties":{"a":1,"b":2},"sentAt":"2026-01-01T00:00:00Z"}'
    )
    retry = desk.record(
        b'{"sentAt":"2026-01-01T00:00:09Z","_metadata":{"retryCount":1},"writeKey":"k","integrations":{},'
        b'"properties":{"b":2,"a":1},"event":"X","userId":"u1","type":"track"}'
    )
    assert first.content_hash == retry.content_hash
    assert len(first.content_hash) == 16


def test_the_content_hash_of_another_content_or_person_is_another() -> None:
    desk = Desk()
    calls = [
        order(),
        order(properties={"order_id": "o2", "total": 9.5}),
        order(timestamp="2026-01-01T00:00:00Z"),
        order(context={"ip": "203.0.113.9"}),
        order(event="Order Refunded"),
        order(user_id="u2"),
    ]
    assert len({desk.record(call).content_hash for call in calls}) == len(calls)


def canary(name: str) -> str:
    return f"canary-{name}-jane@example.com"


def open_part(record: Record) -> bytes:
    """All of a record that is not sealed, as bytes to search; the ids of subjects say nothing."""
    return msgspec.json.encode(
        [record.properties, record.context, record.facets, record.reason, record.control, record.source]
    )


def personal_calls() -> list[Any]:
    told = {name: canary(name) for name in ("email", "firstName", "phone", "city", "url", "referrer")}
    context = {key: canary(key) for key in ("ip", "userAgent", "locale", "timezone", "library", "page", "consent")}
    nested = {
        "campaign": {"name": canary("campaign")},
        "traits": {"email": canary("traits")},
        "consent": {"categoryPreferences": {canary("purpose"): True}},
    }
    return [
        identify(traits=told, context=context),
        identify(traits={"email": canary("domain").replace("example.com", "exa mple")}, context=nested),
        order(event="Song Played", properties=told),
        order(properties={"order_id": 5, "total": canary("total"), "currency": canary("currency")}),
        order(properties={"order_id": "o1", "total": 5, "currency": canary("currency")}),
        order(timestamp=canary("timestamp")),
        Call(
            type="page",
            anonymous_id=canary("anonymous"),
            name=canary("page"),
            category=canary("category"),
            properties=told,
        ),
        Call(type="group", user_id=canary("user"), group_id=canary("group"), traits=told),
        Call(type="alias", user_id=canary("user"), previous_id=canary("previous")),
        Call(type=canary("type"), user_id=canary("user")),
        msgspec.json.encode({"type": "track", "userId": [canary("list")], "event": {canary("key"): 1}}),
        msgspec.json.encode({"type": "track", "userId": "u1", "event": "$" + canary("reserved")}),
    ]


def test_nothing_personal_stands_open_in_a_record() -> None:
    for plan in ("allow", "quarantine", "block"):
        for record in Desk(plan).records(personal_calls(), KeyKind.SECRET):
            assert b"canary" not in open_part(record), record.name
            assert b"canary" not in b"".join(record.sealed.values())


def test_the_search_for_canaries_finds_one_that_stands_open() -> None:
    record = Desk().record(order(properties={"order_id": canary("control"), "total": 1}))
    assert b"canary" in open_part(record)
