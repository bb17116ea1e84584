"""Parts that can be swapped by naming another, and which of them this version has: nothing pretends."""

from __future__ import annotations

import difflib
import re
from difflib import get_close_matches
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import msgspec

from livepost.errors import SettingsError
from livepost.settings.postgres import SCHEME
from livepost.settings.provider import PROVIDER_SCHEMES
from livepost.settings.smtp import SCHEMES


class Part(msgspec.Struct, frozen=True):
    """A setting that names a part: what is built, and what is known by name but not built yet.

    `addressed` are built parts that a whole address follows; another rule reads that.
    """

    key: str
    built: tuple[str, ...]
    planned: tuple[str, ...]
    addressed: tuple[str, ...] = ()


PARTS: tuple[Part, ...] = (
    Part("log", ("sqlite:",), ("kafka:", "kinesis:", "pubsub:")),
    Part("engine", ("embedded",), ("flink",)),
    Part("state", ("sqlite:", "rocksdb:"), ()),
    Part("people", ("state:",), ("redis:",)),
    Part("ledger", ("sqlite:",), (), (SCHEME,)),
    Part(
        "warehouse",
        ("duckdb:",),
        ("snowflake:", "bigquery:", "redshift:", "synapse:", "databricks:", "postgresql:"),
    ),
    Part("mail", ("keep:",), (), SCHEMES + PROVIDER_SCHEMES),
)
LOOPBACK = ("127.0.0.1", "::1", "localhost")


def check_part(part: Part, value: str, where: str) -> None:
    """Raise SettingsError unless `value` names a part that is built; `where` says where it was written."""
    if value in part.built or value.startswith(part.addressed):
        return
    use = f'use {part.key} = "{_nearest(part, value)}"'
    shown = f'{part.key} = "{masked(value)}" ({where})'
    if value.startswith(part.planned):
        raise SettingsError(f"{shown} is not yet built in this version; {use}")
    raise SettingsError(f"{shown} names no {part.key} that Livepost knows; {use}")


def _nearest(part: Part, value: str) -> str:
    """Return the built part whose name is most like that of `value`, else the default."""
    known = {name.rstrip(":"): name for name in (*part.built, *part.addressed)}
    near = difflib.get_close_matches(value.partition(":")[0], known, n=1)
    return known[near[0]] if near else part.built[0]


def check_host(host: str, where: str, *, tls: bool = False, behind_proxy: bool = False) -> None:
    """Raise SettingsError for an address others can reach where nothing encrypts what they send."""
    if host not in LOOPBACK and not tls and not behind_proxy:
        raise SettingsError(
            f'host = "{host}" ({where}) lets others in, and their passwords would be sent in clear; name tls_cert and '
            'tls_key, or say behind_proxy = true where a proxy speaks TLS, or use host = "127.0.0.1"'
        )


def check_tls(cert: str, key: str, where: str) -> None:
    """Raise SettingsError for a certificate without a key, or a key without a certificate."""
    if bool(cert) != bool(key):
        raise SettingsError(f"tls_cert and tls_key ({where}) go together; name both files, or neither")


def check_zone(zone: str, where: str) -> None:
    """Raise SettingsError for a zone that is none."""
    try:
        ZoneInfo(zone)
    except (ValueError, OSError, ZoneInfoNotFoundError):
        near = get_close_matches(zone, available_timezones(), 1)
        hint = f"did you mean {near[0]}?" if near else 'it is said like zone = "Europe/Berlin"'
        raise SettingsError(f'zone = "{zone}" ({where}) is no zone of the IANA database; {hint}') from None


def check_quiet(quiet: str, where: str) -> None:
    """Raise SettingsError for quiet hours that begin when they end."""
    start, _, end = quiet.partition("-")
    if quiet and start == end:
        raise SettingsError(f'quiet_hours = "{quiet}" ({where}) begin when they end; leave them out for none')


def check_lake(where: str) -> None:
    """Raise SettingsError if a lake was asked for: `where` is anything but `default`."""
    if where != "default":
        raise SettingsError(f"lake ({where}) is not yet built in this version; leave the setting out")


def check_rows(bound_mb: int, written: str, where: str) -> None:
    """Raise SettingsError for a bound on rows in memory where a sweep writes them: it needs all of them there."""
    if bound_mb and written == "sweep":
        raise SettingsError(
            f'rows_mb = {bound_mb} ({where}) needs each person\'s newest row on disk, and with state_rows = "sweep" '
            'it is not; use state_rows = "step", or leave rows_mb out'
        )


def masked(value: str) -> str:
    """Return a value fit to be shown: the password inside a URL becomes `***`.

    >>> masked("smtp://ada:secret@mail.example.com:587")
    'smtp://ada:***@mail.example.com:587'
    """
    return re.sub(r"(://[^/@:\s]*):.*@", r"\1:***@", value)
