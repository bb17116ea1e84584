"""From a project folder, the environment and flags to `Loaded`: the settings, and where each value came from.

Precedence, the later wins: default, `livepost.toml`, `LIVEPOST_*`, flags of the command line.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_type_hints

import msgspec

from livepost.errors import SettingsError
from livepost.settings.audience import Audience, check_audiences
from livepost.settings.kek import read_kek_reference
from livepost.settings.mail_events import MailEvents, check_mail_events
from livepost.settings.oidc import Oidc, check_oidc
from livepost.settings.opendsr import OpenDsr, check_opendsr
from livepost.settings.part import (
    PARTS,
    check_host,
    check_lake,
    check_part,
    check_quiet,
    check_rows,
    check_tls,
    check_zone,
    masked,
)
from livepost.settings.postgres import SCHEME, read_postgres
from livepost.settings.provider import PROVIDER_SCHEMES, check_key, read_provider
from livepost.settings.secret import ENVIRONMENT, FILE, check_reference
from livepost.settings.sender import SenderTable, check_domain_pace, check_senders
from livepost.settings.settings import Settings, attribute, describe, keys
from livepost.settings.smtp import SCHEMES, check_login, read_smtp, with_path_in
from livepost.settings.webhook import Webhook, check_webhooks

FILE_NAME = "livepost.toml"
PREFIX = "LIVEPOST_"
MAX_FILE_BYTES = 65_536
DEFAULT = "default"

_HINTS = get_type_hints(Settings, include_extras=True)
TABLES = ("AUDIENCES", "WEBHOOKS", "MAIL_EVENTS", "SENDERS", "OIDC")
"""Settings of tables, as variables name them, that may refer to variables."""

_IN_TABLE = re.compile(rf"""["']{ENVIRONMENT}(\w+)["']""")
"""A reference to a variable within a list of tables, as Python or JSON writes it."""


class Value(msgspec.Struct, frozen=True):
    """A setting as it was given, and where: `default`, `livepost.toml:3`, `LIVEPOST_PORT` or `--port`."""

    given: Any
    origin: str


class Shown(msgspec.Struct, frozen=True):
    """One line of `livepost doctor`: no secret is in `value`."""

    key: str
    value: str
    origin: str
    description: str


class Loaded(msgspec.Struct, frozen=True):
    """The settings of a project folder, each with its origin."""

    settings: Settings
    origins: dict[str, str]
    folder: Path

    def shown(self) -> list[Shown]:
        """Return every setting fit for people to see, in the class's order."""
        return shown(self.settings, self.origins)


def shown(settings: Settings, origins: Mapping[str, str]) -> list[Shown]:
    """Return every setting fit for people to see, in the class's order; "" stands for an origin that is not known."""
    return [
        Shown(key, masked(_text(getattr(settings, attribute(key)))), origins.get(key, ""), describe(key))
        for key in keys()
    ]


SECRETS_OF = {"webhooks": "secret", "mail_events": "secret", "audiences": "key", "senders": "mail_password"}
"""In which part of its tables a setting refers to a secret."""


def load(folder: Path, environ: Mapping[str, str], flags: Mapping[str, Any] | None = None) -> Loaded:
    """Return the settings of a project folder; `flags` are `{key: value}` of the command line.

    Raises SettingsError: unknown key (with the nearest one), value that does not fit, secret written out, part
    not built. A folder without `livepost.toml` has the defaults; a flag that is None was not given.
    """
    folder = folder.resolve()
    written = _from_file(folder / FILE_NAME)
    given = written | _from_environment(environ, _secret_names(written, environ)) | _from_flags(flags or {})
    fitted = {key: Value(_fit(key, value), value.origin) for key, value in given.items()}
    values = _defaults(fitted) | fitted
    _check(values)
    settings = Settings(**{attribute(key): _absolute(folder, key, value) for key, value in values.items()})
    return Loaded(settings, {key: values[key].origin for key in keys()}, folder)


def _text(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _from_file(path: Path) -> dict[str, Value]:
    text = _read(path)
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path.name} is not TOML: {error}; mend that line") from error
    return {key: _value(key, given, _line(path.name, text, key)) for key, given in table.items()}


def _read(path: Path) -> str:
    try:
        raw = path.read_bytes() if path.exists() else b""
        text = raw.decode()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path.name} cannot be read as UTF-8 text ({error}); mend the file") from error
    if len(raw) > MAX_FILE_BYTES:
        raise SettingsError(f"{path.name} has {len(raw)} bytes, expected at most {MAX_FILE_BYTES}; shorten it")
    return text


