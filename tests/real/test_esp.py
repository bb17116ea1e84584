"""SendGrid, Postmark and SES against their own contracts, and what a provider's faults leave in a real ledger.

Each request is judged by Prism and, its body, by jsonschema; each check has requests that it must refuse.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from livepost.clock import MINUTE_MS
from livepost.deliver.esp.provider import PROVIDERS
from livepost.deliver.esp.sender import LOST, Patience
from tests.real.post import Authority, Counter, wait_until
from tests.real.prism import CONTRACTS, Prism, needs_contracts, schema_faults
from tests.real.test_smtp import Shop
from tests.unit.deliver.esp.desk import KEY, SENT, Desk, Fault, Reply, Request, desk_of, mail, sender_to

FILES = {
    "postmark": ("postmark_server.json", "/email"),
    "sendgrid": ("sendgrid/sendgrid_oai_v3_stoplight.json", "/mail/send"),
    "ses": ("aws_sesv2.json", "/v2/email/outbound-emails"),
}
SHORT = Patience(connect_s=2.0, answer_s=1.0, total_s=4.0)


@pytest.fixture(autouse=True)
def nothing_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no proxy or cloud account of the machine come into a test."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture(scope="module", params=list(FILES))
def prism(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Prism]]:
    """Return each provider's name and contract, served, in turn."""
    needs_contracts()
    file, _ = FILES[request.param]
    with closing(Prism(CONTRACTS / file, tmp_path_factory.mktemp("prism") / "prism.log")) as one:
        yield request.param, one


def recorded(name: str, *, marketing: bool = True) -> Request:
    """Return the request that one mail makes, on the contract's path."""
    with desk_of(name) as desk, closing(sender_to(name, desk.url)) as sender:
        assert [one.state for one in sender.send([mail(marketing=marketing)])] == ["sent"]
        return replace(desk.requests[0], path=FILES[name][1])


def test_the_contracts_are_those_of_the_providers_that_count_as_checked() -> None:
    assert sorted(FILES) == [one.name for one in PROVIDERS if one.contract_checked]


def test_prism_answers_our_sender_as_the_provider_would(prism: tuple[str, Prism]) -> None:
    """Postmark's made-up answer has a `To` that is no address: what cannot be read is `unknown`, not refused."""
    name, one = prism
    with closing(sender_to(name, one.url)) as sender:
        for marketing in (True, False):
            [receipt] = sender.send([mail(marketing=marketing)])
            assert receipt.state == ("unknown" if name == "postmark" else "sent"), receipt
            assert receipt.text.startswith("202" if name == "sendgrid" else "200"), receipt


@pytest.mark.parametrize("marketing", [True, False])
def test_a_request_is_what_the_contract_allows(prism: tuple[str, Prism], marketing: bool) -> None:
    name, one = prism
    file, path = FILES[name]
    request = recorded(name, marketing=marketing)
    status, answer = one.judge(request)
    assert 200 <= status <= 299, answer
    assert schema_faults(CONTRACTS / file, path, json.loads(request.body)) == []


def without(key: str) -> Callable[[dict[str, Any]], None]:
    """Return what takes a field out of a body."""
    return lambda body: body.pop(key)


def put(value: Any, *path: str | int) -> Callable[[dict[str, Any]], None]:
    """Return what puts another value into a body."""

    def change(body: Any) -> None:
        for key in path[:-1]:
            body = body[key]
        body[path[-1]] = value

    return change


BROKEN: list[tuple[str, str, Callable[[dict[str, Any]], None]]] = [
    ("sendgrid", "no subject", without("subject")),
    ("sendgrid", "no from", without("from")),
    ("sendgrid", "no content", without("content")),
    ("sendgrid", "no personalizations", without("personalizations")),
    ("sendgrid", "a subject that is a number", put(5, "subject")),
    ("sendgrid", "a switch that is a word", put("no", "tracking_settings", "open_tracking", "enable")),
    ("sendgrid", "an empty part", put("", "content", 0, "value")),
    ("sendgrid", "custom_args where anymail's metadata would put them", put({"decision": "1"}, "custom_args")),
    ("postmark", "a recipient in a list", put(["ada@example.com"], "To")),
    ("postmark", "a switch that is a word", put("no", "TrackOpens")),
    ("postmark", "a switch that is another word", put("Never", "TrackLinks")),
    ("postmark", "headers as a map", put({"Message-ID": "<1@b>"}, "Headers")),
    ("postmark", "a header's value that is a number", put(5, "Headers", 0, "Value")),
    ("ses", "no content", without("Content")),
    ("ses", "a whole mail without its bytes", put({}, "Content", "Raw")),
    ("ses", "bytes that are no text", put(5, "Content", "Raw", "Data")),
    ("ses", "a recipient that is no list", put("ada@example.com", "Destination", "ToAddresses")),
]


