"""What a receipt says after each fault and each answer, over a real socket to a scripted provider."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest
import requests
from urllib3.util.retry import Retry

from livepost.deliver.answer import TEXT_CHARS
from livepost.deliver.esp.sender import LOST, SPARED, EspSender, Patience
from livepost.deliver.esp.wire import Exchange, _Adapter
from livepost.model.message import Message
from livepost.settings.provider import FORMS, read_provider
from tests.unit.deliver.esp.desk import KEY, SENT, Desk, Fault, Reply, Senders, desk_of, mail

FOUR = ("mailgun", "postmark", "sendgrid", "ses")
NAMES = [form.name for form in FORMS]
SHORT = Patience(connect_s=0.4, answer_s=0.4, total_s=1.0)
ONE_AT_A_TIME = "connections=1&"


@pytest.fixture(params=FOUR)
def desk(request: pytest.FixtureRequest) -> Iterator[tuple[str, Desk]]:
    """Return each of four providers' desks in turn."""
    with desk_of(request.param) as one:
        yield request.param, one


IDS = {
    "brevo": "<1@smtp-relay.example>",
    "mailersend": "5e42957d51f1d94a1070a733",
    "mailgun": "<1@mg.shop.example>",
    "mailjet": "456",
    "mailtrap": "0c7fd939-02cf-11ed-88c2-0a58a9feac02",
    "mandrill": "abc123",
    "postal": "1503",
    "postmark": "b7bc2f4a-e38e",
    "resend": "49a3999c-0ce1-4ea6-ab68-afcd6dc2e794",
    "scaleway": "42",
    "sendgrid": "14c5d75ce93",
    "ses": "0102018f-0000",
    "sparkpost": "11668787484950529",
    "unisender-go": "1ZymBc-00041N-9X",
}


@pytest.mark.parametrize("name", NAMES)
def test_a_mail_that_was_taken_is_sent_under_the_providers_id(senders: Senders, name: str) -> None:
    with desk_of(name) as one:
        [receipt] = senders(name, one.url).send([mail()])
        assert (receipt.state, receipt.provider, receipt.provider_id) == ("sent", name, IDS[name])
        assert receipt.at_ms > 0 and receipt.text.startswith(str(SENT[name].status))


# Without an answer


def test_a_refused_connection_is_temporary(senders: Senders) -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))  # taken, and nobody listens
        for name in FOUR:
            [receipt] = senders(name, f"http://127.0.0.1:{taken.getsockname()[1]}/").send([mail()])
            assert (receipt.state, receipt.trouble, receipt.untried) == ("temporary", True, True)
            assert "Connection refused" in receipt.text, receipt.text


