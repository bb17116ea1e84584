"""All delivery events that django-anymail's own tests have of SendGrid, Mailgun, Postmark, SES, through the endpoint.

Their signatures are blanked in the collection, so they are signed here by the tests' own keys; what anymail made of
each is compared with what its tests expect, and what the ledger heard with what anymail made.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from unittest import TestCase

import httpx
import pytest
from starlette.applications import Starlette

from livepost.clock import SimulatedClock
from livepost.ids import digest
from livepost.ledger.sqlite import SqliteLedger
from livepost.measure.feedback import OUTCOMES, feedback_of
from livepost.model.feedback import MailEvent
from livepost.runtime.front.hearing import Hearing, hooks_of
from livepost.settings.settings import Settings
from livepost.sources.esp import anymail
from livepost.sources.esp.hooks import Hooks, hook_routes
from livepost.sources.esp.posted import Posted
from tests.real.prism import SHARED
from tests.unit.sources.esp.signing import SECRETS, Sns, mailgun_form, signed, table

FOLDER = SHARED / "webhooks" / "anymail_esp_events"
FILES = {"sendgrid": "sendgrid", "mailgun": "mailgun", "postmark": "postmark", "ses": "amazon_ses"}
SNS_AT_S = round(datetime(2018, 3, 26, 17, 58, 59, tzinfo=UTC).timestamp())
"""The time of the message in which anymail's tests put SES's events."""

NOT_EVENTS = {
    "test_webhook_signing_is_different_from_api_key": "its body is that of another test, as text",
    "test_defaults_webhook_signing_to_api_key": "its body is that of another test, as text",
}
REFUSED = {"test_incorrect_received_event", "test_misconfigured_inbound"}
"""What is no delivery event, and told here is a mistake in a provider's settings."""

pytestmark = pytest.mark.skipif(
    not FOLDER.exists() and "CI" not in os.environ, reason=f"no events of providers in {FOLDER}"
)


def cases() -> list[Any]:
    found = []
    for provider, file in FILES.items():
        path = FOLDER / f"{file}_webhooks.json"
        for case in json.loads(path.read_text()) if path.exists() else []:
            if case["test"] not in NOT_EVENTS:
                found.append(pytest.param(provider, case, id=f"{provider}-{case['class']}-{case['test']}"))
    return found


class Heard:
    """The endpoint over a ledger; keeps what anymail made of a request, and what was heard of it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, provider: str, at_s: int) -> None:
        self.raw: list[Any] = []
        self.events: list[MailEvent] = []
        self.ledger = SqliteLedger(":memory:")
        clock = SimulatedClock(at_s * 1_000)
        monkeypatch.setenv("SECRET", SECRETS.get(provider, ""))
        real = anymail.mail_event

        def noting(name: str, event: Any) -> MailEvent:
            self.raw.append(event)
            return real(name, event)

        async def nothing(_: Any = None) -> int:
            return 0

        hearing = Hearing(
            ledger=self.ledger, blind=digest, append=nothing, echo=nothing, known=lambda person: True, clock=clock
        )

        async def hear(events: Sequence[MailEvent]) -> None:
            self.events += events
            await hearing(events)

        monkeypatch.setattr(anymail, "mail_event", noting)
        hooks = hooks_of(Settings(mail_events=[table(provider)]), hear, Sns(now_s=at_s), clock)
        silent = Hooks(doors=hooks.doors, hear=hooks.hear, clock=hooks.clock, say=lambda sentence: None)
        self._app = Starlette(routes=hook_routes(silent))
        self._path = f"/hooks/esp/{provider}"

    def tell(self, posted: Posted) -> int:
        with ThreadPoolExecutor(1) as thread:  # this one may have a browser's event loop
            return thread.submit(asyncio.run, self._tell(posted)).result()

    async def _tell(self, posted: Posted) -> int:
        transport = httpx.ASGITransport(app=self._app)
        async with httpx.AsyncClient(transport=transport, base_url="https://m.example") as client:
            reply = await client.post(self._path, headers=dict(posted.headers), content=posted.body)
            return reply.status_code


def request_of(provider: str, case: Any) -> tuple[Posted, Any, int]:
    """Return a case's request, signed; what it holds as its tests name it; and the time it is of."""
    told = dict(case["payloads"][0])
    [(name, raw)] = told.items()
    if provider == "mailgun" and "Legacy" in case["class"]:
        at_s = int(raw.get("timestamp", SNS_AT_S))
        return mailgun_form(raw, at_s), raw, at_s
    if provider == "mailgun":
        at_s = int(raw.get("signature", {}).get("timestamp", SNS_AT_S))
        posted = signed(provider, raw, at_s)
        return posted, json.loads(posted.body), at_s
    message = raw.get("Message", raw) if name == "raw_sns_message" else raw
    return signed(provider, message, SNS_AT_S), raw, SNS_AT_S


