"""How rights requests of other systems are taken by the OpenDSR framework: the table `[opendsr]` of `livepost.toml`.

In: values as they were written. Out: a struct. Promised: what is on is on as a whole: a domain without its certificate
and key is refused at the start; no secret is shown.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from livepost.errors import SettingsError
from livepost.settings.secret import FILE, check_reference

CALLBACKS_MAX = 100


class OpenDsr(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """OpenDSR: off while `domain` is empty.

    domain       the domain that the certificate is of
    controller   by what the controller is known here
    certificate  a PEM file with the certificate and what it was issued by
    key          its private key (RSA, PEM): `file:PATH`
    callbacks    hosts that may be told how a request stands
    wait         how long a request may be cancelled before it is acted on
    """

    domain: Annotated[str, Meta(pattern=r"^([a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})*)?\Z", max_length=253)] = ""
    controller: Annotated[str, Meta(max_length=200)] = ""
    certificate: str = ""
    key: str = ""
    callbacks: Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=253)], ...], Meta(max_length=100)] = ()
    wait: Annotated[str, Meta(pattern=r"^[0-9]{1,6}[smhd]\Z")] = "1h"

    def __str__(self) -> str:
        """Return what people may see."""
        return self.domain


def check_opendsr(table: OpenDsr, where: str) -> None:
    """Raise SettingsError for a domain that could not sign."""
    if not table.domain:
        if table != OpenDsr():
            raise SettingsError(f"opendsr ({where}) has no domain, so nothing of it is used; say it, or leave all out")
        return
    if not table.certificate or not table.key:
        raise SettingsError(f"opendsr ({where}) must name the certificate and the key of {table.domain}")
    check_reference("key of opendsr", table.key, where)
    if not table.key.startswith(FILE):
        raise SettingsError(f"key of opendsr ({where}) has several lines: write file:PATH")
