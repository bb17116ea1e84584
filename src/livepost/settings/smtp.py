"""The address of an SMTP server, as the setting `mail` holds it; nothing is connected to here.

In: `smtp://[user@]host[:port][?tls=starttls|none]` or `smtps://[user@]host[:port]`. Out: its parts. Promised: no
message repeats what may be a password; mails and passwords go in clear to this machine only, unless the address says
that more is meant.
"""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import Literal, TypeAlias
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlencode, urlsplit

import msgspec

from livepost.settings.address import AddressForm

Tls: TypeAlias = Literal["implicit", "starttls", "none"]

SCHEMES = ("smtp:", "smtps:")
FORM = "smtp://[user@]host[:port][?tls=starttls|none] or smtps://[user@]host[:port]"
OPTIONS = ("tls", "cafile", "ehlo", "connections", "exposed")
_ADDRESS = AddressForm(setting="mail", of="a server", form=FORM, plain="smtp://user@host", options=OPTIONS)
_refuse = _ADDRESS.refuse
PORTS: dict[str, int] = {"smtp": 587, "smtps": 465}
"""Ports of submission (RFC 6409, RFC 8314) where the address names none."""

CONNECTIONS = 8
MAX_CONNECTIONS = 20
"""Connections at a time: more would stand idle, since so many mails are in flight at most."""

_HOST = re.compile(r"(?=.{1,253}\Z)[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")
_EHLO = re.compile(r"[A-Za-z0-9.-]{1,253}|\[[0-9A-Za-z.:]{2,64}\]")


class SmtpAddress(msgspec.Struct, frozen=True, kw_only=True):
    """Where mails go. `user` is "" for no login, `cafile` "" for the system's authorities, `ehlo` "" for a default."""

    host: str
    port: int
    user: str = ""
    tls: Tls = "starttls"
    cafile: str = ""
    ehlo: str = ""
    connections: int = CONNECTIONS


def read_smtp(value: str, where: str) -> SmtpAddress:
    """Return the parts of an address; raise SettingsError, saying `where` it was written, for what cannot be right."""
    parts = _split(value, where)
    options = _options(parts, where)
    tls = _tls(parts.scheme, options, where)
    host = str(parts.hostname)
    if tls == "none" and not is_loopback(host) and options.get("exposed") != "yes":
        _refuse(
            where,
            f"would send mails in clear over the network to {host}; leave tls=none out, or add exposed=yes if that "
            "network is yours",
        )
    if tls == "none" and "cafile" in options:
        _refuse(where, "names a cafile, but with tls=none no certificate is checked; leave one of them out")
    return SmtpAddress(
        host=host,
        port=parts.port or PORTS[parts.scheme],
        user=unquote(parts.username or ""),
        tls=tls,
        cafile=options.get("cafile", ""),
        ehlo=_ehlo(options, where),
        connections=_connections(options, where),
    )


def check_login(user: str, password: str, where: str) -> None:
    """Raise SettingsError unless user and password (a reference) are both there or both not."""
    if user and not password:
        _refuse(where, 'names a user, but there is no mail_password; say mail_password = "env:NAME" or "file:PATH"')
    if password and not user:
        _refuse(where, "names no user for the mail_password; write smtp://user@host, or leave mail_password out")


def with_path_in(folder: Path, value: str, option: str) -> str:
    """Return a valid address in which the path of an option is absolute: paths are relative to the project folder.

    >>> with_path_in(Path("/shop"), "smtps://mail.example.com?cafile=ca.pem", "cafile")
    'smtps://mail.example.com?cafile=/shop/ca.pem'
    """
    parts = urlsplit(value)
    options = dict(parse_qsl(parts.query))
    if option not in options:
        return value
    options[option] = str(folder / options[option])
    return parts._replace(query=urlencode(options, safe="/:[]", quote_via=quote)).geturl()


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine, as far as its name says.

    >>> is_loopback("127.0.0.1"), is_loopback("mail.example.com")
    (True, False)
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _split(value: str, where: str) -> SplitResult:
    parts = _ADDRESS.split(value, where)
    if not _is_host(parts.hostname or "") or parts.path not in ("", "/"):
        _refuse(where, f"is no address of a server: expected {FORM}")
    if not unquote(parts.username or "").isprintable():
        _refuse(where, "names a user with control characters; remove them")
    return parts


def _is_host(host: str) -> bool:
    try:
        return bool(ipaddress.ip_address(host))
    except ValueError:
        return _HOST.fullmatch(host) is not None


def _options(parts: SplitResult, where: str) -> dict[str, str]:
    options = _ADDRESS.options_of(parts, where)
    if options.get("exposed", "yes") != "yes":
        _refuse(where, "has an option exposed that is not yes; leave it out if the way to the server is not safe")
    return options


def _tls(scheme: str, options: dict[str, str], where: str) -> Tls:
    told = options.get("tls")
    if scheme == "smtps":
        if told is not None:
            _refuse(where, "has TLS from the first byte on by smtps://; leave tls out, or write smtp://")
        return "implicit"
    if told in (None, "starttls"):
        return "starttls"
    if told == "none":
        return "none"
    _refuse(where, "has an option tls that is neither starttls nor none; for TLS from the first byte write smtps://")


def _ehlo(options: dict[str, str], where: str) -> str:
    told = options.get("ehlo", "")
    if told and not _EHLO.fullmatch(told):
        _refuse(where, "has an option ehlo that is no host name; write ehlo=shop.example or ehlo=[192.0.2.1]")
    return told


def _connections(options: dict[str, str], where: str) -> int:
    told = options.get("connections", str(CONNECTIONS))
    if not re.fullmatch("[0-9]{1,3}", told) or not 1 <= int(told) <= MAX_CONNECTIONS:
        _refuse(where, f"has an option connections that is not a number of 1 to {MAX_CONNECTIONS}")
    return int(told)
