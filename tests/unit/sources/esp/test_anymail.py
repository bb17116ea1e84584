"""Every provider's events in one form: whose mail, whose address, what happened, and whether it will pass."""

from __future__ import annotations

import json

import pytest

from livepost.ids import digest
from livepost.measure.feedback import feedback_of
from livepost.settings.mail_events import TELLERS
from livepost.sources.esp.anymail import EVENTS_MAX, VIEWS, Reader
from livepost.sources.esp.posted import Posted, UnreadableError
from tests.unit.sources.esp.samples import AT_S, KINDS, PROVIDERS, RECIPIENT, sample
from tests.unit.sources.esp.signing import signed

NOW_S = 1_700_000_000
DECISION = digest("decision", 1)
PERSONAL = ("192.0.2.1", "Mozilla", "shop.example")


def told() -> list[tuple[str, str]]:
    """Return what each provider can tell."""
    found = []
    for provider in PROVIDERS:
        for kind in KINDS:
            try:
                sample(provider, kind, "")
            except KeyError:
                continue
            found.append((provider, kind))
    return found


def test_every_provider_that_the_settings_know_is_read_and_has_a_sample() -> None:
    assert sorted(TELLERS) == sorted(VIEWS) == sorted(PROVIDERS)


@pytest.mark.parametrize(("provider", "kind"), told())
def test_an_event_says_whose_mail_it_is_and_what_happened(provider: str, kind: str) -> None:
    posted = signed(provider, sample(provider, kind, DECISION.hex()), NOW_S)
    [event], lost = Reader(provider).read(posted)
    feedback = feedback_of(event, digest, NOW_S * 1_000)
    assert feedback is not None
    assert (feedback.outcome, feedback.decision, feedback.address) == (kind, DECISION, digest(RECIPIENT))
    expected_s = NOW_S if provider == "ses" else AT_S
    assert (lost, feedback.at) == (0, expected_s * 1_000)
    assert event.provider_id == "id-1" or (provider, event.provider_id) in {("sendgrid", ""), ("mailgun", "<id-1>")}
    assert not any(word in repr(event) for word in PERSONAL)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_what_is_no_event_is_refused_with_a_sentence(provider: str) -> None:
    for body in (b"", b"[]x", b"{", b"[1]", b'"x"', b"\xff\xfe", b"[" * 100_000):
        with pytest.raises(UnreadableError):
            Reader(provider).read(Posted(headers={"content-type": "application/json"}, body=body))


def test_an_event_that_cannot_be_read_keeps_no_other_from_being_heard() -> None:
    good = sample("sendgrid", "complained", DECISION.hex())
    body = json.dumps([{"no": "event"}, *good, 7]).encode()
    events, lost = Reader("sendgrid").read(Posted(headers={"content-type": "application/json"}, body=body))
    assert ([event.kind for event in events], lost) == (["complained"], 2)


def test_more_events_than_the_bound_are_refused_and_as_many_are_taken() -> None:
    [one] = sample("sendgrid", "opened", "")
    headers = {"content-type": "application/json"}
    body = json.dumps([one] * EVENTS_MAX).encode()
    assert len(Reader("sendgrid").read(Posted(headers=headers, body=body))[0]) == EVENTS_MAX
    with pytest.raises(UnreadableError, match="at most"):
        Reader("sendgrid").read(Posted(headers=headers, body=json.dumps([one] * (EVENTS_MAX + 1)).encode()))
