"""Where a workspace's key-encryption keys are kept, as its settings say.

In: the setting `kek`, the data folder, the environment. Out: a store of keys. Promised: nothing is asked before a key
is wanted; a key service is reached as every host is, over TLS whose certificate is checked.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from pathlib import Path

from livepost.errors import SettingsError
from livepost.fetch.address import Allowed, read_allowed
from livepost.fetch.fetcher import Fetcher
from livepost.settings.kek import KekReference, read_kek_reference
from livepost.settings.settings import Settings
from livepost.vault.kek.kms import Kms
from livepost.vault.kek.plain import FileKeks, VariableKeks
from livepost.vault.kek.transit import Transit, TransitServer
from livepost.vault.kek.wrapped import KeyService, WrappedKeks

WRAPPED = "kek.wrapped"
"""The file of keys that a key service wrapped."""

ADDRESS, TOKEN, NAMESPACE, AUTHORITY = "VAULT_ADDR", "VAULT_TOKEN", "VAULT_NAMESPACE", "VAULT_CACERT"
"""Variables as Vault's own clients read them."""


def keks_of(settings: Settings, keys: Path, environ: Mapping[str, str]) -> FileKeks | VariableKeks | WrappedKeks:
    """Return where the keys are kept; `keys` is the data folder's folder of keys.

    Raises SettingsError for what is no place, or none that can be reached from here.
    """
    told = read_kek_reference(settings.kek, "settings")
    if told.place == "env":
        return VariableKeks(told.name)
    if told.place == "file":
        return FileKeks(Path(told.name))
    return WrappedKeks(keys / WRAPPED, _service(told, settings, environ))


def make_keks(settings: Settings, keys: Path, environ: Mapping[str, str]) -> None:
    """Make the first key where there is none and it can be made. Raises SettingsError if that fails."""
    store = keks_of(settings, keys, environ)
    if not isinstance(store, VariableKeks) and not store.path.exists():
        store.make()


def _service(told: KekReference, settings: Settings, environ: Mapping[str, str]) -> KeyService:
    if told.place == "aws-kms":
        return Kms(told.name, settings.workspace)
    server = TransitServer(
        address=_required(environ, ADDRESS), token=_required(environ, TOKEN), namespace=environ.get(NAMESPACE, "")
    )
    return Transit(told.name, server, _fetcher(read_allowed(settings.allow_outgoing), environ.get(AUTHORITY, "")).post)


def _required(environ: Mapping[str, str], name: str) -> str:
    if not environ.get(name):
        raise SettingsError(f"kek names HashiCorp Vault's Transit, which needs {name}; set it in the environment")
    return environ[name]


def _fetcher(allowed: Allowed, authority: str) -> Fetcher:
    """Return the way to the server: a private one is named in `allow_outgoing`, as every host of one's own."""
    try:
        trust = ssl.create_default_context(cafile=authority or None)
    except OSError as error:
        raise SettingsError(f"{AUTHORITY} names {authority}, which holds no certificate: {error}") from error
    return Fetcher(allowed, trust=trust)
