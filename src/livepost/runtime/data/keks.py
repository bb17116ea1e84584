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
from livepost.vault.kek.placed import PlacedKeks
from livepost.vault.kek.places import PlacesFile
from livepost.vault.kek.plain import FileKeks, VariableKeks
from livepost.vault.kek.transit import Transit, TransitServer
from livepost.vault.kek.wrapped import KeyService, WrappedKeks

WRAPPED = "kek.wrapped"
"""The file of keys that a key service wrapped."""

ADDRESS, TOKEN, NAMESPACE, AUTHORITY = "VAULT_ADDR", "VAULT_TOKEN", "VAULT_NAMESPACE", "VAULT_CACERT"
"""Variables as Vault's own clients read them."""


NOTE = "kek.places"
"""The file that says where keys were moved to; there is none before."""


def keks_of(settings: Settings, keys: Path, environ: Mapping[str, str]) -> PlacedKeks:
    """Return where the keys are kept; `keys` is the data folder's folder of keys.

    Raises SettingsError for what is no place, here or as soon as keys are wanted from one that cannot be reached.
    """

    def opened(place: str) -> FileKeks | VariableKeks | WrappedKeks:
        told = read_kek_reference(place, "settings")
        if told.place == "env":
            return VariableKeks(told.name)
        if told.place == "file":
            return FileKeks(keys / told.name)
        return WrappedKeks(keys / WRAPPED, _service(told, settings, environ))

    def shown(place: str) -> str:
        told = read_kek_reference(place, "settings")
        return f"file:{keys / told.name}" if told.place == "file" else place

    return PlacedKeks(place_in(settings.kek, keys), PlacesFile(keys / NOTE), opened, shown)


def place_in(reference: str, keys: Path) -> str:
    """Return a place as it is noted: a file in the folder of keys by its name there, so that the folder may move.

    Raises SettingsError for what is no place.
    """
    told = read_kek_reference(reference, "settings")
    if told.place != "file":
        return reference
    path, folder = Path(told.name).absolute(), keys.absolute()
    return f"file:{path.relative_to(folder) if path.is_relative_to(folder) else path}"


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
