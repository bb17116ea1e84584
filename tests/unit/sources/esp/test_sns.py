"""Messages of SNS: whose topic, whose certificate, whose signature; and a subscription that is confirmed safely."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from livepost.errors import StoreError
from livepost.fetch.fetcher import Answer
from livepost.sources.esp import sns
from livepost.sources.esp.posted import Posted, RefusedError
from tests.unit.sources.esp.signing import CERTIFICATE, TOPIC, Sns
from tests.unit.sources.esp.signing import sns as message

NOW_S = 1_700_000_000
ASKS = {
    "Type": "SubscriptionConfirmation",
    "Token": "2336412f37fb687f5d51e6e2425c464de257ebf6",
    "SubscribeURL": "https://evil.example/?Action=ConfirmSubscription",
}


def checked(posted: Posted, net: Sns | None = None, now_s: int = NOW_S) -> Sns:
    net = net or Sns(now_s=NOW_S)
    sns.Sns((TOPIC,), net)(posted, now_s)
    return net


@pytest.mark.parametrize("version", ["1", "2"])
def test_a_message_is_taken_by_either_version_of_the_signature(version: str) -> None:
    assert checked(message({}, NOW_S, version)).asked == [CERTIFICATE]


def test_a_certificate_is_fetched_once() -> None:
    net, proof = Sns(now_s=NOW_S), None
    proof = sns.Sns((TOPIC,), net)
    for _ in range(3):
        proof(message({}, NOW_S), NOW_S)
    assert net.asked == [CERTIFICATE]


@pytest.mark.parametrize("field", ["Message", "MessageId", "Subject", "Timestamp"])
def test_one_byte_changed_is_refused(field: str) -> None:
    told = json.loads(message({"a": 1}, NOW_S).body)
    told[field] = told[field].replace("1", "2", 1) if "1" in told[field] else told[field] + "x"
    posted = msgspec.structs.replace(message({}, NOW_S), body=json.dumps(told).encode())
    with pytest.raises(RefusedError):
        checked(posted)


def test_a_subject_that_was_left_out_or_put_in_is_refused() -> None:
    told = json.loads(message({}, NOW_S).body)
    del told["Subject"]
    with pytest.raises(RefusedError, match="signature"):
        checked(Posted(headers={}, body=json.dumps(told).encode()))


def test_another_key_is_refused() -> None:
    other = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    with pytest.raises(RefusedError, match="signature"):
        checked(message({}, NOW_S, key=other))


@pytest.mark.parametrize(
    "url",
    [
        "http://sns.us-east-1.amazonaws.com/SimpleNotificationService-01.pem",
        "https://sns.us-east-1.amazonaws.com.evil.example/SimpleNotificationService-01.pem",
        "https://evil.example/sns.us-east-1.amazonaws.com/SimpleNotificationService-01.pem",
        "https://sns.us-east-1.amazonaws.com@evil.example/SimpleNotificationService-01.pem",
        "https://sns.us-east-1.amazonaws.com:8443/SimpleNotificationService-01.pem",
        "https://evil.s3.amazonaws.com/SimpleNotificationService-01.pem",
        "https://sns.us-east-1.amazonaws.com/../x/SimpleNotificationService-01.pem",
        "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-01.pem?x=y",
        "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-01.pem\n",
        "",
    ],
)
def test_a_certificate_from_elsewhere_is_never_fetched(url: str) -> None:
    net = Sns(now_s=NOW_S)
    with pytest.raises(RefusedError, match="certificate"):
        checked(message({}, NOW_S, SigningCertURL=url), net)
    assert net.asked == []


def test_another_topic_is_refused_before_anything_is_fetched() -> None:
    net = Sns(now_s=NOW_S)
    with pytest.raises(RefusedError, match="topic"):
        checked(message({}, NOW_S, TopicArn="arn:aws:sns:us-east-1:999999999999:SES_Events"), net)
    assert net.asked == []


@pytest.mark.parametrize("late_s", [sns.RETRIES_S + sns.WINDOW_S + 1, -sns.WINDOW_S - 1])
def test_an_old_message_is_refused(late_s: int) -> None:
    with pytest.raises(RefusedError, match="expected a message of the last"):
        checked(message({}, NOW_S), now_s=NOW_S + late_s)


def test_a_message_that_sns_sends_again_after_an_outage_is_taken() -> None:
    checked(message({}, NOW_S), now_s=NOW_S + sns.RETRIES_S)


def test_a_certificate_that_is_over_is_refused() -> None:
    with pytest.raises(RefusedError, match="valid now"):
        checked(message({}, NOW_S), Sns(now_s=NOW_S - 100 * 86_400))


def test_without_a_certificate_it_is_for_later() -> None:
    net = Sns(now_s=NOW_S)
    net.away = True
    with pytest.raises(StoreError, match="certificate could not be had"):
        checked(message({}, NOW_S), net)
    for answer in (Answer(status=404), Answer(status=200, body=b"<html>")):
        net = Sns(now_s=NOW_S)
        net.answers[CERTIFICATE] = answer
        with pytest.raises(StoreError, match="certificate could not be had"):
            checked(message({}, NOW_S), net)


def test_a_subscription_is_confirmed_at_snss_own_address() -> None:
    net = Sns(now_s=NOW_S)
    proof = sns.Sns((TOPIC,), net)
    posted = message("You have chosen to subscribe", NOW_S, **ASKS)
    proof(posted, NOW_S)
    assert proof.answer(posted) == sns.CONFIRMATION
    assert net.asked[1:] == [
        "https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription"
        f"&TopicArn=arn%3Aaws%3Asns%3Aus-east-1%3A123456789012%3ASES_Events&Token={ASKS['Token']}"
    ]


def test_a_confirmation_that_sns_does_not_take_comes_again() -> None:
    posted = message("x", NOW_S, **ASKS)
    for answer in (Answer(status=500), None):
        net = Sns(now_s=NOW_S)
        proof = sns.Sns((TOPIC,), net)
        proof(posted, NOW_S)
        net.away = answer is None
        net.get = (lambda url, answer=answer: answer) if answer else net.get  # type: ignore[method-assign]
        with pytest.raises(StoreError, match="could not be confirmed"):
            proof.answer(posted)


def test_a_good_bye_and_an_event_ask_nothing_of_us() -> None:
    for also in ({}, {**ASKS, "Type": "UnsubscribeConfirmation"}):
        net = Sns(now_s=NOW_S)
        assert sns.Sns((TOPIC,), net).answer(message("x", NOW_S, **also)) in (sns.NOTIFICATION, sns.GOODBYE)
        assert net.asked == []


def test_a_token_that_would_say_more_is_refused() -> None:
    with pytest.raises(RefusedError, match="token"):
        sns.Sns((TOPIC,), Sns()).answer(message("x", NOW_S, **{**ASKS, "Token": "a&Action=Publish"}))


@pytest.mark.parametrize("told", [{}, {"Type": "Other"}, {"Type": "Notification"}, {"Type": 1}])
def test_what_is_no_message_is_refused(told: dict[str, Any]) -> None:
    with pytest.raises(RefusedError, match="SNS"):
        sns.read_message(Posted(headers={}, body=json.dumps(told).encode()))


def test_a_header_that_names_another_type_is_refused() -> None:
    posted = message({}, NOW_S)
    with pytest.raises(RefusedError, match="SNS"):
        sns.read_message(msgspec.structs.replace(posted, headers={"x-amz-sns-message-type": sns.CONFIRMATION}))
