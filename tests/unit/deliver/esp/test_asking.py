"""What a provider's answer proves of a mail that nobody knows of, over a real socket to a scripted provider."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from contextlib import closing
from urllib.parse import parse_qs, urlsplit

import pytest

from livepost.deliver.esp.asking import QUESTIONS
from livepost.deliver.esp.sender import MAX_ASKED, EspSender, Patience
from livepost.ids import digest
from livepost.model.message import Receipt
from livepost.settings.provider import read_provider
from tests.unit.deliver.esp.desk import KEY, Desk, Reply, Senders, desk_of, mail, message_id_of

DECISION = digest("decision", 1)
OTHER = digest("decision", 2)
SHORT = Patience(connect_s=0.4, answer_s=0.4, ask_s=0.3)
LIST = {"messages": [{"msg_id": "m1", "status": "delivered", "to_email": "ada@example.com"}]}


def postmark(decision: bytes) -> Reply:
    """Return Postmark's list of one mail, after its API reference."""
    one = {"MessageID": "b7bc", "Status": "Sent", "To": [{"Email": "ada@example.com"}]}
    return Reply(200, json.dumps({"TotalCount": 1, "Messages": [one | {"Metadata": {"decision": decision.hex()}}]}))


def sendgrid(decision: bytes) -> list[Reply]:
    """Return SendGrid's list and its look at the mail, after its API reference."""
    found = {"msg_id": "m1", "status": "delivered", "unique_args": {"decision": decision.hex()}}
    return [Reply(200, json.dumps(LIST)), Reply(200, json.dumps(found))]


def mailjet(decision: bytes) -> Reply:
    """Return Mailjet's list of one mail, after its API reference (no contract of it is at hand)."""
    one = {"ID": 576460752303423500, "Status": "sent", "ContactID": 1, "CustomID": decision.hex()}
    return Reply(200, json.dumps({"Count": 1, "Data": [one], "Total": 1}))


def mailgun(decision: bytes, *events: str) -> Reply:
    """Return Mailgun's events of one mail, after its API reference (no contract of it is at hand)."""
    one = {
        "id": "OMTXD3-sSmKIQa1gSKkYVA",
        "timestamp": 1529704976.104692,
        "log-level": "info",
        "recipient": "ada@example.com",
        "message": {"headers": {"message-id": message_id_of(decision).strip("<>"), "to": "ada@example.com"}},
        "user-variables": {"decision": decision.hex()},
    }
    items = [one | {"event": event} for event in events or ("accepted",)]
    return Reply(200, json.dumps({"items": items, "paging": {"next": "", "previous": ""}}))


def mandrill(decision: bytes, *states: str) -> Reply:
    """Return what Mailchimp Transactional's search finds, after its API reference (no contract of it is at hand)."""
    one = {"ts": 1365190000, "_id": "abc123", "email": "ada@example.com", "metadata": {"decision": decision.hex()}}
    return Reply(200, json.dumps([one | {"state": state} for state in states or ("sent",)]))


def asked(desk: Desk, number: int = 0) -> tuple[str, dict[str, list[str]]]:
    parts = urlsplit(desk.requests[number].path)
    return parts.path, parse_qs(parts.query)


def test_postmark_is_asked_by_our_own_id(senders: Senders) -> None:
    with desk_of("postmark") as desk:
        desk.reply = postmark(DECISION)
        [receipt] = senders("postmark", desk.url).lookup([DECISION])
        assert (receipt.state, receipt.provider_id, receipt.text) == ("sent", "b7bc", "postmark has it: Sent")
        path, query = asked(desk)
        assert (path, query["metadata_decision"]) == ("/api/messages/outbound", [DECISION.hex()])
        assert (desk.requests[0].method, desk.requests[0].headers["x-postmark-server-token"]) == ("GET", KEY)


def test_sendgrid_is_asked_for_it_and_then_about_it(senders: Senders) -> None:
    with desk_of("sendgrid") as desk:
        desk.answers = [*sendgrid(DECISION)]
        [receipt] = senders("sendgrid", desk.url).lookup([DECISION])
        assert (receipt.state, receipt.provider_id) == ("sent", "m1")
        assert asked(desk)[1]["query"] == [f"unique_args['decision']=\"{DECISION.hex()}\""]
        assert asked(desk, 1)[0] == "/api/messages/m1"
        assert desk.requests[1].headers["authorization"] == f"Bearer {KEY}"


def test_mailjet_is_asked_by_our_own_id_below_the_address_of_its_other_api(senders: Senders) -> None:
    with desk_of("mailjet") as desk:
        desk.reply = mailjet(DECISION)
        [receipt] = senders("mailjet", f"{desk.url}v3.1/").lookup([DECISION])
        told = ("sent", "576460752303423500", "mailjet has it: sent")
        assert (receipt.state, receipt.provider_id, receipt.text) == told
        path, query = asked(desk)
        assert (path, query["CustomID"], query["ShowCustomID"]) == ("/api/v3/REST/message", [DECISION.hex()], ["true"])
        both = b64encode(f"public-key:{KEY}".encode()).decode()
        assert (desk.requests[0].method, desk.requests[0].headers["authorization"]) == ("GET", f"Basic {both}")


def test_the_id_that_mailjet_is_asked_by_went_along_with_the_mail(senders: Senders) -> None:
    with desk_of("mailjet") as desk:
        one = mail()
        assert [receipt.state for receipt in senders("mailjet", desk.url).send([one])] == ["sent"]
        assert json.loads(desk.requests[0].body)["Globals"]["CustomID"] == one.decision.hex()


