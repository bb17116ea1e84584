"""What each provider is sent, byte for byte as django-anymail says it: recorded on loopback, kept in `requests/`.

`RECORD_REQUESTS=1 pytest tests/unit/deliver/esp/test_anymail.py` writes the files anew; look at what changed.
"""

from __future__ import annotations

import json
import os
import re
from base64 import b64decode
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from livepost.deliver.esp.provider import PROVIDERS
from livepost.settings.provider import FORMS
from tests.unit.deliver.esp.desk import KEY, SENT, Request, Senders, desk_of, mail, sender_to

KEPT = Path(__file__).parent / "requests"
NAMES = [form.name for form in FORMS]
OF_THE_LINE = {"host", "content-length", "connection", "user-agent", "accept", "accept-encoding"}


def recorded(name: str, *, marketing: bool = True, number: int = 1) -> Request:
    """Return the request that one mail makes."""
    with desk_of(name) as desk, closing(sender_to(name, desk.url)) as sender:
        [receipt] = sender.send([mail(number, marketing=marketing)])
        assert receipt.state == "sent", receipt
        [request] = desk.requests
        return request


def readable(request: Request) -> dict[str, Any]:
    """Return a request without what changes from run to run, its body taken apart."""
    headers = {name: masked(name, value) for name, value in request.headers.items() if name not in OF_THE_LINE}
    return {
        "request": f"{request.method} {request.path}",
        "headers": dict(sorted(headers.items())),
        "body": opened(json.loads(masked("", json.dumps(taken_apart(request))))),
    }


def taken_apart(request: Request) -> Any:
    """Return the fields of a body."""
    if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return dict(parse_qsl(request.body.decode(), strict_parsing=True))
    return json.loads(request.body)


def opened(body: Any) -> Any:
    """Return the body; SES's whole mail as its lines."""
    if "Content" in body and "Raw" in body["Content"]:
        body["Content"]["Raw"]["Data"] = b64decode(body["Content"]["Raw"]["Data"]).decode("ascii").split("\r\n")
    return body


def masked(name: str, value: str) -> str:
    """Return a header's value without keys, signatures and times."""
    if name == "authorization" and value.startswith("Basic "):
        value = "Basic " + b64decode(value.removeprefix("Basic ")).decode()
    value = re.sub(r"Signature=[0-9a-f]+", "Signature=(signature)", value.replace(KEY, "(key)"))
    value = re.sub(r"/20\d{6}/", "/(day)/", re.sub(r"^20\d{6}T\d{6}Z$", "(time)", value))
    return "(id)" if name == "amz-sdk-invocation-id" else value


def test_every_provider_of_the_settings_has_a_row_and_an_answer_here() -> None:
    assert sorted(NAMES) == sorted(one.name for one in PROVIDERS) == sorted(SENT)


@pytest.mark.parametrize("name", NAMES)
def test_a_request_is_as_it_was_recorded(name: str) -> None:
    now = readable(recorded(name))
    path = KEPT / f"{name}.json"
    if os.environ.get("RECORD_REQUESTS"):
        path.write_text(json.dumps(now, indent=1, ensure_ascii=False) + "\n")
    assert now == json.loads(path.read_text())


def test_nothing_is_kept_of_a_provider_that_is_none() -> None:
    assert sorted(path.stem for path in KEPT.iterdir()) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_the_mail_arrives_in_full_and_the_decision_with_it(name: str) -> None:
    text = json.dumps(readable(recorded(name)), ensure_ascii=False)
    message = mail()
    wanted = [message.decision.hex(), message.recipient, "hello@shop.example", "m.shop.example/u/" + "A" * 300]
    if name != "mailersend":  # its headers are for one plan only
        wanted += ["List-Unsubscribe-Post", "List-Unsubscribe=One-Click", message.message_id]
    if name != "ses":  # base64 parts of the mail's own bytes
        wanted += ["Grüße: still thinking it over?", "<p>Dear Ada,<br>été at 5 €.</p>", "Dear Ada,\\nété at 5 €."]
    assert [one for one in wanted if one not in text] == []
    assert message.person.hex() not in text


