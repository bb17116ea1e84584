"""The address of a PostgreSQL database, as the setting `ledger` holds it; nothing is connected to here.

In: `postgresql://user@host[:port]/database[?option=value]`. Out: its parts. Promised: no message repeats what may be a
password; over a network that is not this machine's the server proves who it is, unless the address says that less is
enough.
"""

from __future__ import annotations

import re
from urllib.parse import SplitResult, unquote

import msgspec

from livepost.settings.address import AddressForm
from livepost.settings.smtp import is_loopback

SCHEME = "postgresql:"
FORM = "postgresql://user@host[:port]/database[?sslmode=verify-full]"
PORT = 5432
OPTIONS = ("sslmode", "sslrootcert", "schema", "socket", "exposed")
_ADDRESS = AddressForm(
    setting="ledger", of="a database", form=FORM, plain="postgresql://user@host/database", options=OPTIONS
)
_refuse = _ADDRESS.refuse
MODES = ("disable", "prefer", "require", "verify-ca", "verify-full")
"""libpq's `sslmode`, but for `allow`: from nothing to a certificate that is checked with the host's name."""

UNCHECKED = ("disable", "prefer")
SCHEMA = "livepost"

_SCHEMA = re.compile(r"[a-z_][a-z0-9_]{0,62}")


class PostgresAddress(msgspec.Struct, frozen=True, kw_only=True):
    """Where a database is. `host` may be the folder of a Unix socket; `sslrootcert` "" is the system's authorities."""

    host: str
    port: int
    user: str
    database: str
    sslmode: str
    sslrootcert: str = ""
    schema: str = SCHEMA

    @property
    def shown(self) -> str:
        """The address as people may read it.

        >>> read_postgres("postgresql://shop@db.example.com/mails", "docs").shown
        'postgresql://shop@db.example.com:5432/mails, schema livepost'
        """
        return f"postgresql://{self.user}@{self.host}:{self.port}/{self.database}, schema {self.schema}"


def read_postgres(value: str, where: str) -> PostgresAddress:
    """Return the parts of an address; raise SettingsError, saying `where` it was written, for what cannot be right."""
    parts = _split(value, where)
    options = _options(parts, where)
    host = options.get("socket") or str(parts.hostname or "")
    here = host.startswith("/") or is_loopback(host)
    mode = options.get("sslmode", "prefer" if here else "verify-full")
    if mode not in MODES:
        _refuse(where, f"has an sslmode that there is not; expected one of {', '.join(MODES)}")
    if mode in UNCHECKED and not here and options.get("exposed") != "yes":
        _refuse(
            where,
            f"would let the ledger go in clear over the network with sslmode={mode}; leave it out, or add exposed=yes "
            "if that network is yours",
        )
    schema = options.get("schema", SCHEMA)
    if not _SCHEMA.fullmatch(schema):
        _refuse(where, "names a schema that is no plain name: expected small letters, digits and _")
    return PostgresAddress(
        host=host,
        port=parts.port or PORT,
        user=unquote(parts.username or ""),
        database=unquote(parts.path[1:]),
        sslmode=mode,
        sslrootcert=options.get("sslrootcert", ""),
        schema=schema,
    )


def _split(value: str, where: str) -> SplitResult:
    parts = _ADDRESS.split(value, where)
    if not parts.username or not re.fullmatch(r"/[^/]+", parts.path):
        _refuse(where, f"is no address of a database: expected {FORM}")
    return parts


def _options(parts: SplitResult, where: str) -> dict[str, str]:
    options = _ADDRESS.options_of(parts, where)
    if bool(parts.hostname) == ("socket" in options):
        _refuse(
            where, f"names no host, or a host and a socket; expected {FORM}, or ?socket=FOLDER in place of the host"
        )
    if not options.get("socket", "/").startswith("/"):
        _refuse(where, "names a socket by a relative path; expected the folder that it lies in, as in socket=/run/pg")
    return options
