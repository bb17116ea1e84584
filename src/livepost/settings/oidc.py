"""At whose server users of the console may sign in, by OpenID Connect: the table `[oidc]` of `livepost.toml`.

In: values as they were written. Out: a struct. Promised: the provider is asked over TLS, on this machine at most in
clear; no secret is shown.
"""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from livepost.errors import SettingsError
from livepost.settings.secret import check_reference
from livepost.settings.smtp import is_loopback

Url = Annotated[str, Meta(pattern=r"^(https?://[^\s/?#@]+(/[^\s?#]*)?)?\Z", max_length=500)]


class Oidc(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Sign-in by OpenID Connect: off while `issuer` is empty.

    issuer         the provider, exactly as it names itself; below it is `/.well-known/openid-configuration`
    client_id      by what the provider knows this console
    client_secret  `env:NAME` or `file:PATH`; empty for a client without one
    name           what the button of the login page calls the provider
    console        where browsers reach the console, for the way back; empty: where links to it lead
    cafile         authorities (PEM) that the provider's certificate is checked by; empty: the system's
    on_loopback    the provider is on this machine and may be asked without TLS: for tests
    """

    issuer: Url = ""
    client_id: Annotated[str, Meta(max_length=200)] = ""
    client_secret: str = ""
    name: Annotated[str, Meta(min_length=1, max_length=60)] = "your company's account"
    console: Url = ""
    cafile: Annotated[str, Meta(max_length=1_000)] = ""
    on_loopback: bool = False

    def __str__(self) -> str:
        """Return what people may see."""
        return self.issuer


def check_oidc(table: Oidc, where: str) -> None:
    """Raise SettingsError for a provider that could not be asked, or not safely."""
    if not table.issuer:
        if table != Oidc():
            raise SettingsError(f"oidc ({where}) has no issuer, so nothing of it is used; say it, or leave all out")
        return
    if not table.client_id:
        raise SettingsError(f"oidc ({where}) must say by what client_id {table.issuer} knows this console")
    if table.client_secret:
        check_reference("client_secret of oidc", table.client_secret, where)
    if not is_safe(table.issuer, on_loopback=table.on_loopback):
        raise SettingsError(
            f"oidc ({where}) has an issuer without TLS; write https://, or on_loopback = true for one on this machine"
        )
    if table.console and not is_safe(table.console, on_loopback=True):
        raise SettingsError(f"oidc ({where}) has a console without TLS; write https://, which browsers reach it by")


def is_safe(url: str, *, on_loopback: bool) -> bool:
    """Return whether a URL is asked over TLS, or on this machine where that may be without.

    >>> is_safe("https://id.example.com/", on_loopback=False), is_safe("http://127.0.0.1:9000", on_loopback=True)
    (True, True)
    >>> is_safe("http://127.0.0.1:9000", on_loopback=False), is_safe("http://id.example.com", on_loopback=True)
    (False, False)
    """
    parts = urlsplit(url)
    return parts.scheme == "https" or (on_loopback and parts.scheme == "http" and is_loopback(parts.hostname or ""))
