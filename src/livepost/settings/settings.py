"""Every setting with its type, its default and its description; nothing is read here.

The key in `livepost.toml` is the attribute's name, except `from`, which Python reserves: its attribute is
`sender`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, TypeAlias, get_type_hints

import msgspec
from msgspec import Meta

from livepost.clock import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from livepost.settings.audience import AUDIENCES_MAX, Audience
from livepost.settings.mail_events import MailEvents
from livepost.settings.oidc import Oidc
from livepost.settings.opendsr import OpenDsr
from livepost.settings.sender import DOMAINS_MAX, SENDERS_MAX, SenderTable
from livepost.settings.webhook import TARGETS_MAX, Webhook

KEEP = "keep:"
"""The `mail` that writes mails to disk."""

UNIT_MS = {"s": SECOND_MS, "m": MINUTE_MS, "h": HOUR_MS, "d": DAY_MS}

StateRows: TypeAlias = Literal["step", "sweep"]

Undeclared: TypeAlias = Literal["allow", "quarantine", "block"]


class Settings(msgspec.Struct, frozen=True, kw_only=True, rename={"sender": "from"}):
    """How one workspace is run. Made by `load`, which refuses what does not fit and makes paths absolute."""

    workspace: Annotated[
        str,
        Meta(
            pattern=r"^[a-z][a-z0-9_-]{0,62}\Z",
            description="Name of the workspace; part of all ids and seals: never change it once events are in.",
        ),
    ] = "shop"
    data: Annotated[str, Meta(min_length=1, description="Folder that holds all stores of the workspace.")] = "./data"
    log: Annotated[str, Meta(description="Where accepted events are kept.")] = "sqlite:"
    engine: Annotated[str, Meta(description="What evaluates features, segments and journeys.")] = "embedded"
    state: Annotated[
        str, Meta(description="Where the engine keeps people: `rocksdb:` needs the extra `livepost[rocksdb]`.")
    ] = "sqlite:"
    state_rows: Annotated[
        StateRows,
        Meta(
            description="When rows of people are written: in the commit of each `step`, or in a `sweep` behind the "
            "commits; a start then does the last steps again."
        ),
    ] = "step"
    redo_ms: Annotated[
        int,
        Meta(ge=10, le=600_000, description="With `sweep`: work (ms, about) that a start may have to do again."),
    ] = 3_000
    rows_mb: Annotated[
        int,
        Meta(
            ge=0, le=1_000_000, description="With `step`: MB of rows of people that the engine has in memory; 0: all."
        ),
    ] = 0
    people: Annotated[str, Meta(description="Where profiles are read from.")] = "state:"
    ledger: Annotated[
        str,
        Meta(
            description="Where decisions, deliveries and consent proofs are kept; `postgresql://user@host/database` "
            "needs the extra `livepost[postgres]`."
        ),
    ] = "sqlite:"
    ledger_password: Annotated[
        str, Meta(description="Password of the user in `ledger`: `env:NAME` or `file:PATH`.")
    ] = ""
    lake: Annotated[str, Meta(description="Tables of the whole log. Reserved: not built in this version.")] = (
        "./data/lake"
    )
    warehouse: Annotated[str, Meta(description="Marts. Reserved: not built in this version.")] = "duckdb:"
    mail: Annotated[
        str,
        Meta(
            description="How mails leave: `keep:` writes them, sealed, to disk; `smtp://user@host` gives them to a "
            "server, `sendgrid:` and others to a provider (the extra `livepost[esp]`)."
        ),
    ] = "keep:"
    mail_password: Annotated[
        str,
        Meta(description="Password of the user, or key of the provider, in `mail`: `env:NAME` or `file:PATH`."),
    ] = ""
    senders: Annotated[
        list[SenderTable],
        Meta(
            max_length=SENDERS_MAX,
            description="Several ways for mails to leave, the preferred first, in place of `mail`: tables "
            "`[[senders]]` with `name`, `mail`, and perhaps `mail_password`, `pace` and `warm_up`.",
        ),
    ] = []
    domain_pace: Annotated[
        dict[str, str],
        Meta(
            max_length=DOMAINS_MAX,
            description="How fast mails go to a domain: a table `[domain_pace]` of domains with paces like "
            '`"20 per 1s"`; `"*"` is for each other domain.',
        ),
    ] = {}
    kek: Annotated[
        str,
        Meta(
            description="Key-encryption key of the vault, by reference: `file:PATH` or `env:NAME` (base64), "
            "`aws-kms:KEY` (the extra `livepost[kms]`) or `transit:KEY` (HashiCorp Vault)."
        ),
    ] = "file:./data/keys/kek"
    audit_heads: Annotated[
        str,
        Meta(
            max_length=1_000,
            description="File to which signed heads of the audit are added, best on a disk that nobody changes from "
            "here; empty: `audit.heads` in the data folder.",
        ),
    ] = ""
    sender: Annotated[
        str,
        Meta(
            pattern=r"^[^@\s<>]+@[^@\s<>]+\Z",
            max_length=254,
            description="Address that mails come from.",
        ),
    ] = "shop@example.com"
    shop_name: Annotated[str, Meta(min_length=1, max_length=200, description="Name of the shop, as mails say it.")] = (
        "Our shop"
    )
    shop_address: Annotated[
        str, Meta(max_length=500, description="Postal address, which a marketing mail must carry.")
    ] = ""
    public_url: Annotated[
        str,
        Meta(
            pattern=r"^(https?://[^\s/]+(/[^\s]*)?)?\Z",
            description="Where links in mails lead; empty: http://localhost:PORT.",
        ),
    ] = ""
    host: Annotated[
        str,
        Meta(
            description="Address the front listens on; another than loopback needs `tls_cert` or `behind_proxy`, and a "
            "user who has a password."
        ),
    ] = "127.0.0.1"
    tls_cert: Annotated[
        str,
        Meta(max_length=1_000, description="File of the certificate chain (PEM) that the front serves; empty: no TLS."),
    ] = ""
    tls_key: Annotated[str, Meta(max_length=1_000, description="File of its key (PEM, without a passphrase).")] = ""
    behind_proxy: Annotated[
        bool,
        Meta(
            description="Nobody but a proxy that speaks TLS reaches the front: its `X-Forwarded-For` and "
            "`X-Forwarded-Proto` are believed."
        ),
    ] = False
    port: Annotated[int, Meta(ge=0, le=65_535, description="Port of the front; 0: any free one.")] = 8300
    recorders: Annotated[
        int,
        Meta(ge=0, le=64, description="Processes that read large batches beside the front: as many as cores to spare."),
    ] = 0
    currency: Annotated[
        str, Meta(pattern=r"^[A-Z]{3}\Z", description="ISO 4217 code of money that comes without one.")
    ] = "USD"
    undeclared: Annotated[
        Undeclared, Meta(description="What happens to events that the tracking plan does not declare.")
    ] = "allow"
    opens: Annotated[
        str,
        Meta(
            max_length=100,
            description="Purpose for which people have to have given consent for their opening of mails to be seen; "
            "empty: it never is.",
        ),
    ] = "open_tracking"
    attribution: Annotated[
        str,
        Meta(
            pattern=r"^[1-9][0-9]{0,5}[smhd]\Z",
            description="How long after a click on a mail an order is put down to it: a number and s, m, h or d.",
        ),
    ] = "7d"
    fresh: Annotated[
        str,
        Meta(
            pattern=r"^[1-9][0-9]{0,5}[smhd]\Z",
            description="How old a trigger, or how late a step, may be: a number and s, m, h or d.",
        ),
    ] = "1h"
    zone: Annotated[
        str, Meta(description="IANA zone of people of whom none is known, for quiet hours and times of day.")
    ] = "UTC"
    quiet_hours: Annotated[
        str,
        Meta(
            pattern=r"^((?:[01][0-9]|2[0-3]):[0-5][0-9]-(?:[01][0-9]|2[0-3]):[0-5][0-9])?\Z",
            description="Hours without marketing where the person is, like `21:00-08:00`; empty: none.",
        ),
    ] = ""
    caps: Annotated[
        str,
        Meta(
            pattern=r"^([1-9][0-9]{0,3} per [1-9][0-9]{0,5}[smhd](, [1-9][0-9]{0,3} per [1-9][0-9]{0,5}[smhd])*)?\Z",
            description="Mails that a person gets at most of all marketing together, like `1 per 1d, 4 per 7d`; empty: "
            "no cap.",
        ),
    ] = ""
    approve_above: Annotated[
        int,
        Meta(ge=0, description="Broadcasts to more people than this wait for an approval; 0: none does."),
    ] = 10_000
    topics: Annotated[
        dict[
            Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_-]{0,39}\Z")],
            Annotated[str, Meta(min_length=1, max_length=200)],
        ],
        Meta(
            max_length=40,
            description="What people can switch off by itself: a table `[topics]` of names, as `topic=` says them, "
            "with the words that people read.",
        ),
    ] = {}
    frequencies: Annotated[
        str,
        Meta(
            pattern=r"^([1-9][0-9]{0,2} per [1-9][0-9]{0,2}d(, [1-9][0-9]{0,2} per [1-9][0-9]{0,2}d){0,9})?\Z",
            description="How often at most people may choose to get marketing; empty: no such choice.",
        ),
    ] = "1 per 1d, 1 per 7d, 1 per 30d"
    languages: Annotated[
        list[Annotated[str, Meta(pattern=r"^[a-z]{2,3}\Z")]],
        Meta(
            min_length=1,
            max_length=50,
            description="Languages of the pages behind links in mails: the browser's, else the first.",
        ),
    ] = msgspec.field(default_factory=lambda: ["en", "de", "fr", "ar"])
    page_color: Annotated[
        str, Meta(pattern=r"^#[0-9a-fA-F]{6}\Z", description="Colour of buttons on the pages behind links in mails.")
    ] = "#0b6e5b"
    retention_days: Annotated[
        int, Meta(ge=31, le=3_650, description="Days an event stays in the log; late ones are taken for 30.")
    ] = 90
    mail_days: Annotated[
        int,
        Meta(
            ge=31,
            le=3_650,
            description="Days that is kept where a mail went, what servers and providers said of it, and with `keep:` "
            "the mail; no longer than policy.toml keeps `Identified.email`.",
        ),
    ] = 365
    off_peak_hour: Annotated[
        int, Meta(ge=0, le=23, description="Hour of the day (UTC) at which retention runs: one with few visitors.")
    ] = 3
    webhooks: Annotated[
        list[Webhook],
        Meta(
            max_length=TARGETS_MAX,
            description="Who is told what happens: tables `[[webhooks]]` with `name`, `url`, `secret` (by reference), "
            "and perhaps `events` and `tries`.",
        ),
    ] = []
    mail_events: Annotated[
        list[MailEvents],
        Meta(
            max_length=16,
            description="Whose events of mails are taken at `/hooks/esp/{provider}`: tables `[[mail_events]]` with "
            "`provider` and `secret` (by reference), or `topics` for `ses`.",
        ),
    ] = []
    bounces: Annotated[
        str,
        Meta(
            pattern=r"^([^@\s<>+]{1,12}@[^@\s<>]+)?\Z",
            max_length=254,
            description="Address that mails through an SMTP server bounce to, like `bounces@shop.example`; each mail "
            "has its own behind a `+`. Empty: `from`.",
        ),
    ] = ""
    audiences: Annotated[
        list[Audience],
        Meta(
            max_length=AUDIENCES_MAX,
            description="Which segments and features are kept in step with whom: tables `[[audiences]]` with `name`, "
            "`vendor`, `key` (by reference), `segments`, and perhaps `features` and others.",
        ),
    ] = []
    opendsr: Annotated[
        OpenDsr,
        Meta(
            description="Rights requests of other systems by OpenDSR: a table `[opendsr]` with `domain`, `certificate` "
            "(a PEM file), `key` (`file:PATH`), and perhaps `controller`, `callbacks` (hosts) and `wait`."
        ),
    ] = OpenDsr()
    oidc: Annotated[
        Oidc,
        Meta(
            description="Sign-in at your company's provider by OpenID Connect: a table `[oidc]` with `issuer`, "
            "`client_id`, `client_secret` (by reference), and perhaps `name`, `console`, `cafile` and `on_loopback`."
        ),
    ] = Oidc()
    allow_outgoing: Annotated[
        list[str],
        Meta(
            max_length=100,
            description="Hosts with their port (`127.0.0.1:9000`) that may be asked though they are private, without "
            "TLS, or at another port than 443.",
        ),
    ] = []

    @property
    def data_folder(self) -> Path:
        """The data folder as a path."""
        return Path(self.data)

    @property
    def fresh_ms(self) -> int:
        """`fresh` in milliseconds."""
        return length_ms(self.fresh)

    @property
    def attribution_ms(self) -> int:
        """`attribution` in milliseconds."""
        return length_ms(self.attribution)

    @property
    def caps_ms(self) -> tuple[tuple[int, int], ...]:
        """`caps` as (times, per so many ms)."""
        told = (cap.split(" per ") for cap in self.caps.split(", ") if cap)
        return tuple((int(times), length_ms(per)) for times, per in told)

    @property
    def keeps_mails(self) -> bool:
        """Whether mails are written to disk instead of sent."""
        return not self.senders and self.mail == KEEP

    @property
    def base_url(self) -> str:
        """What links in mails begin with, without a slash at the end."""
        return self.public_url.rstrip("/") or f"http://localhost:{self.port}"


def length_ms(told: str) -> int:
    """Return a length of time in milliseconds.

    >>> length_ms("90m")
    5400000
    """
    return int(told[:-1]) * UNIT_MS[told[-1]]


def keys() -> tuple[str, ...]:
    """Return the names of all settings as `livepost.toml` writes them, in the class's order."""
    return Settings.__struct_encode_fields__


def describe(key: str) -> str:
    """Return what a setting is for, in one sentence."""
    hint = get_type_hints(Settings, include_extras=True)[attribute(key)]
    return next(meta.description for meta in hint.__metadata__ if isinstance(meta, Meta)) or ""


def attribute(key: str) -> str:
    """Return the attribute that holds a key's value (`sender` for `from`)."""
    return dict(zip(Settings.__struct_encode_fields__, Settings.__struct_fields__, strict=True))[key]