@pytest.mark.parametrize("name", NAMES)
def test_a_transactional_mail_has_no_unsubscribe_header(name: str) -> None:
    assert "nsubscribe" not in json.dumps(readable(recorded(name, marketing=False)))


@pytest.mark.parametrize("name", NAMES)
def test_the_same_mail_makes_the_same_request_twice(name: str) -> None:
    assert readable(recorded(name)) == readable(recorded(name))
    assert readable(recorded(name)) != readable(recorded(name, number=2))


SWITCHES = {
    "mailersend": {"settings": {"track_clicks": False, "track_opens": False}},
    "mailgun": {"o:tracking-opens": "no", "o:tracking-clicks": "no"},
    "mailjet": {"TrackOpens": "disabled", "TrackClicks": "disabled"},
    "mandrill": {"track_opens": False, "track_clicks": False},
    "postmark": {"TrackOpens": False, "TrackLinks": "None"},
    "sendgrid": {"click_tracking": {"enable": False}, "open_tracking": {"enable": False}},
    "sparkpost": {"click_tracking": False, "open_tracking": False},
    "unisender-go": {"track_links": 0, "track_read": 0},
}


@pytest.mark.parametrize("name", SWITCHES)
def test_the_provider_is_told_not_to_track(name: str) -> None:
    body = json.dumps(taken_apart(recorded(name)))
    assert [one for one in SWITCHES[name].items() if json.dumps(dict([one]))[1:-1] not in body] == []
    assert [one.name for one in PROVIDERS if one.switches_tracking] == list(SWITCHES)


def test_the_whole_mail_goes_to_ses_byte_for_byte() -> None:
    raw = b64decode(json.loads(recorded("ses").body)["Content"]["Raw"]["Data"])
    mark, _, rest = raw.partition(b"\r\n")
    assert mark == f'X-Metadata: {{"decision": "{mail().decision.hex()}"}}'.encode()
    assert rest == mail().raw


def test_what_arrives_at_ses_fits_its_own_signature() -> None:
    request = recorded("ses")
    assert signature(request) == re.search("Signature=([0-9a-f]+)", request.headers["authorization"])[1]  # type: ignore[index]


def test_a_changed_body_would_not_fit_it() -> None:
    """The negative control of the test above."""
    request = recorded("ses")
    changed = Request(request.method, request.path, request.headers, request.body + b" ")
    assert signature(changed) not in request.headers["authorization"]


def signature(request: Request) -> str:
    """Return what AWS would compute over the request as it arrived."""
    signed = ("content-type", "host", "x-amz-date")
    headers = {name: request.headers[name] for name in signed}
    url = f"http://{request.headers['host']}{request.path}"
    made = AWSRequest(method=request.method, url=url, data=request.body, headers=headers)
    made.context["timestamp"] = request.headers["x-amz-date"]
    auth = SigV4Auth(Credentials("AKIDEXAMPLE", KEY), "ses", "eu-west-1")
    return str(auth.signature(auth.string_to_sign(made, auth.canonical_request(made)), made))


def test_the_idempotency_key_is_the_message_ids_local_part() -> None:
    local = mail().message_id.strip("<>").partition("@")[0]
    assert recorded("resend").headers["idempotency-key"] == local
    assert json.loads(recorded("unisender-go").body)["message"]["idempotence_key"] == local
    brevos = json.loads(recorded("brevo").body)["headers"]["Idempotency-Key"]
    assert brevos == str(UUID(brevos)) != json.loads(recorded("brevo", number=2).body)["headers"]["Idempotency-Key"]


def test_no_other_provider_is_sent_one() -> None:
    having = [name for name in NAMES if "idempoten" in json.dumps(readable(recorded(name))).lower()]
    assert having == [one.name for one in PROVIDERS if one.once] == ["brevo", "resend", "unisender-go"]


def test_regions_lead_to_other_addresses(senders: Senders) -> None:
    urls = [url for one in PROVIDERS for url in one.regions.values()]
    assert len(urls) == len(set(urls)) == 6
    assert all(url.startswith("https://") and url.endswith("/") for url in urls)
