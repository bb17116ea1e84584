"""One transactional mail over HTTP: what is sent, to whom, what a repeat gets, what is refused."""

from __future__ import annotations

import email
import email.policy
import json
import re
from email.message import EmailMessage
from typing import Any

import pytest

from livepost.api.send import ADDRESS, LINE
from livepost.deliver.message import is_address
from tests.unit.api.house import Asked

WISH: dict[str, Any] = {
    "to": "Ada@example.com",
    "userId": "ada",
    "template": "note",
    "subject": "Your order {{ order_id }}, {{ first_name }}",
    "variables": {"order_id": "o-17"},
}


def mails(asked: Asked) -> list[EmailMessage]:
    """Return the sends that went out, parsed."""
    ids = {one.decision.id for one in asked.house.ledger.deliveries(campaign="$send")}
    told = [one for one in asked.house.keep.mails if one.decision in ids]
    return [email.message_from_bytes(one.raw, EmailMessage, policy=email.policy.default) for one in told]


def owner(asked: Asked, told: dict[str, str]) -> bytes:
    """Return the person whom the engine knows by the subject that an answer names."""
    view = asked.house.person(bytes.fromhex(told["person"]))
    assert view is not None
    return view.person


def test_a_mail_is_sent_to_the_address_with_its_variables_and_the_persons_features(asked: Asked) -> None:
    reply = asked.send(WISH)
    told = reply.json()
    assert (reply.status_code, told["state"], told["reason"]) == (202, "pending", "")
    [mail] = mails(asked)
    assert (mail["To"], mail["Subject"]) == ("Ada@example.com", "Your order o-17, Ada")
    assert "List-Unsubscribe" not in mail
    [one] = asked.ask("/api/deliveries?campaign=$send").json()["deliveries"]
    assert (one["decision"], one["person"], one["state"]) == (told["id"], told["person"], "sent")
    assert one["cause"] == "asked for by server"
    assert owner(asked, told) == asked.house.subject("ada")


def test_the_same_key_and_body_give_the_same_delivery_as_it_is_now_and_no_second_mail(asked: Asked) -> None:
    first = asked.send(WISH)
    again = asked.send(dict(reversed(WISH.items())))
    assert (first.status_code, again.status_code) == (202, 200)
    assert again.json() == {**first.json(), "state": "sent"}
    assert len(mails(asked)) == 1


def test_the_same_key_with_another_body_is_a_conflict_and_leaves_nothing(asked: Asked) -> None:
    asked.send(WISH)
    position = asked.house.log.last().seq
    reply = asked.send({**WISH, "subject": "Another"})
    assert (reply.status_code, reply.json()["code"]) == (409, "key_used")
    assert (asked.house.log.events_after(position), len(mails(asked))) == (0, 1)


def test_another_key_with_the_same_body_is_another_mail(asked: Asked) -> None:
    assert asked.send(WISH).json()["id"] != asked.send(WISH, "k-2").json()["id"]
    assert len(mails(asked)) == 2


def test_an_address_that_nobody_knew_gets_its_mail_and_one_that_is_known_belongs_to_its_person(asked: Asked) -> None:
    wish = {"template": "note", "subject": "Hi {{ first_name | default: 'you' }}"}
    nobody = asked.send({**wish, "to": "new@example.com"}, "k-1").json()
    ada = asked.send({**wish, "to": "ada@example.com"}, "k-2").json()
    again = asked.send({**wish, "to": "New@example.com"}, "k-3").json()
    assert [one["Subject"] for one in mails(asked)] == ["Hi you", "Hi Ada", "Hi you"]
    owners = [owner(asked, one) for one in (nobody, ada, again)]
    assert owners[1] == asked.house.subject("ada")
    assert owners[0] == owners[2] != owners[1]


def test_two_sends_to_two_addresses_of_a_person_go_each_to_its_own(asked: Asked) -> None:
    for n, to in enumerate(("one@example.com", "two@example.com")):
        asked.ask("/api/send", "POST", body=json.dumps({**WISH, "to": to}).encode(), **{"Idempotency-Key": f"k-{n}"})
    asked.house.advance(0)
    assert sorted(one["To"] for one in mails(asked)) == ["one@example.com", "two@example.com"]


