"""Events of all providers in one form, by django-anymail: the only module of this room that knows it and Django.

In: requests that are proven. Out: `MailEvent`s. Promised: of what a provider tells nothing is taken along but what a
`MailEvent` has: no network address, no user agent, no URL; an event that cannot be read keeps no other one of its
request from being heard. Signatures are checked before (`proof.py`, `sns.py`), not here: anymail's own checks are not
run, and its views are made without the settings that these want. Importing this takes a second.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from importlib import import_module
from typing import Any

import msgspec
from django.conf import settings as django_settings
from django.http import QueryDict
from django.http.request import HttpHeaders

from livepost.model.feedback import MailEvent
from livepost.sources.esp.posted import Posted, UnreadableError

if not django_settings.configured:
    django_settings.configure(USE_I18N=False)

DECISION = "decision"
"""The name under which the decision's id travels in a mail's metadata, in hex."""

EVENTS_MAX = 5_000
"""Events of a request."""

TEXT_CHARS = 500
"""Of an id or an address: longer ones are cut, and then are nobody's."""

VIEWS: dict[str, str] = {
    "brevo": "brevo.BrevoTrackingWebhookView",
    "mailersend": "mailersend.MailerSendTrackingWebhookView",
    "mailgun": "mailgun.MailgunTrackingWebhookView",
    "mailjet": "mailjet.MailjetTrackingWebhookView",
    "mailtrap": "mailtrap.MailtrapTrackingWebhookView",
    "mandrill": "mandrill.MandrillCombinedWebhookView",
    "postal": "postal.PostalTrackingWebhookView",
    "postmark": "postmark.PostmarkTrackingWebhookView",
    "resend": "resend.ResendTrackingWebhookView",
    "sendgrid": "sendgrid.SendGridTrackingWebhookView",
    "ses": "amazon_ses.AmazonSESTrackingWebhookView",
    "sparkpost": "sparkpost.SparkPostTrackingWebhookView",
    "unisender-go": "unisender_go.UnisenderGoTrackingWebhookView",
}

_HEX = re.compile(r"[0-9a-f]{32}")


class Reader:
    """Reads one provider's requests."""

    def __init__(self, provider: str) -> None:
        """Take the provider's name."""
        module, _, name = VIEWS[provider].partition(".")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # anymail warns of what is not checked: that is done before
            self._view = getattr(import_module(f"anymail.webhooks.{module}"), name)
        self._provider = provider

    def read(self, posted: Posted) -> tuple[list[MailEvent], int]:
        """Return the request's events, and how many could not be read.

        Raises UnreadableError where nothing could, or there are more than EVENTS_MAX.
        """
        try:
            found, lost = self._events(posted), 0
        except Exception as error:  # of anymail: whatever a body that is not as documented makes it raise
            found, lost = self._one_by_one(posted, error)
        if len(found) > EVENTS_MAX:
            raise UnreadableError(f"expected at most {EVENTS_MAX} events at a time, got {len(found)}")
        return [mail_event(self._provider, event) for event in found], lost

    def _events(self, posted: Posted) -> list[Any]:
        # Made without its constructor, which asks for the settings of checks that are not its own here.
        view = self._view.__new__(self._view)
        return [event for event in view.parse_events(_Request(posted)) if hasattr(event, "recipient")]

    def _one_by_one(self, posted: Posted, error: Exception) -> tuple[list[Any], int]:
        """Read a list of events one at a time, so that one that cannot be read takes no other along."""
        found, lost = [], 0
        for one in _singles(posted, error):
            try:
                found += self._events(one)
            except Exception:
                lost += 1
        if not found:
            raise UnreadableError(f"expected events of {self._provider}, got a body that cannot be read") from error
        return found, lost