def of_events(events: Sequence[Any], lines: Sequence[str]) -> list[tuple[Any, str]]:
    """Return the event that each line is about: the next one from each further line about a recipient on."""
    found, recipients = [], 0
    for line in lines:
        recipients += "event.recipient" in line
        found.append((events[max(recipients - 1, 0)], line))
    return found


def holds(line: str, event: Any, raw: Any) -> None:
    """Run an assertion of anymail's tests on what came through the endpoint."""
    if "querydict_to_postdict" in line:
        return  # the form with the blanked signature, which the tests' own has replaced
    names = {
        "self": TestCase(),
        "event": event,
        "datetime": datetime,
        "timezone": timezone,
        "get_fixed_timezone": lambda minutes: timezone(timedelta(minutes=minutes)),
        **dict.fromkeys(("raw_event", "raw_ses_event"), raw),
        "raw_events": raw,
        "metadata": {},  # what the case put into its form is not in the collection
    }
    exec(line, names)


@pytest.mark.parametrize(("provider", "case"), cases())
def test_an_event_is_what_anymails_own_tests_expect(monkeypatch: pytest.MonkeyPatch, provider: str, case: Any) -> None:
    posted, raw, at_s = request_of(provider, case)
    heard = Heard(monkeypatch, provider, at_s)
    code = heard.tell(posted)
    if case["test"] in REFUSED:
        assert (code, heard.events) == (400, [])
        return
    assert code == 200
    assert len(heard.raw) == len(heard.events) >= 1
    for event, line in of_events(heard.raw, case["expected"]):
        holds(line, event, raw)
    assert sum(one.count for one in heard.ledger.feedback_counts()) == _meaningful(heard.events)
    assert heard.tell(posted) == 200
    assert sum(one.count for one in heard.ledger.feedback_counts()) == _meaningful(heard.events[: len(heard.raw) // 2])


def _meaningful(events: Sequence[MailEvent]) -> int:
    told = [feedback_of(event, digest, 1_800_000_000_000) for event in events]
    return len({one.key for one in told if one is not None and one.outcome is not None})


def test_there_are_as_many_events_as_the_collection_has() -> None:
    counts = {provider: sum(one.values[0] == provider for one in cases()) for provider in FILES}
    assert counts == {"sendgrid": 10, "mailgun": 23, "postmark": 9, "ses": 10}


@pytest.mark.parametrize(("provider", "case"), cases())
def test_an_event_with_one_byte_changed_is_not_heard(monkeypatch: pytest.MonkeyPatch, provider: str, case: Any) -> None:
    """The negative control; Postmark signs nothing, so its login is changed, and of Mailgun's the signature."""
    posted, _, at_s = request_of(provider, case)
    heard = Heard(monkeypatch, provider, at_s)
    headers, body = dict(posted.headers), posted.body
    if provider == "postmark":
        headers["authorization"] = headers["authorization"][:-4] + "AAAA"
    elif provider == "mailgun":
        body = re.sub(rb"(signature\W+)[0-9a-f]", rb"\1g", body, count=1)
    elif provider == "ses":
        body = body.replace(b'"Message": "{', b'"Message": "{ ')
    else:
        body = body.replace(b": ", b":  ", 1)
    wrong = Posted(headers=headers, body=body)
    assert wrong != posted
    assert heard.tell(wrong) in (401, 403)
    assert (heard.events, heard.ledger.feedback_counts()) == ([], [])


def test_an_expectation_that_does_not_hold_is_found() -> None:
    """The negative control of `holds`."""
    event = type("Event", (), {"event_type": "delivered"})()
    holds("self.assertEqual(event.event_type, 'delivered')", event, {})
    with pytest.raises(AssertionError):
        holds("self.assertEqual(event.event_type, 'bounced')", event, {})
    assert OUTCOMES["delivered"] == "delivered"
