"""Each provider's way to prove a request: its own is taken; one byte changed, another key, an old time are not."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime

import msgspec
import pytest
from standardwebhooks.webhooks import Webhook

from livepost.errors import SettingsError
from livepost.sources.esp.posted import LoginError, Posted, RefusedError, UnreadableError
from livepost.sources.esp.proof import MAILGUN_WINDOW_S, WINDOW_S, SendGrid, Svix, proof_of
from tests.unit.sources.esp.signing import KEY, LOGIN, SECRETS, WHSEC, mailgun_form, signed, svix, table

NOW_S = 1_700_000_000
TOLD = {"event-data": {"event": "delivered"}, "events": [], "type": "x"}
LOGINS = ("brevo", "mailjet", "postmark", "sparkpost")
TIMED = {"sendgrid": WINDOW_S, "resend": WINDOW_S, "mailgun": MAILGUN_WINDOW_S}
SIGNED_BODY = sorted(SECRETS.keys() - {*LOGINS, "mailgun"})


def changed(posted: Posted) -> Posted:
    """Return a request with one byte of its body changed: the last letter."""
    at = max(index for index, byte in enumerate(posted.body) if chr(byte).isalpha())
    return msgspec.structs.replace(posted, body=posted.body[:at] + b"Z" + posted.body[at + 1 :])


@pytest.mark.parametrize("provider", sorted(SECRETS))
def test_a_request_of_the_provider_is_taken(provider: str) -> None:
    proof_of(table(provider), SECRETS[provider])(signed(provider, TOLD, NOW_S), NOW_S)


@pytest.mark.parametrize("provider", SIGNED_BODY)
def test_one_byte_changed_is_refused(provider: str) -> None:
    proof = proof_of(table(provider), SECRETS[provider])
    with pytest.raises((RefusedError, UnreadableError)):
        proof(changed(signed(provider, TOLD, NOW_S)), NOW_S)


@pytest.mark.parametrize("provider", sorted(SECRETS.keys() - {"postal", "sendgrid", "resend"}))
def test_another_secret_is_refused(provider: str) -> None:
    secret = SECRETS[provider].replace("abcdef", "fedcba")
    with pytest.raises(RefusedError):
        proof_of(table(provider), secret)(signed(provider, TOLD, NOW_S), NOW_S)


@pytest.mark.parametrize("provider", sorted(SECRETS))
def test_a_request_without_any_proof_is_refused(provider: str) -> None:
    bare = Posted(headers={"content-type": "application/json"}, body=json.dumps(TOLD).encode())
    with pytest.raises(RefusedError):
        proof_of(table(provider), SECRETS[provider])(bare, NOW_S)


@pytest.mark.parametrize(("provider", "window_s"), sorted(TIMED.items()))
def test_a_time_outside_of_the_window_is_refused_and_one_within_is_taken(provider: str, window_s: int) -> None:
    proof = proof_of(table(provider), SECRETS[provider])
    posted = signed(provider, TOLD, NOW_S)
    for late_s in (window_s, -WINDOW_S):
        proof(posted, NOW_S + late_s)
    for late_s in (window_s + 1, -WINDOW_S - 1):
        with pytest.raises(RefusedError, match="expected a time"):
            proof(posted, NOW_S + late_s)


def test_a_time_that_was_made_new_breaks_the_signature() -> None:
    posted = signed("sendgrid", TOLD, NOW_S)
    newer = {**posted.headers, "x-twilio-email-event-webhook-timestamp": str(NOW_S + 600)}
    with pytest.raises(RefusedError, match="signature"):
        proof_of(table("sendgrid"), SECRETS["sendgrid"])(Posted(headers=newer, body=posted.body), NOW_S + 600)


def test_mailguns_events_of_before_2018_are_checked_alike() -> None:
    proof = proof_of(table("mailgun"), KEY)
    proof(mailgun_form({"event": "delivered", "recipient": "ada@example.com"}, NOW_S), NOW_S)
    with pytest.raises(RefusedError):
        proof(changed(mailgun_form({"event": "delivered"}, NOW_S)), NOW_S)


def test_a_signature_of_standard_webhooks_own_package_is_taken() -> None:
    body = b'{"type": "email.sent"}'
    signature = Webhook(WHSEC).sign("msg_1", datetime.fromtimestamp(NOW_S, UTC), body.decode())
    for before in ("webhook-", "svix-"):
        told = {"id": "msg_1", "timestamp": str(NOW_S), "signature": signature}
        Svix(WHSEC)(Posted(headers={before + name: value for name, value in told.items()}, body=body), NOW_S)


def test_our_own_signature_of_the_tests_is_taken_by_standard_webhooks() -> None:
    """The tests' signer is the standard's: what it signs proves something."""
    posted = svix(b'{"a": 1}', round(datetime.now(UTC).timestamp()))
    told = {f"webhook-{name}": posted.headers[f"svix-{name}"] for name in ("id", "timestamp", "signature")}
    assert Webhook(WHSEC).verify(posted.body, told) == {"a": 1}


def test_the_known_answer_of_standard_webhooks() -> None:
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    proof = Svix("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    proof(Posted(headers=headers, body=b'{"test": 2432232314}'), 1_614_265_330)
    with pytest.raises(RefusedError):
        proof(Posted(headers=headers, body=b'{"test": 2432232315}'), 1_614_265_330)


def test_the_known_answer_of_sendgrid() -> None:
    """The example of Twilio SendGrid's own library (sendgrid-python, test/unit/test_eventwebhook.py)."""
    key = (
        "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8e"
        "NEc6wEA3F+g=="
    )
    body = (
        json.dumps(
            [
                {
                    "email": "hello@world.com",
                    "event": "dropped",
                    "reason": "Bounced Address",
                    "sg_event_id": "ZHJvcC0xMDk5NDkxOS1MUnpYbF9OSFN0T0doUTRrb2ZTbV9BLTA",
                    "sg_message_id": "LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0",
                    "smtp-id": "<LRzXl_NHStOGhQ4kofSm_A@ismtpd0039p1iad1.sendgrid.net>",
                    "timestamp": 1600112492,
                }
            ],
            sort_keys=True,
            separators=(",", ":"),
        )
        + "\r\n"
    ).encode()
    headers = {
        "x-twilio-email-event-webhook-timestamp": "1600112502",
        "x-twilio-email-event-webhook-signature": (
            "MEUCIGHQVtGj+Y3LkG9fLcxf3qfI10QysgDWmMOVmxG0u6ZUAiEAyBiXDWzM+uOe5W0JuG+luQAbPIqHh89M15TluLtEZtM="
        ),
    }
    SendGrid(key)(Posted(headers=headers, body=body), 1_600_112_502)
    with pytest.raises(RefusedError):
        SendGrid(key)(Posted(headers=headers, body=body.strip()), 1_600_112_502)


def test_a_login_that_is_missing_or_wrong_can_be_made_good() -> None:
    proof = proof_of(table("postmark"), LOGIN)
    for told in ("", "Basic", "Basic ***", "Bearer " + base64.b64encode(LOGIN.encode()).decode()):
        with pytest.raises(LoginError):
            proof(Posted(headers={"authorization": told}, body=b"{}"), NOW_S)


@pytest.mark.parametrize(
    ("provider", "secret"),
    [
        ("postmark", "hunter2"),
        ("postmark", "user:short"),
        ("mailgun", "short"),
        ("resend", KEY),
        ("resend", "whsec_***"),
        ("sendgrid", KEY),
        ("sendgrid", SECRETS["postal"]),
        ("postal", SECRETS["sendgrid"]),
    ],
)
def test_a_secret_that_cannot_be_the_providers_is_refused_and_not_told(provider: str, secret: str) -> None:
    with pytest.raises(SettingsError) as error:
        proof_of(table(provider), secret)
    assert secret not in str(error.value)