def mail_event(provider: str, event: Any) -> MailEvent:
    """Return an event of anymail's as ours."""
    raw = event.esp_event
    return MailEvent(
        provider=provider,
        kind=str(event.event_type),
        hard=_is_hard(provider, raw),
        at_ms=round(event.timestamp.timestamp() * 1_000) if isinstance(event.timestamp, datetime) else None,
        event_id=_text(event.event_id),
        recipient=_text(event.recipient),
        decision=_decision(event.metadata, event.tags),
        provider_id=_text(event.message_id),
        reject_reason=_text(event.reject_reason),
    )


class _Request:
    """As much of Django's request as anymail's `parse_events` asks for."""

    encoding = None

    def __init__(self, posted: Posted) -> None:
        self.body = posted.body
        self.META = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in posted.headers.items()}
        self.headers = HttpHeaders(self.META)
        self.content_type = posted.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def POST(self) -> QueryDict:  # noqa: N802 - Django's name
        """The fields of a form."""
        return QueryDict(self.body)


def _singles(posted: Posted, error: Exception) -> Iterator[Posted]:
    """Yield a request for each event of a list; raise UnreadableError for a body that is none."""
    try:
        told = msgspec.json.decode(posted.body, type=list[msgspec.Raw])
    except (ValueError, RecursionError):
        raise UnreadableError("expected events, got a body that cannot be read") from error
    if len(told) > EVENTS_MAX:
        raise UnreadableError(f"expected at most {EVENTS_MAX} events at a time, got {len(told)}")
    for one in told:
        yield Posted(headers=posted.headers, body=b"[" + bytes(one) + b"]")


def _decision(metadata: Any, tags: Any) -> bytes | None:
    """Return the decision that travelled with the mail, None where none did."""
    told = metadata.get(DECISION) if isinstance(metadata, Mapping) else None
    candidates = [told, *(tags if isinstance(tags, list | tuple) else ())]
    found = (one for one in candidates if isinstance(one, str) and _HEX.fullmatch(one))
    return next((bytes.fromhex(one) for one in found), None)


def _text(value: object) -> str:
    text = "" if value is None else str(value)
    return "".join(character for character in text if character.isprintable())[:TEXT_CHARS]


def _is_hard(provider: str, raw: Any) -> bool:
    """Say whether a provider tells of a bounce that it will not pass; what it does not say is no hard one."""
    try:
        return bool(_HARD[provider](raw))
    except (AttributeError, KeyError, IndexError, TypeError):
        return False


def _is_hard_at_mailgun(raw: Any) -> bool:
    if "event-data" not in raw:  # from before 2018: a form
        return str(raw["event"]) == "bounced" and str(raw["code"]).startswith("5")
    told = raw["event-data"]
    return told["severity"] == "permanent" and told["reason"] in ("bounce", "suppress-bounce")


_HARD: dict[str, Callable[[Any], bool]] = {
    "brevo": lambda raw: raw["event"] in ("hard_bounce", "invalid_email"),
    "mailersend": lambda raw: raw["data"]["type"] == "hard_bounced",
    "mailgun": _is_hard_at_mailgun,
    "mailjet": lambda raw: raw["hard_bounce"] is True or str(raw["hard_bounce"]) == "1",
    "mailtrap": lambda raw: raw["event"] == "bounce",
    "mandrill": lambda raw: raw["event"] == "hard_bounce",
    "postal": lambda raw: bool(re.search(r"\b5\.1\.\d+\b", raw["payload"].get("output") or "")),
    "postmark": lambda raw: "HardBounce" in (raw.get("Type"), raw.get("SuppressionReason")),
    "resend": lambda raw: (
        raw["data"]["bounce"].get("type") == "Permanent" or "hard bounce" in raw["data"]["bounce"]["message"]
    ),
    "sendgrid": lambda raw: raw["event"] == "bounce" and raw.get("type", "bounce") == "bounce",
    "ses": lambda raw: raw["bounce"]["bounceType"] == "Permanent",
    "sparkpost": lambda raw: next(iter(raw["msys"].values()))["bounce_class"] in ("10", "30"),
    "unisender-go": lambda raw: raw["status"] == "hard_bounced",
}
"""What a provider says of a bounce that will not pass."""
