"""`smtp:` against servers that are not ours: postfix's smtp-sink and aiosmtpd.

What arrives is looked at as bytes and with the standard library's parser; what each fault leaves is read from a real
ledger, settled by the courier's own functions.
"""

from __future__ import annotations

import email
import email.policy
import http.client
import json
import os
import re
import signal
import time
from base64 import b64encode
from collections import Counter as Tally
from collections.abc import Callable, Iterator
from contextlib import closing
from email.message import EmailMessage
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest

from livepost.clock import MINUTE_MS
from livepost.deliver import smtp
from livepost.deliver.message import From, Parts, Skeleton
from livepost.deliver.smtp import LOST_AFTER, LOST_BEFORE, Patience, SmtpSender, route_to
from livepost.ids import digest
from livepost.model.message import Message
from livepost.settings.smtp import read_smtp
from tests.crash.house import SHOP as SHOP_FOLDER
from tests.crash.house import House
from tests.real.post import Authority, Counter, Office, Sink, free_port, wait_until
from tests.unit.deliver.test_message import GREETINGS

PATIENT = Patience()
SHORT_OF_COMMANDS = Patience(command_s=0.5, quit_s=0.2)
SHORT_OF_ANSWERS = Patience(answer_s=2.0, quit_s=0.2)
MAILS_OF_E1 = 2_000
MAILS_TO_SINK = 1_000


@pytest.fixture
def closes() -> Iterator[Callable[[Any], Any]]:
    """Return a function that has what it is given closed at the end, the last one first."""
    parts: list[Any] = []

    def later(part: Any) -> Any:
        parts.append(part)
        return part

    yield later
    for part in reversed(parts):
        part.close()


Closes = Callable[[Any], Any]
TOGETHER = pytest.mark.parametrize("together", [False, True], ids=["one by one", "pipelined"])
"""Whether the server offers PIPELINING: all is to be the same with it."""


def sender_to(address: str, password: str = "", patience: Patience = PATIENT) -> SmtpSender:
    return SmtpSender(route_to(read_smtp(address, "test"), "shop.example", password), patience=patience)


def clear(port: int, **options: object) -> str:
    """Return the address of a server on this machine without TLS."""
    return f"smtp://127.0.0.1:{port}?tls=none" + "".join(f"&{name}={value}" for name, value in options.items())


def mail(number: int = 1, raw: bytes = b"", **also: Any) -> Message:
    message_id = f"<{digest('mail', number).hex()}@shop.example>"
    told: dict[str, Any] = {
        "decision": digest("decision", number),
        "person": digest("person", number),
        "sender": "hello@shop.example",
        "recipient": "ada@example.com",
        "message_id": message_id,
        "raw": raw or f"Message-ID: {message_id}\r\nSubject: Hi\r\n\r\nHi\r\n".encode(),
    }
    return Message(**told | also)


# E1: what is on the wire


def marketing(number: int) -> Message:
    """Return one of the mails of E1: another locale, another length of token, names in every script."""
    greeting = GREETINGS[number % len(GREETINGS)]
    token = (digest("token", number).hex() * 13)[: 60 + number % 341]
    one = mail(number)
    parts = Parts(
        recipient=one.recipient,
        subject=greeting.format("Ada" * (1 + number % 40))[:200],
        at_ms=1_700_000_000_000 + number,
        message_id=one.message_id,
        boundary=f"=_{one.decision.hex()}",
        text=".\n..\n" + greeting.format("x" * (number % 1_500)),
        html=f"<p>{greeting}</p>\n.\n" * (1 + number % 50),
        unsubscribe_url=f"https://m.shop.example/u/{token}",
    )
    return mail(number, SKELETON.fill(parts))


SKELETON = Skeleton(From("Größe & Co", "hello@shop.example"), one_click=True)


