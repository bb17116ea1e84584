"""Mail providers (ESPs) as the setting `mail` names them; nothing is connected to here.

In: `NAME:` or `NAME:?option=value&option=value`. Out: its parts. Promised: no message repeats what may be a key; keys
and mails go in clear to this machine only.
"""

from __future__ import annotations

import difflib
import re
from typing import NoReturn
from urllib.parse import parse_qsl, urlsplit

import msgspec

from livepost.errors import SettingsError
from livepost.settings.smtp import CONNECTIONS, MAX_CONNECTIONS, is_loopback

EVERYWHERE = ("url", "connections")
"""Options that every provider's address may have: another base address of its API, and connections at a time."""


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider's address may and must say.

    `regions` are those it has, none for any. `keyless`: the machine itself may have the right to send.
    """

    name: str
    options: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    keyless: bool = False

    @property
    def scheme(self) -> str:
        """How the address begins."""
        return f"{self.name}:"

    @property
    def allowed(self) -> tuple[str, ...]:
        """All its options."""
        return (*self.options, *EVERYWHERE)


FORMS: tuple[Form, ...] = (
    Form(name="brevo"),
    Form(name="mailersend"),
    Form(name="mailgun", options=("domain", "region"), regions=("us", "eu")),
    Form(name="mailjet", options=("user",), required=("user",)),
    Form(name="mailtrap", options=("sandbox",)),
    Form(name="mandrill"),
    Form(name="postal", required=("url",)),
    Form(name="postmark", options=("stream",)),
    Form(name="resend"),
    Form(name="scaleway", options=("project", "region"), required=("project",)),
    Form(name="sendgrid", options=("region",), regions=("global", "eu")),
    Form(name="ses", options=("region", "user", "set"), required=("region",), keyless=True),
    Form(name="sparkpost", options=("region", "subaccount"), regions=("us", "eu")),
    Form(name="unisender-go", required=("url",)),
)
PROVIDER_SCHEMES = tuple(form.scheme for form in FORMS)

_VALUE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


class ProviderAddress(msgspec.Struct, frozen=True, kw_only=True):
    """Which provider mails go to, and how; `url` is "" for the provider's own, `options` are the rest."""

    name: str
    url: str = ""
    connections: int = CONNECTIONS
    options: dict[str, str] = {}


def read_provider(value: str, where: str) -> ProviderAddress:
    """Return the parts of an address; raise SettingsError, saying `where` it was written, for what cannot be right."""
    form = next(form for form in FORMS if value.startswith(form.scheme))
    rest, _, query = value.removeprefix(form.scheme).partition("?")
    if rest:
        _refuse(
            where,
            f'must not hold a key or an address behind {form.scheme}; write mail = "{form.scheme}" and mail_password = '
            '"env:NAME" or "file:PATH", and change the key if it was ever saved in clear',
        )
    options = _options(query, form, where)
    return ProviderAddress(
        name=form.name,
        url=_url(options.pop("url", ""), where),
        connections=_connections(options.pop("connections", str(CONNECTIONS)), where),
        options=options,
    )


def check_key(address: ProviderAddress, password: str, where: str) -> None:
    """Raise SettingsError unless there is a reference to the provider's key, where one is needed."""
    form = next(form for form in FORMS if form.name == address.name)
    if form.keyless and bool(password) != ("user" in address.options):
        _refuse(
            where,
            "needs user=ACCESS_KEY_ID and mail_password (the secret access key) together, or neither, for a machine "
            "that has the right to send",
        )
    if not password and not form.keyless:
        _refuse(
            where,
            f'names {form.name}, but there is no key; say mail_password = "env:NAME" or "file:PATH"',
        )


def _options(query: str, form: Form, where: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=True) if query else []
    except ValueError:
        _refuse(where, "has an option without a value; options are written ?name=value&name=value")
    for name, _ in pairs:
        if name not in form.allowed:
            near = difflib.get_close_matches(name, form.allowed, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]}?" if near else f"the options are {', '.join(form.allowed)}"
            _refuse(where, f"has an option that {form.name} does not have; {hint}")
    options = dict(pairs)
    if len(options) < len(pairs):
        _refuse(where, "names an option twice; say each once")
    for name in form.required:
        if name not in options:
            _refuse(where, f"must say {name}: {form.scheme}?{name}=...")
    for name, told in options.items():
        _check_value(name, told, form, where)
    return options


def _check_value(name: str, value: str, form: Form, where: str) -> None:
    if name not in EVERYWHERE and not _VALUE.fullmatch(value):
        _refuse(where, f"has an option {name} that is no plain word of letters, digits, dots, dashes")
    if name == "region" and form.regions and value not in form.regions:
        _refuse(where, f"has an option region that {form.name} does not have; it is one of {', '.join(form.regions)}")


def _url(told: str, where: str) -> str:
    if not told:
        return ""
    try:
        parts = urlsplit(told)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        _refuse(where, "has an option url that is no address; write url=https://host/path")
    plain = told.isascii() and told.isprintable() and " " not in told and "@" not in told
    if not plain or not host or parts.scheme not in ("https", "http") or parts.query or parts.fragment:
        _refuse(where, "has an option url that is no address without a login and a query; write url=https://host/path")
    if parts.scheme == "http" and not is_loopback(host):
        _refuse(where, f"would send mails and the key in clear over the network to {host}; write url=https://...")
    return told


def _connections(told: str, where: str) -> int:
    if not re.fullmatch("[0-9]{1,3}", told) or not 1 <= int(told) <= MAX_CONNECTIONS:
        _refuse(where, f"has an option connections that is not a number of 1 to {MAX_CONNECTIONS}")
    return int(told)


def _refuse(where: str, what: str) -> NoReturn:
    raise SettingsError(f"mail ({where}) {what}")