def test_a_name_that_does_not_resolve_is_temporary(senders: Senders, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    for name in FOUR:
        [receipt] = senders(name, "https://api.provider.example/").send([mail()])
        assert (receipt.state, receipt.text) == ("temporary", f"{name}: [Errno -2] Name or service not known")


def test_a_server_that_takes_no_connection_in_time_is_temporary(senders: Senders) -> None:
    with ExitStack() as open_:
        full = open_.enter_context(socket.socket())
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(4):  # the queue is full: the next one is not even refused
            waiting = open_.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        [receipt] = senders("sendgrid", f"http://127.0.0.1:{full.getsockname()[1]}/", SHORT).send([mail()])
        assert (receipt.state, receipt.text) == ("temporary", "sendgrid: timed out")


def test_a_failed_tls_handshake_is_temporary(senders: Senders, sendgrid: Desk) -> None:
    [receipt] = senders("sendgrid", sendgrid.url.replace("http:", "https:"), SHORT).send([mail()])
    assert receipt.state == "temporary"
    assert "SSL" in receipt.text and sendgrid.requests == []


@pytest.mark.parametrize("fault", ["cut", "reset", "close", "hang", "drip", "garbage", "half", "endless"])
def test_what_is_lost_after_the_first_byte_is_unknown_and_written_once(
    senders: Senders, desk: tuple[str, Desk], fault: Fault
) -> None:
    name, one = desk
    one.reply = fault
    [receipt] = senders(name, one.url, SHORT).send([mail()])
    assert (receipt.state, receipt.text, receipt.provider_id) == ("unknown", LOST, "")
    assert len(one.requests) == (fault != "cut")
    assert one.connections == 1


def test_noted_later_it_would_be_called_temporary_and_sent_again(
    senders: Senders, sendgrid: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: an exchange that does not know that its first byte was written."""
    monkeypatch.setattr(Exchange, "begins", lambda exchange, sock: None)
    sendgrid.reply = "reset"
    [receipt] = senders("sendgrid", sendgrid.url).send([mail()])
    assert (receipt.state, len(sendgrid.requests)) == ("temporary", 1)


def test_with_retries_below_us_it_would_be_written_twice(
    senders: Senders, sendgrid: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control of `written once`: urllib3 repeats what it is let."""
    made = _Adapter.__init__
    monkeypatch.setattr(
        _Adapter,
        "__init__",
        lambda self, **told: made(self, **told, max_retries=Retry(2, allowed_methods=None)),
    )
    sendgrid.answers = ["close"]
    [receipt] = senders("sendgrid", sendgrid.url).send([mail()])
    assert (receipt.state, len(sendgrid.requests)) == ("sent", 2)


def test_ses_sends_with_the_right_of_the_machine_and_waits_without(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    with desk_of("ses") as one:
        address = read_provider(f"ses:?region=eu-west-1&url={one.url}", "test")
        with closing(EspSender(address, "")) as sender:
            [receipt] = sender.send([mail()])
            assert (receipt.state, receipt.text) == ("temporary", "ses: Unable to locate credentials")
            assert one.requests == []
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDMACHINE")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", KEY)
        with closing(EspSender(address, "")) as sender:
            assert [receipt.state for receipt in sender.send([mail()])] == ["sent"]
        assert "Credential=AKIDMACHINE/" in one.requests[0].headers["authorization"]


# With an answer

STATES = {
    **dict.fromkeys((301, 302, 307, 308), "unknown"),
    **dict.fromkeys((400, 406, 410, 413, 415, 422, 451), "failed"),
    **dict.fromkeys((401, 402, 403, 404, 405, 408, 420, 421, 425, 429), "temporary"),
    **dict.fromkeys((409, 500, 501, 502, 503, 504, 520, 599), "unknown"),
}


def test_a_status_alone_is_definite_only_where_it_proves_something(senders: Senders, desk: tuple[str, Desk]) -> None:
    name, one = desk
    sender = senders(name, one.url)
    for status, state in STATES.items():
        one.reply = Reply(status, '{"message": "so it is"}', {"Location": one.url + "elsewhere"})
        [receipt] = sender.send([mail()])
        assert (receipt.state, receipt.text) == (state, f"{status} so it is")
    assert len(one.requests) == len(STATES)  # no redirect is followed, nothing is tried again


def test_a_service_that_says_how_long_to_wait_took_nothing(senders: Senders, desk: tuple[str, Desk]) -> None:
    name, one = desk
    one.reply = Reply(503, "", {"Retry-After": "30"})
    [receipt] = senders(name, one.url).send([mail()])
    assert (receipt.state, receipt.trouble, receipt.untried, receipt.wait_ms) == ("temporary", True, False, 30_000)


def test_what_a_sender_was_told_is_no_trouble_where_it_took_or_refused_the_mail(
    senders: Senders, desk: tuple[str, Desk]
) -> None:
    name, one = desk
    one.reply = SENT[name]
    assert not senders(name, one.url).send([mail()])[0].trouble
    one.reply = Reply(413, "", {"Retry-After": "30"})
    [receipt] = senders(name, one.url).send([mail()])
    assert (receipt.state, receipt.trouble, receipt.wait_ms) == ("failed", False, 0)


UNREADABLE = ("", "{", "[]", "null", '"queued"', "{}", "<html>welcome</html>", "[[[[")


@pytest.mark.parametrize("name", NAMES)
def test_a_200_that_nobody_can_read_is_unknown(senders: Senders, name: str) -> None:
    """SendGrid takes mails without a word, Brevo may."""
    with desk_of(name) as one:
        sender = senders(name, one.url)
        for body in UNREADABLE:
            one.reply = Reply(200, body)
            [receipt] = sender.send([mail()])
            without_a_word = name == "sendgrid" or (name == "brevo" and body == "")
            assert receipt.state == ("sent" if without_a_word else "unknown"), (body, receipt)


REFUSALS: list[tuple[str, Reply, str]] = [
    (
        "mandrill",
        Reply(200, '[{"email": "ada@example.com", "status": "rejected", "reject_reason": "unsub"}]'),
        "failed",
    ),
    ("mandrill", Reply(200, '[{"email": "ada@example.com", "status": "invalid"}]'), "failed"),
    ("mandrill", Reply(200, '[{"email": "ada@example.com", "status": "scheduled"}]'), "unknown"),
    ("mandrill", Reply(500, '{"status": "error", "code": -2, "name": "ValidationError", "message": "no"}'), "failed"),
    ("mandrill", Reply(500, '{"status": "error", "code": -1, "name": "Invalid_Key", "message": "no"}'), "temporary"),
    ("mandrill", Reply(500, '{"status": "error", "code": -99, "name": "GeneralError", "message": "no"}'), "unknown"),
    ("postmark", Reply(422, '{"ErrorCode": 406, "Message": "inactive addresses: ada@example.com."}'), "failed"),
    ("postmark", Reply(422, '{"ErrorCode": 300, "Message": "Invalid \'To\' address"}'), "failed"),
    ("postmark", Reply(422, '{"ErrorCode": 401, "Message": "signature not confirmed"}'), "temporary"),
    ("postmark", Reply(422, '{"ErrorCode": 412, "Message": "account is pending"}'), "temporary"),
    ("postal", Reply(200, '{"status": "error", "data": {"code": "NoRecipients", "message": "no"}}'), "failed"),
    ("postal", Reply(200, '{"status": "error", "data": {"code": "AccessDenied", "message": "no"}}'), "temporary"),
    ("postal", Reply(200, '{"status": "error", "data": {"code": "InternalServerError"}}'), "unknown"),
    ("postal", Reply(200, '{"status": "parameter-error", "data": {}}'), "unknown"),
    ("ses", Reply(400, '{"message": "not verified"}', {"x-amzn-ErrorType": "MessageRejected:http://x/"}), "failed"),
    ("ses", Reply(400, "{}", {"x-amzn-ErrorType": "SendingPausedException"}), "temporary"),
    ("ses", Reply(400, '{"__type": "x#AccountSuspendedException", "message": "no"}'), "temporary"),
    ("ses", Reply(403, '{"message": "signature"}', {"x-amzn-ErrorType": "SignatureDoesNotMatch"}), "temporary"),
    ("sparkpost", Reply(200, SENT["sparkpost"].body.replace(": 0,", ": 1,")), "unknown"),
    (
        "sparkpost",
        Reply(200, '{"results": {"total_rejected_recipients": 1, "total_accepted_recipients": 0, "id": "1"}}'),
        "failed",
    ),
    ("mailjet", Reply(400, '{"Messages": [{"Status": "error", "Errors": [{"ErrorCode": "mj-0013"}]}]}'), "failed"),
    ("mailjet", Reply(401, '{"ErrorCode": "", "StatusCode": 401, "ErrorMessage": "key"}'), "temporary"),
    (
        "mailersend",
        Reply(
            202,
            '{"message": "m", "warnings": [{"type": "ALL_SUPPRESSED", "recipients": [{"email": "ada@example.com"}]}]}',
            {"Content-Type": "application/json"},
        ),
        "failed",
    ),
    (
        "unisender-go",
        Reply(200, '{"status": "success", "emails": [], "failed_emails": {"ada@example.com": "unsubscribed"}}'),
        "failed",
    ),
    ("resend", Reply(409, '{"name": "invalid_idempotent_request", "message": "other payload"}'), "unknown"),
    ("resend", Reply(422, '{"name": "validation_error", "message": "no"}'), "failed"),
    ("resend", Reply(429, '{"name": "daily_quota_exceeded", "message": "no"}'), "temporary"),
    ("brevo", Reply(400, '{"code": "duplicate_parameter", "message": "key was used"}'), "unknown"),
    ("brevo", Reply(400, '{"code": "not_enough_credits", "message": "no"}'), "temporary"),
    ("brevo", Reply(400, '{"code": "invalid_parameter", "message": "no"}'), "failed"),
    ("mailgun", Reply(400, '{"message": "to parameter is not a valid address"}'), "failed"),
    ("mailgun", Reply(404, '{"message": "Domain not found: mg.shop.example"}'), "temporary"),
    ("mailgun", Reply(200, "Mailgun Magnificent API"), "unknown"),
    ("sendgrid", Reply(400, '{"errors": [{"message": "Does not contain a valid address.", "field": "to"}]}'), "failed"),
    ("sendgrid", Reply(403, '{"errors": [{"message": "not a verified Sender Identity"}]}'), "temporary"),
    ("scaleway", Reply(200, '{"emails": [{"id": "1", "mail_rcpt": "eve@example.com", "status": "new"}]}'), "unknown"),
    ("scaleway", Reply(200, '{"emails": [{"id": "1", "mail_rcpt": "ada@example.com", "status": "failed"}]}'), "failed"),
    ("mailjet", Reply(200, '{"Messages": []}'), "unknown"),
    ("mailtrap", Reply(200, '{"success": false, "errors": ["no"]}'), "unknown"),
]


@pytest.mark.parametrize(("name", "reply", "state"), REFUSALS)
def test_what_a_provider_names_its_refusal_decides(senders: Senders, name: str, reply: Reply, state: str) -> None:
    with desk_of(name) as one:
        one.reply = reply
        [receipt] = senders(name, one.url).send([mail()])
        assert (receipt.state, receipt.provider_id) == (state, ""), receipt
        assert "ada" not in receipt.text.lower()


def test_an_answer_that_our_library_cannot_read_is_no_refusal(senders: Senders) -> None:
    """Postmark's contract gives `To` as any string; anymail calls one without an `@` an invalid address."""
    with desk_of("postmark") as one:
        one.reply = Reply(200, '{"To": "string", "MessageID": "1", "ErrorCode": 0, "Message": "OK"}')
        [receipt] = senders("postmark", one.url).send([mail()])
        assert receipt.state == "unknown"


# Words


@pytest.mark.parametrize("status", [202, 400, 401, 500])
def test_no_address_and_no_key_stays_in_the_words(senders: Senders, desk: tuple[str, Desk], status: int) -> None:
    name, one = desk
    said = f"no Ada <ada@example.com> here,\\nyour key {KEY} is unknown " + "x" * 400
    one.reply = Reply(status, f'{{"message": "{said}", "error": "ADA"}}')
    [receipt] = senders(name, one.url).send([mail()])
    assert receipt.text.startswith(f"{status} no (address) (address) here, your key (key) is")
    assert len(receipt.text) == TEXT_CHARS and "ada" not in receipt.text.lower()


def test_no_key_stays_in_the_words_of_a_library(senders: Senders, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> None:
        raise OSError(f"{KEY} of ada@example.com\r\nis no route")

    monkeypatch.setattr(requests.Session, "request", fails)
    [receipt] = senders("sendgrid", "https://api.provider.example/").send([mail()])
    assert (receipt.state, receipt.text) == ("temporary", "sendgrid: (key) of (address) is no route")


# Groups


def test_twenty_mails_get_twenty_receipts_in_order_over_a_few_connections(senders: Senders, sendgrid: Desk) -> None:
    sender = senders("sendgrid", sendgrid.url)
    mails = [mail(number) for number in range(20)]
    for _ in range(3):
        sendgrid.answers = [Reply(202, "", {"X-Message-Id": "1"}) for _ in mails]
        assert [one.state for one in sender.send(mails)] == ["sent"] * 20
    assert len(sendgrid.requests) == 60
    assert sendgrid.connections <= 8
    assert sender.send([]) == []


def test_receipts_come_in_the_order_of_the_mails(senders: Senders, sendgrid: Desk) -> None:
    mails = [mail(number) for number in range(12)]
    mails[3] = mail(3, raw_of_another=b"bare\n")
    receipts = senders("sendgrid", sendgrid.url).send(mails)
    assert [one.state for one in receipts] == ["sent"] * 3 + ["failed"] + ["sent"] * 8
    assert len(sendgrid.requests) == 11


@pytest.mark.parametrize("fault", [Reply(429, "", {"Retry-After": "1"}), Reply(401), Reply(500), "reset", "hang"])
def test_when_the_provider_fails_the_rest_of_the_group_waits(
    senders: Senders, sendgrid: Desk, fault: Reply | Fault
) -> None:
    sender = senders("sendgrid", sendgrid.url, SHORT, ONE_AT_A_TIME)
    sendgrid.answers = [SENT["sendgrid"], fault]
    receipts = sender.send([mail(number) for number in range(6)])
    assert receipts[0].state == "sent"
    assert receipts[1].state in ("temporary", "unknown")
    assert [(one.state, one.text) for one in receipts[2:]] == [("temporary", SPARED)] * 4
    assert [(one.trouble, one.untried) for one in receipts] == [(False, False), (True, False), *[(False, True)] * 4]
    assert len(sendgrid.requests) == 2
    assert [one.state for one in sender.send([mail(7)])] == ["sent"]  # the next group begins anew


@pytest.mark.parametrize("refusal", [Reply(400), Reply(422), Reply(409)])
def test_a_refusal_of_one_mail_holds_up_no_other(senders: Senders, sendgrid: Desk, refusal: Reply) -> None:
    sendgrid.answers = [refusal]
    receipts = senders("sendgrid", sendgrid.url, None, ONE_AT_A_TIME).send([mail(number) for number in range(4)])
    assert [one.state for one in receipts[1:]] == ["sent"] * 3
    assert not any(one.trouble or one.untried for one in receipts)


def test_connections_that_stood_idle_are_not_used_again(senders: Senders, sendgrid: Desk) -> None:
    quick = senders("sendgrid", sendgrid.url, Patience(idle_s=0.0))
    lasting = senders("sendgrid", sendgrid.url)
    for sender, connections in ((quick, 3), (lasting, 1)):
        before = sendgrid.connections
        for _ in range(3):
            assert sender.send([mail()])[0].state == "sent"
        assert sendgrid.connections - before == connections


def test_a_slow_provider_is_waited_for_no_longer_than_said(senders: Senders, sendgrid: Desk) -> None:
    """`drip` sends a byte every 50 ms, so that no single read is ever late."""
    sendgrid.reply = "drip"
    done = threading.Event()
    sender = senders("sendgrid", sendgrid.url, SHORT)

    def send() -> None:
        sender.send([mail()])
        done.set()

    threading.Thread(target=send).start()
    assert done.wait(10)


def test_without_the_watch_it_would_be_waited_for(
    senders: Senders, sendgrid: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control of the test above: the same without anybody who cuts."""
    monkeypatch.setattr(Exchange, "cut", lambda exchange: None)
    sendgrid.reply = "drip"
    done = threading.Event()
    sender = senders("sendgrid", sendgrid.url, Patience(answer_s=0.4, total_s=0.2))

    def send() -> None:
        sender.send([mail()])
        done.set()

    threading.Thread(target=send).start()
    assert not done.wait(1.5)
    sendgrid.over.set()
    assert done.wait(10)


def test_lookup_never_guesses(senders: Senders, sendgrid: Desk) -> None:
    receipts = senders("sendgrid", sendgrid.url).lookup([bytes(16), bytes(16)])
    assert [one.state for one in receipts] == ["unknown", "unknown"]
    assert {one.method for one in sendgrid.requests} == {"GET"}


@pytest.mark.parametrize("recipient", ["ada@münchen.example", "ådå@example.com"])
def test_an_address_a_provider_cannot_be_told_fails_or_goes_whole(senders: Senders, recipient: str) -> None:
    plain = mail()
    message = Message(
        decision=plain.decision,
        person=plain.person,
        sender=plain.sender,
        recipient=recipient,
        message_id=plain.message_id,
        raw=plain.raw,
    )
    with desk_of("scaleway") as one:
        [receipt] = senders("scaleway", one.url).send([message])
        assert receipt.state in ("failed", "unknown")
        assert "å" not in receipt.text and "münchen" not in receipt.text
        assert (receipt.state == "failed") == (one.requests == [])