def _line(name: str, text: str, key: str) -> str:
    """Return `file:line` of a key or table, for tomllib keeps no lines."""
    pattern = re.compile(rf"""\s*\[*\s*["']?{re.escape(key)}["']?\s*[=.\]]""")
    found = (number for number, line in enumerate(text.splitlines(), start=1) if pattern.match(line))
    number = next(found, None)
    return name if number is None else f"{name}:{number}"


def _secret_names(written: Mapping[str, Value], environ: Mapping[str, str]) -> set[str]:
    """Return the variables that settings name as the place of a secret: they are no settings themselves."""
    values = [*(value.given for value in written.values()), *environ.values()]
    plain = {value.removeprefix(ENVIRONMENT) for value in values if str(value).startswith(ENVIRONMENT)}
    tables = [str(value) for value in values if isinstance(value, list | dict)]
    tables += [environ.get(f"{PREFIX}{name}", "") for name in TABLES]
    return plain | {name for text in tables for name in _IN_TABLE.findall(text)}


def _from_environment(environ: Mapping[str, str], secrets: set[str]) -> dict[str, Value]:
    names = [name for name in environ if name.startswith(PREFIX) and name not in secrets]
    return {_key(name): _value(_key(name), environ[name], name) for name in names}


def _key(variable: str) -> str:
    return variable.removeprefix(PREFIX).lower()


def _from_flags(flags: Mapping[str, Any]) -> dict[str, Value]:
    told = {key: given for key, given in flags.items() if given is not None}
    return {key: _value(key, given, f"--{key.replace('_', '-')}") for key, given in told.items()}


def _value(key: str, given: Any, origin: str) -> Value:
    if key in keys():
        return Value(given, origin)
    near = difflib.get_close_matches(key, keys(), n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}?" if near else f"the settings are {', '.join(keys())}"
    raise SettingsError(f"{key} ({origin}) is no setting of Livepost; {hint}")


