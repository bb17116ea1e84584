"""Senders and paces, as tables `[[senders]]` and `[domain_pace]` of `livepost.toml` say them.

In: values as they were written. Out: structs and numbers. Promised: what cannot be right is refused at the start, in a
sentence; a password is only referred to.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, NoReturn

import msgspec
from msgspec import Meta

from livepost.clock import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from livepost.errors import SettingsError
from livepost.settings.provider import PROVIDER_SCHEMES, check_key, read_provider
from livepost.settings.secret import check_reference
from livepost.settings.smtp import SCHEMES, check_login, read_smtp

SENDERS_MAX = 16
DOMAINS_MAX = 100
ANY_DOMAIN = "*"

LONGEST_PACE_MS = DAY_MS
PACE_FORM = '"100 per 1s", "600 per 1m" or "5000 per 1h"'
WARM_UP_FORM = '"50 on 2026-12-01, x2 a day until 100000"'

_UNIT_MS = {"s": SECOND_MS, "m": MINUTE_MS, "h": HOUR_MS, "d": DAY_MS}
_PACE = re.compile(r"([1-9][0-9]{0,6}) per ([1-9][0-9]{0,4})([smhd])")
_WARM_UP = re.compile(
    r"([1-9][0-9]{0,6}) on (\d{4}-\d\d-\d\d), x([1-9](?:\.[0-9]{1,2})?) a day until ([1-9][0-9]{0,8})", re.ASCII
)
_DOMAIN = re.compile(r"\*|[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?")


class SenderTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A sender: its name in the ledger, where mails go, and perhaps how fast, and how it is warmed up."""

    name: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_-]{0,39}\Z")]
    mail: str
    mail_password: str = ""
    pace: str = ""
    warm_up: str = ""

    def __str__(self) -> str:
        """Return what people may see."""
        return self.name


def read_pace(told: str, where: str) -> tuple[int, int]:
    """Return (mails, within so many ms); raise SettingsError for what is no pace.

    >>> read_pace("100 per 1s", "livepost.toml:3")
    (100, 1000)
    """
    found = _PACE.fullmatch(told)
    per_ms = int(found[2]) * _UNIT_MS[found[3]] if found else 0
    if not found or per_ms > LONGEST_PACE_MS:
        raise SettingsError(f'expected a pace like {PACE_FORM}, of at most a day, got "{told}" ({where})')
    return int(found[1]), per_ms


def read_warm_up(told: str, where: str) -> tuple[date, int, float, int]:
    """Return (first day, its mails, how many times as many each day, until so many a day); raise SettingsError else.

    >>> read_warm_up("50 on 2026-12-01, x1.5 a day until 1000", "livepost.toml:3")
    (datetime.date(2026, 12, 1), 50, 1.5, 1000)
    """
    found = _WARM_UP.fullmatch(told)
    if not found:
        raise SettingsError(f'expected a warm_up like {WARM_UP_FORM}, got "{told}" ({where})')
    first, factor, until = int(found[1]), float(found[3]), int(found[4])
    try:
        begins = date.fromisoformat(found[2])
    except ValueError:
        raise SettingsError(f"warm_up ({where}) begins on {found[2]}, which is no day; mend the date") from None
    if factor <= 1 or until < first:
        raise SettingsError(f'warm_up ({where}) has to grow: x1.01 or more, until more than on its first day: "{told}"')
    return begins, first, factor, until


def check_senders(senders: Sequence[SenderTable], mail_written: bool, where: str) -> None:
    """Raise SettingsError for a name that is there twice, an address of no use, or `mail` beside the senders."""
    names = [one.name for one in senders]
    if senders and mail_written:
        raise SettingsError(f"senders ({where}) and mail are both said; leave mail out, or make it one of the senders")
    for one in senders:
        here = f"{where}, {one.name}"
        if names.count(one.name) > 1:
            raise SettingsError(f"senders ({where}) has {one.name} twice; mails are known by the name: choose another")
        _check_address(one, here)
        if one.pace:
            read_pace(one.pace, here)
        if one.warm_up:
            read_warm_up(one.warm_up, here)


def check_domain_pace(paces: Mapping[str, str], where: str) -> None:
    """Raise SettingsError for what is no domain, or no pace."""
    for domain, pace in paces.items():
        if not _DOMAIN.fullmatch(domain):
            raise SettingsError(
                f'domain_pace ({where}) names {domain!r}, expected a domain in small letters or "*" for each other one'
            )
        read_pace(pace, f"{where}, {domain}")


def _check_address(one: SenderTable, where: str) -> None:
    if one.mail_password:
        check_reference("mail_password", one.mail_password, where)
    if one.mail.startswith(SCHEMES):
        check_login(read_smtp(one.mail, where).user, one.mail_password, where)
    elif one.mail.startswith(PROVIDER_SCHEMES):
        check_key(read_provider(one.mail, where), one.mail_password, where)
    else:
        _refuse(one, where)


def _refuse(one: SenderTable, where: str) -> NoReturn:
    form = one.mail.partition(":")[0]
    raise SettingsError(
        f"mail ({where}) begins with {form}:, expected smtp:, smtps: or a provider "
        f"({', '.join(scheme.removesuffix(':') for scheme in PROVIDER_SCHEMES)}) in a table of senders"
    )