def test_a_send_needs_no_consent_but_heeds_suppression_and_the_kill_switch(asked: Asked) -> None:
    house = asked.house
    house.ledger.suppress(house.vault.blind("suppression", "gone@example.com"), "bounce", 0)
    reply = asked.send({**WISH, "to": "gone@example.com", "userId": "zoe"})
    assert asked.send({**WISH, "to": "gone@example.com", "userId": "zoe"}).json()["reason"] == "suppressed"
    house.ledger.kill("$send", on=True, now_ms=0)
    asked.send(WISH, "k-2")
    assert asked.send(WISH, "k-2").json()["reason"] == "kill"
    assert (reply.status_code, mails(asked)) == (202, [])


def test_a_subject_that_is_no_liquid_is_a_reason_on_record(asked: Asked) -> None:
    asked.send({**WISH, "subject": "{{ order_id"})
    assert asked.send({**WISH, "subject": "{{ order_id"}).json()["reason"] == "render"


def test_why_tells_of_sends(asked: Asked) -> None:
    asked.send(WISH)
    reasons = asked.ask("/api/people/ada/why").json()["campaigns"]
    assert [(one["campaign"], one["state"]) for one in reasons] == [("nudge", "sent"), ("$send", "sent")]
    [one] = asked.ask("/api/people/ada/why?campaign=$send").json()["campaigns"]
    assert one["text"].startswith("sent: asked for by server, decided")


@pytest.mark.parametrize(
    ("change", "status", "code", "sentence"),
    [
        ({"to": "ada@example.com\r\nBcc: eve@example.com"}, 422, "unfit", "bare ASCII address"),
        ({"to": "Ada <ada@example.com>"}, 422, "unfit", "bare ASCII address"),
        ({"to": "x" * 255}, 400, "body", "length <= 254"),
        ({"template": "invoice"}, 404, "no_template", "expected a template of the project (note)"),
        ({"template": "../note"}, 404, "no_template", "expected a template of the project (note)"),
        ({"subject": "Hi\nBcc: eve@example.com"}, 422, "unfit", "expected `subject` to be one line"),
        ({"subject": "Hi\u2028"}, 422, "unfit", "expected `subject` to be one line"),
        ({"preheader": "\x00"}, 422, "unfit", "expected `preheader` to be one line"),
        ({"subject": ""}, 400, "body", "length >= 1"),
        ({"userId": ""}, 400, "body", "length >= 1"),
        ({"userId": "x" * 256}, 400, "body", "length <= 255"),
        ({"preheader": "x" * 1_001}, 400, "body", "length <= 1000"),
    ],
)
def test_what_cannot_be_sent_is_refused_with_a_sentence_and_leaves_nothing(
    asked: Asked, change: dict[str, str], status: int, code: str, sentence: str
) -> None:
    position = asked.house.log.last().seq
    reply = asked.send({**WISH, **change})
    assert (reply.status_code, reply.json()["code"]) == (status, code)
    assert sentence in reply.json()["detail"]
    assert "eve" not in reply.text
    assert (asked.house.log.events_after(position), mails(asked)) == (0, [])


@pytest.mark.parametrize(
    "address",
    [
        "a@b.c",
        "a.b@c-d.example",
        ".a@b.c",
        "a..b@b.c",
        "a@b",
        "@b.c",
        f"{'x' * 64}@b.c",
        f"{'x' * 65}@b.c",
        "a@b.c@d.e",
    ],
)
def test_the_description_of_an_address_is_that_of_the_sender(address: str) -> None:
    assert bool(re.search(ADDRESS, address)) == is_address(address)


def test_the_description_of_a_line_knows_every_newline() -> None:
    assert [bool(re.search(LINE, f"a{mark}b")) for mark in "\n\r\x0b\x0c\x85\u2028\u2029\x00\x7f"] == [False] * 9
    assert re.search(LINE, "Zo\u00eb \U0001f375")