@pytest.mark.parametrize(
    ("prism", "what", "change"), BROKEN, indirect=["prism"], ids=lambda one: one if isinstance(one, str) else ""
)
def test_a_broken_request_is_refused_by_both(
    prism: tuple[str, Prism], what: str, change: Callable[[dict[str, Any]], None]
) -> None:
    """The negative control of both checks."""
    name, one = prism
    file, path = FILES[name]
    request = recorded(name)
    body = json.loads(request.body)
    change(body)
    status, answer = one.judge(replace(request, body=json.dumps(body).encode()))
    assert status in (400, 422), (what, answer)
    assert schema_faults(CONTRACTS / file, path, body) != [], what


def test_a_request_without_its_key_is_refused(prism: tuple[str, Prism]) -> None:
    """The negative control of the headers, which jsonschema does not see."""
    name, one = prism
    request = recorded(name)
    key = {"postmark": "x-postmark-server-token"}.get(name, "authorization")
    assert key in request.headers
    bare = replace(request, headers={told: value for told, value in request.headers.items() if told != key})
    assert one.judge(bare)[0] in (400, 401, 422)


# TLS


@pytest.mark.parametrize("name", ["sendgrid", "ses"])
def test_a_certificate_of_an_authority_the_machine_knows_is_taken(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ca = Authority(tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(ca.file))
    with desk_of(name, ca.server("127.0.0.1")) as desk, closing(sender_to(name, desk.url)) as sender:
        assert [one.state for one in sender.send([mail(1), mail(2)])] == ["sent", "sent"]


@pytest.mark.parametrize("name", ["sendgrid", "ses"])
@pytest.mark.parametrize(("host", "known"), [("127.0.0.1", False), ("mail.example.com", True)])
def test_another_authority_or_name_is_refused_and_nothing_is_written(
    tmp_path: Path, name: str, host: str, known: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    ca = Authority(tmp_path)
    if known:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(ca.file))
    with desk_of(name, ca.server(host)) as desk, closing(sender_to(name, desk.url)) as sender:
        [receipt] = sender.send([mail()])
        assert (receipt.state, desk.requests) == ("temporary", [])
        assert "certificate verify failed" in receipt.text


# What each fault leaves in the ledger


@contextmanager
def counter_before(name: str, folder: Path) -> Iterator[tuple[Counter, Desk]]:
    """Open a courier with a real ledger, and the provider's desk that its mails go to."""
    with desk_of(name) as desk, closing(sender_to(name, desk.url, SHORT)) as sender:
        desk.reply = replace(SENT[name], body=SENT[name].body.replace("ada@example.com", "person-0@example.com"))
        with closing(Counter(folder, sender)) as counter:
            yield counter, desk


@pytest.mark.parametrize("name", ["mailgun", "postmark", "resend", "sendgrid", "ses"])
@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (Reply(422, '{"message": "no"}'), "failed"),
        (Reply(429, '{"message": "later"}', {"Retry-After": "1"}), "pending"),
        (Reply(401, '{"message": "who?"}'), "pending"),
        (Reply(503, "", {"Retry-After": "1"}), "pending"),
        (Reply(503), "unknown"),
        (Reply(500), "unknown"),
        (Reply(502, "<html>bad gateway</html>"), "unknown"),
    ],
)
def test_an_answer_becomes_a_state(tmp_path: Path, name: str, answer: Reply, state: str) -> None:
    with counter_before(name, tmp_path) as (counter, desk):
        [one] = counter.wants(1)
        desk.answers = [answer]
        counter.works()
        assert counter.state_of(one)[0] == state
        counter.host.advance(MINUTE_MS)
        assert counter.works() == ({"sent": 1} if state == "pending" else {})
        assert len(desk.requests) == (2 if state == "pending" else 1)


def mails_at(desk: Desk) -> list[Request]:
    """Return the requests that brought a mail; others ask what became of one."""
    return [request for request in desk.requests if request.method == "POST"]