def faults(raw: bytes, message: Message) -> list[str]:
    """Return what is wrong with a mail as it was received, by its bytes and by the standard library's parser."""
    head, _, _ = raw.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    one_click = [line for line in lines if line.lower().startswith(b"list-unsubscribe:")]
    post = [line for line in lines if line.lower().startswith(b"list-unsubscribe-post:")]
    folded = [
        name
        for name, following in zip(lines, [*lines[1:], b""], strict=True)
        if name.lower().startswith((b"list-unsubscribe", b"message-id:")) and following[:1] in (b" ", b"\t")
    ]
    parsed = email.message_from_bytes(raw, policy=email.policy.default)
    wrong = {
        "List-Unsubscribe": not (
            len(one_click) == 1 and re.fullmatch(rb"List-Unsubscribe: <https://[\x21-\x7e]+>", one_click[0])
        ),
        "List-Unsubscribe-Post": post != [b"List-Unsubscribe-Post: List-Unsubscribe=One-Click"],
        "folded": bool(folded),
        "encoded word": any(b"=?" in line for line in [*one_click, *post]),
        "bare newline": raw.count(b"\n") != raw.count(b"\r\n") or raw.count(b"\r") != raw.count(b"\r\n"),
        "long line": max(map(len, raw.split(b"\r\n"))) > 998,
        "Message-ID": parsed["Message-ID"] != message.message_id,
        "From": parsed["From"].addresses[0].addr_spec != message.sender,
        "parts": [part.get_content_type() for part in parsed.walk()]
        != ["multipart/alternative", "text/plain", "text/html"],
        "defects": bool(parsed.defects),
    }
    return [name for name, is_so in wrong.items() if is_so]


@TOGETHER
def test_one_click_and_all_other_bytes_arrive_as_they_must(closes: Closes, together: bool) -> None:
    office = closes(Office(pipelining=together))
    sender = closes(sender_to(clear(office.port)))
    mails = {one.message_id: one for one in map(marketing, range(MAILS_OF_E1))}
    sent = list(mails.values())
    for at in range(0, len(sent), 20):
        assert {receipt.state for receipt in sender.send(sent[at : at + 20])} == {"sent"}
    arrived = {re.search(rb"(?m)^Message-ID: (\S+)\r$", raw)[1].decode(): raw for raw in office.raws()}  # type: ignore[index]
    assert len(office.mails) == len(arrived) == MAILS_OF_E1
    assert [faults(arrived[id], one) for id, one in mails.items() if faults(arrived[id], one)] == []
    assert all(arrived[id] == one.raw for id, one in mails.items())
    assert {(one.mail_from, *one.rcpt_tos) for one in office.mails} == {("hello@shop.example", "ada@example.com")}
    assert {tuple(one.mail_options) for one in office.mails} == {(f"SIZE={len(one.raw)}",) for one in sent}


