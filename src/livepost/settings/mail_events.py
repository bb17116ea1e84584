"""Who tells us what became of mails, as a table `[[mail_events]]` of `livepost.toml` says it.

In: values as they were written. Out: a struct. Promised: a provider without a way to prove itself is refused at the
start; no secret is shown.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from livepost.errors import SettingsError
from livepost.settings.provider import FORMS
from livepost.settings.secret import check_reference

SILENT = frozenset(("scaleway",))
"""Providers that we send through and whose events nothing here can read."""

TELLERS: tuple[str, ...] = tuple(form.name for form in FORMS if form.name not in SILENT)
"""Providers whose events are taken at `/hooks/esp/{provider}`."""

BY_TOPIC = "ses"
"""Its events come by SNS, whose signature anybody's topic has: what counts is whose topic it is."""

BY_URL = "mandrill"
"""It signs the address it posts to, as it was told to it."""

_TOPIC = re.compile(r"arn:aws(?:-cn|-us-gov)?:sns:[a-z0-9-]{1,32}:[0-9]{12}:[A-Za-z0-9_-]{1,256}")


class MailEvents(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A provider's events: `secret` is a reference, `topics` are ARNs, `url` the address that was told to Mandrill."""

    provider: str
    secret: str = ""
    topics: Annotated[tuple[str, ...], Meta(max_length=16)] = ()
    url: Annotated[str, Meta(max_length=2_048)] = ""

    def __str__(self) -> str:
        """Return what people may see."""
        return self.provider


def check_mail_events(tables: Sequence[MailEvents], where: str) -> None:
    """Raise SettingsError for a provider that is not known or there twice, or could not prove itself."""
    names = [one.provider for one in tables]
    for one in tables:
        if one.provider not in TELLERS:
            _refuse(where, f"names {one.provider}, whose events Livepost does not know; it knows {', '.join(TELLERS)}")
        if names.count(one.provider) > 1:
            _refuse(where, f"has {one.provider} twice; say it once")
        _check_proof(one, where)


def _check_proof(one: MailEvents, where: str) -> None:
    if one.provider == BY_TOPIC:
        if not one.topics or not all(_TOPIC.fullmatch(topic) for topic in one.topics):
            _refuse(where, 'of ses must name its topics: topics = ["arn:aws:sns:REGION:ACCOUNT:NAME"]')
        if one.secret:
            _refuse(where, "of ses has a secret, but SNS signs with certificates; leave it out")
        return
    if one.topics:
        _refuse(where, f"of {one.provider} has topics, which only ses has; leave them out")
    if (one.provider == BY_URL) != bool(one.url):
        _refuse(where, "must say url, the address that was told to the provider, for mandrill and for it only")
    check_reference(f"secret of the mail_events of {one.provider}", one.secret, where)


def _refuse(where: str, what: str) -> None:
    raise SettingsError(f"mail_events ({where}) {what}")