@pytest.mark.parametrize("name", ["mailgun", "postmark", "resend", "sendgrid", "ses"])
@pytest.mark.parametrize("fault", ["reset", "hang", "garbage"])
@pytest.mark.parametrize(("class_", "tries"), [("marketing", 1), ("transactional", 2)])
def test_after_the_first_byte_marketing_is_never_sent_again_and_transactional_is_with_the_same_key(
    tmp_path: Path, name: str, fault: Fault, class_: str, tries: int
) -> None:
    with counter_before(name, tmp_path) as (counter, desk):
        [one] = counter.wants(1, class_)
        desk.answers = [fault]
        assert counter.works() == {"unknown": 1}
        assert counter.state_of(one) == ("unknown", LOST)
        for _ in range(3):
            counter.host.advance(MINUTE_MS)
            counter.starts_again()
            counter.works()
        assert counter.state_of(one)[0] == ("unknown" if class_ == "marketing" else "sent")
        assert len(mails_at(desk)) == tries
        keys = {request.headers.get("idempotency-key") for request in mails_at(desk)}
        assert len(keys) == 1 and (None in keys) == (name != "resend")


# The whole house


def house_before(desk: Desk, folder: Path) -> Shop:
    """Return the crash suite's shop as a house whose mails go to SendGrid's desk."""
    (folder / "key").write_text(f"{KEY}\n")
    return Shop(folder, f"sendgrid:?url={desk.url}", f'mail_password = "file:{folder / "key"}"\n')


def reminded(desk: Desk) -> list[str]:
    """Return whom the reminders went to: who only looks gets a mail of another campaign some seconds later."""
    bodies = [json.loads(request.body) for request in mails_at(desk)]
    return [
        one["personalizations"][0]["to"][0]["email"] for one in bodies if one["subject"].startswith("Still looking")
    ]


def test_the_whole_house_sends_its_mails_through_the_provider(tmp_path: Path) -> None:
    with desk_of("sendgrid") as desk, closing(house_before(desk, tmp_path)) as shop:
        shop.looks("ada")
        wait_until("the reminder to be settled", lambda: shop.states() == {"sent": 1})
        assert reminded(desk) == ["ada@example.com"]
        with closing(shop.house.folder.ledger()) as ledger:
            [delivery] = ledger.deliveries(campaign="reminder")
        assert (delivery.provider, delivery.provider_id) == ("sendgrid", "14c5d75ce93")
        assert {request.headers["authorization"] for request in desk.requests} == {f"Bearer {KEY}"}
        decisions = {json.loads(one.body)["personalizations"][0]["custom_args"]["decision"] for one in desk.requests}
        assert delivery.decision.id.hex() in decisions


def test_a_courier_killed_between_the_request_and_its_answer_leaves_unknown_and_sends_no_second_mail(
    tmp_path: Path,
) -> None:
    with desk_of("sendgrid") as desk, closing(house_before(desk, tmp_path)) as shop:
        desk.answers = ["hang"]
        shop.looks("ada")
        wait_until("the mail to be written", lambda: len(desk.requests) == 1)
        assert shop.states() == {"in_flight": 1}
        os.kill(shop.house.supervisor.pids()["courier"], signal.SIGKILL)
        wait_until("the courier to start again", lambda: shop.states() == {"unknown": 1})
        shop.looks("bob")
        wait_until("the next reminder", lambda: shop.states() == {"unknown": 1, "sent": 1})
        assert sorted(reminded(desk)) == ["ada@example.com", "bob@example.com"]


QUESTIONS = {"postmark": ("/messages/outbound", "count"), "sendgrid": ("/messages", "query")}
"""Where each is asked what became of a mail, and a word that its contract wants."""


@pytest.mark.parametrize("complete", [True, False])
def test_a_question_is_what_the_contract_allows_and_without_its_words_refused(
    prism: tuple[str, Prism], complete: bool
) -> None:
    name, one = prism
    if name not in QUESTIONS:
        return
    path, wanted = QUESTIONS[name]
    with desk_of(name) as desk, closing(sender_to(name, desk.url)) as sender:
        desk.reply = Reply(200, "{}")
        assert [receipt.state for receipt in sender.lookup([bytes(16)])] == ["unknown"]
        asked = desk.requests[0]
    words = [word for word in asked.path.partition("?")[2].split("&") if complete or not word.startswith(wanted)]
    status, answer = one.judge(replace(asked, path=f"{path}?{'&'.join(words)}"))
    assert (200 <= status <= 299) == complete, answer