def test_a_long_link_folded_as_python_does_by_default_would_be_found(closes: Closes) -> None:
    """The negative control of the test above: EmailMessage with its own policy, on the same way."""
    office = closes(Office())
    one = EmailMessage(policy=email.policy.SMTP)
    one["From"], one["Message-ID"] = "hello@shop.example", mail().message_id
    one["List-Unsubscribe"] = f"<https://m.shop.example/u/{'A' * 400}>"
    one["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    one.set_content("Hi")
    one.add_alternative("<p>Hi</p>", subtype="html")
    sent = mail(raw=one.as_bytes())
    assert [receipt.state for receipt in closes(sender_to(clear(office.port))).send([sent])] == ["sent"]
    assert "List-Unsubscribe" in faults(office.raws()[0], sent)


DOTS = b"Subject: Dots\r\n\r\n.\r\n..\r\n.hidden\r\n\r\n.\r\nend\r\n"


@TOGETHER
def test_lines_of_dots_arrive_as_they_are(closes: Closes, together: bool) -> None:
    office = closes(Office(pipelining=together))
    sender = closes(sender_to(clear(office.port)))
    assert [one.state for one in sender.send([mail(raw=DOTS), mail(raw=b"." + DOTS)])] == ["sent", "sent"]
    assert sorted(office.raws()) == sorted([DOTS, b"." + DOTS])


def test_without_doubled_dots_they_would_not(closes: Closes, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control of the test above."""
    office = closes(Office())
    monkeypatch.setattr(smtp, "content", lambda raw: raw + b".\r\n")
    closes(sender_to(clear(office.port))).send([mail(raw=DOTS)])
    assert office.raws() != [DOTS]


def test_characters_beyond_ascii_go_only_where_the_server_offers_it(closes: Closes, tmp_path: Path) -> None:
    office, sink = closes(Office()), closes(Sink(tmp_path, "-8"))
    one = mail(recipient="ådå@example.com", raw="Subject: Hi\r\n\r\nå\r\n".encode())
    [taken] = closes(sender_to(clear(office.port))).send([one])
    assert taken.state == "sent"
    assert office.mails[0].rcpt_tos == ["ådå@example.com"]
    assert set(office.mails[0].mail_options) == {f"SIZE={len(one.raw)}", "BODY=8BITMIME", "SMTPUTF8"}
    refusing = closes(sender_to(clear(sink.port)))
    by_address, by_bytes, plain = refusing.send([one, mail(2, one.raw), mail(3)])
    assert (by_address.state, by_bytes.state, plain.state) == ("failed", "failed", "sent")
    assert "offers no SMTPUTF8" in by_address.text and "offers no 8BITMIME" in by_bytes.text


# TLS and login


@TOGETHER
def test_a_certificate_of_the_named_authority_for_the_right_name_is_taken(
    closes: Closes, together: bool, tmp_path: Path
) -> None:
    ca = Authority(tmp_path)
    for starttls, scheme in ((True, "smtp"), (False, "smtps")):
        office = closes(Office(context=ca.server("localhost", "127.0.0.1"), starttls=starttls, pipelining=together))
        for host in ("localhost", "127.0.0.1"):
            sender = closes(sender_to(f"{scheme}://{host}:{office.port}?cafile={ca.file}"))
            assert [one.state for one in sender.send([mail()])] == ["sent"], (scheme, host)
        assert len(office.mails) == 2


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
@pytest.mark.parametrize(
    ("names", "authority", "words"),
    [
        (("localhost",), "other", "unable to get local issuer certificate|self-signed|certificate verify failed"),
        (("localhost",), "", "unable to get local issuer certificate|self-signed|certificate verify failed"),
        (("mail.example.com",), "ca", "certificate is not valid for 'localhost'|Hostname mismatch"),
    ],
)
def test_another_authority_or_name_is_refused_and_nothing_is_written(
    closes: Closes, tmp_path: Path, scheme: str, names: tuple[str, ...], authority: str, words: str
) -> None:
    ca = Authority(tmp_path)
    Authority(tmp_path, "other")
    office = closes(Office(context=ca.server(*names), starttls=scheme == "smtp"))
    cafile = f"?cafile={tmp_path / authority}.pem" if authority else ""
    [receipt] = closes(sender_to(f"{scheme}://localhost:{office.port}{cafile}")).send([mail()])
    assert receipt.state == "temporary"
    assert re.search(words, receipt.text), receipt.text
    assert (office.mails, dict(office.heard)) == ([], {})


def test_a_server_without_starttls_gets_nothing(closes: Closes) -> None:
    office = closes(Office())
    [receipt] = closes(sender_to(f"smtp://127.0.0.1:{office.port}")).send([mail()])
    assert (receipt.state, office.mails) == ("temporary", [])
    assert "STARTTLS" in receipt.text


def test_the_login_is_made_and_a_wrong_password_makes_mails_wait(closes: Closes, tmp_path: Path) -> None:
    ca = Authority(tmp_path)
    office = closes(Office(context=ca.server("localhost"), starttls=True, login="ada@shop.example:hünter 2"))
    address = f"smtp://ada%40shop.example@localhost:{office.port}?cafile={ca.file}"
    assert [one.state for one in closes(sender_to(address, "hünter 2")).send([mail()])] == ["sent"]
    [wrong] = closes(sender_to(address, "hunter2")).send([mail(2)])
    assert wrong.state == "temporary" and "535" in wrong.text and "hunter2" not in wrong.text
    [none] = closes(sender_to(f"smtp://localhost:{office.port}?cafile={ca.file}")).send([mail(3)])
    assert none.state == "temporary" and none.text.startswith("530")
    assert len(office.mails) == 1


# What each fault leaves in the ledger


@TOGETHER
@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA", "."])
@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ("451 4.3.0 later", "pending"),
        ("421 4.3.2 closing", "pending"),
        ("550 5.7.1 no", "failed"),
        ("554 5.6.0 never", "failed"),
    ],
)
def test_a_refusal_at_any_stage_is_definite_and_the_connection_goes_on(
    closes: Closes, together: bool, tmp_path: Path, command: str, answer: str, state: str
) -> None:
    office = closes(Office(pipelining=together))
    counter = closes(Counter(tmp_path, closes(sender_to(clear(office.port)))))
    [one] = counter.wants(1)
    office.answers = {command: answer}
    counter.works()
    assert counter.state_of(one) == (state, answer)
    office.answers = {}
    counter.host.advance(MINUTE_MS)
    assert counter.works() == ({"sent": 1} if state == "pending" else {})
    assert len(office.mails) == (state == "pending")
    assert office.connections == (2 if answer.startswith("421") else 1)


@TOGETHER
@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("fault", ["drop", "hang"])
def test_a_connection_lost_before_the_content_is_a_temporary_refusal(
    closes: Closes, together: bool, tmp_path: Path, command: str, fault: str
) -> None:
    office = closes(Office(pipelining=together))
    counter = closes(Counter(tmp_path, closes(sender_to(clear(office.port), patience=SHORT_OF_COMMANDS))))
    [one] = counter.wants(1)
    office.answers = {command: fault}
    assert counter.works() == {"temporary": 1}
    assert counter.state_of(one) == ("pending", LOST_BEFORE)
    office.answers = {}
    counter.host.advance(MINUTE_MS)
    assert (counter.works(), len(office.mails)) == ({"sent": 1}, 1)


@TOGETHER
@pytest.mark.parametrize(("command", "fault"), [("DATA", "cut"), (".", "drop"), (".", "hang"), (".", "354 go on")])
@pytest.mark.parametrize(("class_", "tries"), [("marketing", 1), ("transactional", 2)])
def test_a_connection_lost_after_the_first_byte_is_unknown_and_marketing_is_never_sent_again(
    closes: Closes, together: bool, tmp_path: Path, command: str, fault: str, class_: str, tries: int
) -> None:
    office = closes(Office(pipelining=together))
    counter = closes(Counter(tmp_path, closes(sender_to(clear(office.port), patience=SHORT_OF_ANSWERS))))
    [one] = counter.wants(1, class_)
    office.answers = {command: fault}
    assert counter.works() == {"unknown": 1}
    assert counter.state_of(one) == ("unknown", fault if fault[0].isdigit() else LOST_AFTER)
    office.answers = {}
    for _ in range(3):
        counter.host.advance(MINUTE_MS)
        counter.starts_again()
        counter.works()
    assert counter.state_of(one)[0] == ("unknown" if class_ == "marketing" else "sent")
    assert office.heard[command] == tries
    assert len(office.mails) == tries - 1


@pytest.mark.parametrize(
    ("options", "state", "words"),
    [
        (("-r", "CONNECT"), "pending", "450"),
        (("-f", "CONNECT"), "pending", "500"),
        (("-q", "CONNECT"), "pending", "cannot be used"),
        (("-q", "EHLO"), "pending", "cannot be used"),
        (("-f", "EHLO"), "pending", "500"),
        (("-r", "MAIL"), "pending", "450"),
        (("-f", "MAIL"), "failed", "500"),
        (("-q", "MAIL"), "pending", LOST_BEFORE),
        (("-Q", "MAIL"), "pending", "421"),
        (("-r", "RCPT"), "pending", "450"),
        (("-f", "RCPT"), "failed", "500"),
        (("-q", "RCPT"), "pending", LOST_BEFORE),
        (("-r", "DATA"), "pending", "450"),
        (("-f", "DATA"), "failed", "500"),
        (("-q", "DATA"), "pending", LOST_BEFORE),
        (("-A", "1"), "failed", "550"),
        (("-r", "."), "pending", "450"),
        (("-f", "."), "failed", "500"),
        (("-Q", "."), "pending", "421"),
        (("-q", "."), "unknown", LOST_AFTER),
        (("-W", ".:4"), "unknown", LOST_AFTER),
    ],
)
def test_what_smtp_sink_does_to_a_mail_leaves_the_state_it_must(
    closes: Closes, tmp_path: Path, options: tuple[str, ...], state: str, words: str
) -> None:
    sink = closes(Sink(tmp_path, *options))
    counter = closes(Counter(tmp_path, closes(sender_to(clear(sink.port), patience=SHORT_OF_ANSWERS))))
    [one] = counter.wants(1)
    counter.works()
    found, detail = counter.state_of(one)
    assert found == state
    assert words in detail
    assert "example.com" not in detail


def test_nothing_stays_in_flight_where_nobody_listens_or_no_name_leads(closes: Closes, tmp_path: Path) -> None:
    for number, host in enumerate(("127.0.0.1", "localhost")):
        (tmp_path / str(number)).mkdir()
        address = f"smtp://{host}:{free_port()}?tls=none"
        counter = closes(Counter(tmp_path / str(number), closes(sender_to(address))))
        wanted = counter.wants(25)
        assert counter.works() == {"temporary": 25}
        assert {counter.state_of(one)[0] for one in wanted} == {"pending"}
        assert "cannot be used" in counter.state_of(wanted[0])[1]
    [receipt] = closes(sender_to("smtp://no-such-host.invalid")).send([mail()])
    assert receipt.state == "temporary"


@TOGETHER
def test_a_server_that_answers_nobody_costs_one_patience_and_not_one_for_each_mail(
    closes: Closes, together: bool, tmp_path: Path
) -> None:
    office = closes(Office(pipelining=together))
    sender = closes(sender_to(clear(office.port, connections=2), patience=SHORT_OF_ANSWERS))
    office.answers = {".": "hang"}
    began = time.monotonic()
    states = Tally(receipt.state for receipt in sender.send([mail(number) for number in range(20)]))
    assert states == {"unknown": 2, "temporary": 18}
    assert time.monotonic() - began < 4 * SHORT_OF_ANSWERS.answer_s


# Connections


@TOGETHER
def test_connections_are_few_reused_and_opened_again_when_the_server_ended_them(
    closes: Closes, together: bool, tmp_path: Path
) -> None:
    office = closes(Office(pipelining=together))
    sender = closes(sender_to(clear(office.port, connections=3)))
    for number in range(10):
        group = [mail(100 * number + one) for one in range(20)]
        assert {receipt.state for receipt in sender.send(group)} == {"sent"}
    assert office.connections == 3
    office.answers = {"MAIL": "421 4.4.2 idle too long"}
    assert {receipt.state for receipt in sender.send([mail(5_000)])} == {"temporary"}
    office.answers = {}
    assert {receipt.state for receipt in sender.send([mail(number) for number in range(6_000, 6_020)])} == {"sent"}
    ids = [re.search(rb"<\w+@", raw)[0] for raw in office.raws()]  # type: ignore[index]
    assert len(ids) == len(set(ids)) == 220


@TOGETHER
def test_a_mail_over_a_connection_that_died_meanwhile_goes_over_a_new_one_at_once(
    closes: Closes, together: bool
) -> None:
    first = Office(pipelining=together)
    sender = closes(sender_to(clear(first.port, connections=1)))
    sender.send([mail(1)])
    first.close()
    again = closes(Office(port=first.port, pipelining=together))
    assert [receipt.state for receipt in sender.send([mail(2)])] == ["sent"]
    assert len(again.mails) == 1


def test_an_idle_connection_is_not_trusted_and_a_long_lived_one_is_replaced(
    closes: Closes, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = closes(Office())
    idle = closes(sender_to(clear(office.port), patience=Patience(idle_s=0.0)))
    for number in range(3):
        idle.send([mail(number)])
    assert office.connections == 3
    monkeypatch.setattr(smtp, "CONNECTION_MAILS", 10)
    worn = closes(sender_to(clear(office.port, connections=1)))
    assert {receipt.state for receipt in worn.send([mail(number) for number in range(20)])} == {"sent"}
    assert {receipt.state for receipt in worn.send([mail(30)])} == {"sent"}
    assert office.connections == 3 + 3


# Many mails, and the whole house


def test_a_thousand_mails_arrive_once_each(closes: Closes, tmp_path: Path) -> None:
    sink = closes(Sink(tmp_path))
    counter = closes(Counter(tmp_path, closes(sender_to(clear(sink.port)))))
    wanted = counter.wants(MAILS_TO_SINK)
    began = time.perf_counter()
    assert counter.works() == {"sent": MAILS_TO_SINK}
    rate = MAILS_TO_SINK / (time.perf_counter() - began)
    print(f"{rate:,.0f} mails/s made, sent to smtp-sink and settled in the ledger, over 8 connections")
    expected = Tally(counter.courier.maker.message_id(one.id) for one in wanted)
    assert Tally(sink.message_ids()) == expected


def test_a_mail_sent_twice_would_be_counted(closes: Closes, tmp_path: Path) -> None:
    """The negative control of the test above."""
    sink = closes(Sink(tmp_path))
    sender = closes(sender_to(clear(sink.port)))
    sender.send([mail(1)])
    sender.send([mail(1)])
    assert Tally(sink.message_ids()) == {mail(1).message_id: 2}


class Shop:
    """The crash suite's shop as a house whose mails go to a server."""

    def __init__(self, folder: Path, address: str, more: str = "", courier: str = "") -> None:
        project = copytree(SHOP_FOLDER, folder / "shop", ignore=lambda _, names: [n for n in names if "pycache" in n])
        settings = project / "livepost.toml"
        told = settings.read_text().replace('"keep:"', f'"{address}"')
        settings.write_text(f'{told}public_url = "https://m.shop.example"\n{more}')
        self.house = House(folder / "data", project, courier=courier)
        self.house.start()

    def looks(self, name: str) -> None:
        """Let somebody look thrice, who allows mails: a reminder is due in a second."""
        consent = {"consent": {"categoryPreferences": {"marketing": True}}}
        user = {"userId": name, "context": consent}
        self._post("identify", {**user, "traits": {"email": f"{name}@example.com", "first_name": name}})
        for product in "abc":
            self._post("track", {**user, "event": "Product Viewed", "properties": {"product_id": product}})

    def states(self) -> Tally[str]:
        """Return the deliveries of the reminder by state."""
        with closing(self.house.folder.ledger()) as ledger:
            return Tally({tally.state: tally.count for tally in ledger.counts() if tally.campaign == "reminder"})

    def close(self) -> None:
        """Stop the house."""
        self.house.stop()

    def _post(self, call: str, body: dict[str, Any]) -> None:
        login = b64encode(f"{self.house.secret_key}:".encode()).decode()
        headers = {"Authorization": f"Basic {login}", "Content-Type": "application/json"}
        with closing(http.client.HTTPConnection("127.0.0.1", self.house.folder.port, timeout=20)) as connection:
            connection.request("POST", f"/v1/{call}", json.dumps(body), headers)
            assert connection.getresponse().status == 200


def reminders(office: Office) -> list[EmailMessage]:
    """Return the reminders that arrived: who only looks gets a mail of another campaign some seconds later."""
    arrived = [email.message_from_bytes(raw, policy=email.policy.default) for raw in office.raws()]
    return [one for one in arrived if isinstance(one, EmailMessage) and str(one["Subject"]).startswith("Still looking")]


def test_the_whole_house_sends_its_mails_to_the_server(closes: Closes, tmp_path: Path) -> None:
    office = closes(Office())
    shop = closes(Shop(tmp_path, clear(office.port)))
    shop.looks("ada")
    wait_until("the reminder to be settled", lambda: shop.states() == {"sent": 1})
    [arrived] = reminders(office)
    assert (arrived["To"], arrived["Subject"]) == ("ada@example.com", "Still looking, ada?")
    [raw] = [one for one in office.raws() if b"Still looking" in one]
    assert faults(raw, mail(message_id=str(arrived["Message-ID"]))) == []
    with closing(shop.house.folder.ledger()) as ledger:
        [delivery] = ledger.deliveries(campaign="reminder")
    assert delivery.provider == "smtp"
    assert re.fullmatch("[0-9A-F]{8}", delivery.provider_id)
    assert not shop.house.folder.mailbox.exists()


def test_a_courier_killed_between_the_dot_and_its_answer_leaves_unknown_and_sends_no_second_mail(
    closes: Closes, tmp_path: Path
) -> None:
    office = closes(Office())
    office.answers = {".": "hang"}
    shop = closes(Shop(tmp_path, clear(office.port)))
    shop.looks("ada")
    wait_until("the mail to be written", lambda: office.heard["."] == 1)
    assert shop.states() == {"in_flight": 1}
    office.answers = {}
    os.kill(shop.house.supervisor.pids()["courier"], signal.SIGKILL)
    wait_until("the courier to start again", lambda: shop.states() == {"unknown": 1})
    shop.looks("bob")
    wait_until("the next reminder", lambda: shop.states() == {"unknown": 1, "sent": 1})
    assert [one["To"] for one in reminders(office)] == ["bob@example.com"]