def _fit(key: str, value: Value) -> Any:
    """Return the value as its declared type; text of the environment may stand for a number, or be a list in JSON."""
    default = getattr(Settings(), attribute(key))
    from_text = value.origin.startswith(PREFIX)
    try:
        given = (
            msgspec.json.decode(value.given)
            if from_text and isinstance(default, list | dict | msgspec.Struct)
            else value.given
        )
        return msgspec.convert(given, _HINTS[attribute(key)], strict=not from_text)
    except msgspec.DecodeError as error:
        raise SettingsError(
            f"{key} ({value.origin}) does not fit: {_lower(str(error))}; "
            f"it is said like {key} = {_toml(default)} ({describe(key)})"
        ) from error


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _toml(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _defaults(given: Mapping[str, Value]) -> dict[str, Value]:
    """Return every setting's default; lake and key lie inside the data folder wherever that is."""
    plain = Settings()
    data = given["data"].given if "data" in given else plain.data
    values = {key: getattr(plain, attribute(key)) for key in keys()}
    values |= {"lake": f"{data}/lake", "kek": f"{FILE}{data}/keys/kek"}
    return {key: Value(value, DEFAULT) for key, value in values.items()}


def _check(values: Mapping[str, Value]) -> None:
    for part in PARTS:
        check_part(part, values[part.key].given, values[part.key].origin)
    check_lake(values["lake"].origin)
    cert, behind_proxy = values["tls_cert"], values["behind_proxy"].given
    check_tls(cert.given, values["tls_key"].given, cert.origin)
    check_host(values["host"].given, values["host"].origin, tls=bool(cert.given), behind_proxy=behind_proxy)
    read_kek_reference(values["kek"].given, values["kek"].origin)
    _check_mail(values["mail"], values["mail_password"])
    check_senders(values["senders"].given, values["mail"].origin != DEFAULT, values["senders"].origin)
    check_domain_pace(values["domain_pace"].given, values["domain_pace"].origin)
    _check_ledger(values["ledger"], values["ledger_password"])
    check_zone(values["zone"].given, values["zone"].origin)
    check_quiet(values["quiet_hours"].given, values["quiet_hours"].origin)
    check_webhooks(values["webhooks"].given, values["webhooks"].origin)
    check_mail_events(values["mail_events"].given, values["mail_events"].origin)
    check_oidc(values["oidc"].given, values["oidc"].origin)
    check_opendsr(values["opendsr"].given, values["opendsr"].origin)
    check_audiences(values["audiences"].given, values["audiences"].origin)
    check_rows(values["rows_mb"].given, values["state_rows"].given, values["rows_mb"].origin)


def _check_mail(mail: Value, password: Value) -> None:
    if password.given:
        check_reference("mail_password", password.given, password.origin)
    if mail.given.startswith(SCHEMES):
        address = read_smtp(mail.given, mail.origin)
        check_login(address.user, password.given, mail.origin)
    if mail.given.startswith(PROVIDER_SCHEMES):
        check_key(read_provider(mail.given, mail.origin), password.given, mail.origin)


def _check_ledger(ledger: Value, password: Value) -> None:
    if password.given:
        check_reference("ledger_password", password.given, password.origin)
    if ledger.given.startswith(SCHEME):
        read_postgres(ledger.given, ledger.origin)
    elif password.given:
        raise SettingsError(
            f"ledger_password ({password.origin}) is for no database; leave it out, or name one in ledger"
        )


def _absolute(folder: Path, key: str, value: Value) -> Any:
    """Return the value with a relative path made absolute: paths are relative to the project folder."""
    if key in ("data", "lake") or (key in ("audit_heads", "tls_cert", "tls_key") and value.given):
        return str(folder / value.given)
    if key in ("kek", "mail_password", "ledger_password"):
        return _in(folder, value.given)
    if key == "ledger" and value.given.startswith(SCHEME):
        return with_path_in(folder, value.given, "sslrootcert")
    if key == "mail":
        return _with_cafile_in(folder, value.given)
    if isinstance(value.given, OpenDsr | Oidc):
        return _with_files_in(folder, value.given)
    return _absolute_tables(folder, key, value)


def _absolute_tables(folder: Path, key: str, value: Value) -> Any:
    if key in SECRETS_OF:
        return [_with_paths_in(folder, one, SECRETS_OF[key]) for one in value.given]
    return value.given


def _with_cafile_in(folder: Path, mail: str) -> str:
    return with_path_in(folder, mail, "cafile") if mail.startswith(SCHEMES) else mail


def _with_paths_in(folder: Path, table: Webhook | MailEvents | Audience | SenderTable, secret: str) -> msgspec.Struct:
    paths = {secret: _in(folder, getattr(table, secret))}
    if isinstance(table, SenderTable):
        paths["mail"] = _with_cafile_in(folder, table.mail)
    return msgspec.structs.replace(table, **paths)


def _with_files_in(folder: Path, table: OpenDsr | Oidc) -> OpenDsr | Oidc:
    if isinstance(table, Oidc):
        cafile = str(folder / table.cafile) if table.cafile else ""
        return msgspec.structs.replace(table, cafile=cafile, client_secret=_in(folder, table.client_secret))
    certificate = str(folder / table.certificate) if table.certificate else ""
    return msgspec.structs.replace(table, certificate=certificate, key=_in(folder, table.key))


def _in(folder: Path, reference: str) -> str:
    """Return a reference to a secret, made absolute if it is a relative path."""
    return f"{FILE}{folder / reference.removeprefix(FILE)}" if reference.startswith(FILE) else reference