def test_mailgun_is_asked_for_the_events_of_the_message_id_below_its_domain(senders: Senders) -> None:
    with desk_of("mailgun") as desk:
        desk.reply = mailgun(DECISION)
        [receipt] = senders("mailgun", desk.url).lookup([DECISION])
        message_id = message_id_of(DECISION).strip("<>")
        assert receipt.state == "sent"
        assert (receipt.provider_id, receipt.text) == (message_id, "mailgun has it: accepted")
        path, query = asked(desk)
        assert (path, query["message-id"]) == ("/api/mg.shop.example/events", [message_id])
        login = b64encode(f"api:{KEY}".encode()).decode()
        assert (desk.requests[0].method, desk.requests[0].headers["authorization"]) == ("GET", f"Basic {login}")


def test_the_message_id_that_mailgun_is_asked_by_went_along_with_the_mail(senders: Senders) -> None:
    with desk_of("mailgun") as desk:
        one = mail()
        senders("mailgun", desk.url).send([one])
        told = parse_qs(desk.requests[0].body.decode())
        assert (told["h:Message-Id"], told["v:decision"]) == ([one.message_id], [one.decision.hex()])


def test_mailgun_is_not_asked_without_its_domain_or_the_message_id() -> None:
    with desk_of("mailgun") as desk:
        desk.reply = mailgun(DECISION)
        for more, ids in (("", message_id_of), ("domain=mg.shop.example&", None)):
            address = read_provider(f"mailgun:?{more}url={desk.url}", "test")
            with closing(EspSender(address, KEY, message_id=ids)) as sender:
                assert sender.lookup([DECISION])[0].state == "unknown"
        assert desk.requests == []


def test_mailchimp_transactional_is_asked_by_metadata_and_told_the_key_in_the_body(senders: Senders) -> None:
    with desk_of("mandrill") as desk:
        desk.reply = mandrill(DECISION)
        [receipt] = senders("mandrill", desk.url).lookup([DECISION])
        assert (receipt.state, receipt.provider_id, receipt.text) == ("sent", "abc123", "mandrill has it: sent")
        [request] = desk.requests
        assert (request.method, request.path) == ("POST", "/api/messages/search.json")
        assert json.loads(request.body) == {"key": KEY, "query": f"u_decision:{DECISION.hex()}"}


@pytest.mark.parametrize(("name", "reply"), [("mailgun", mailgun), ("mandrill", mandrill)])
def test_what_the_provider_refused_failed_unless_another_try_was_taken(
    senders: Senders, name: str, reply: Callable[..., Reply]
) -> None:
    def found(*states: str) -> Receipt:
        with desk_of(name) as desk:
            desk.reply = reply(DECISION, *states)
            return senders(name, desk.url).lookup([DECISION])[0]

    assert (found("rejected").state, found("rejected").text) == ("failed", f"{name} refused it: rejected")
    assert [found(*both).state for both in (("rejected", "delivered"), ("delivered", "rejected"))] == ["sent"] * 2


def test_a_mail_of_another_decision_is_not_the_one(senders: Senders) -> None:
    """A filter that the provider does not know, and passes over, would find any mail."""
    for name, replies in (
        ("postmark", [postmark(OTHER)]),
        ("sendgrid", sendgrid(OTHER)),
        ("mailjet", [mailjet(OTHER)]),
        ("mailgun", [mailgun(OTHER)]),
        ("mailgun", [mailgun(OTHER, "rejected")]),
        ("mandrill", [mandrill(OTHER)]),
        ("mandrill", [mandrill(OTHER, "rejected")]),
    ):
        with desk_of(name) as desk:
            desk.answers = [*replies]
            [receipt] = senders(name, desk.url).lookup([DECISION])
            assert (receipt.state, "proves nothing" in receipt.text) == ("unknown", True)


@pytest.mark.parametrize("name", sorted(QUESTIONS))
@pytest.mark.parametrize(
    "reply",
    [
        *(Reply(status, json.dumps(LIST)) for status in (401, 403, 404, 422, 429, 500)),
        *(
            Reply(200, body)
            for body in (
                "",
                "[]",
                "null",
                "{}",
                '{"messages": {}}',
                '{"Messages": [1]}',
                '{"Data": [1]}',
                '{"items": [1]}',
                "[1]",
                "[[[[",
            )
        ),
    ],
)
def test_whatever_else_it_says_proves_nothing(senders: Senders, name: str, reply: Reply) -> None:
    with desk_of(name) as desk:
        desk.reply = reply
        [receipt] = senders(name, desk.url).lookup([DECISION])
        assert receipt.state == "unknown"


@pytest.mark.parametrize("fault", ["hang", "reset", "drip", "garbage", "half"])
def test_a_provider_that_does_not_answer_is_asked_no_more_for_now(senders: Senders, fault: str) -> None:
    with desk_of("postmark") as desk:
        desk.answers = [postmark(DECISION), fault]  # type: ignore[list-item]
        receipts = senders("postmark", desk.url, SHORT).lookup([DECISION, OTHER, DECISION])
        assert [one.state for one in receipts] == ["sent", "unknown", "unknown"]
        assert len(desk.requests) == 2


def test_so_many_are_asked_about_at_a_time(senders: Senders) -> None:
    with desk_of("postmark") as desk:
        desk.reply = postmark(DECISION)
        receipts = senders("postmark", desk.url).lookup([DECISION] * (MAX_ASKED + 1))
        assert [one.state for one in receipts] == ["sent"] * MAX_ASKED + ["unknown"]


def test_the_others_are_not_asked(senders: Senders) -> None:
    with desk_of("sparkpost") as desk:
        [receipt] = senders("sparkpost", desk.url).lookup([DECISION])
        assert (receipt.state, desk.requests) == ("unknown", [])
