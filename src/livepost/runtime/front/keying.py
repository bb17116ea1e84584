"""The keys of a house, for whoever looks: the ring of programs' keys, and the key-encryption keys with their rotation.

In: the data folder, the front's socket. Out: what `livepost.ops.keyed` says. Promised: no key leaves here; a rotation
is done by the vault's one writer.
"""

from __future__ import annotations

import contextlib
from http import HTTPStatus

from livepost.clock import WallClock
from livepost.errors import RejectedError
from livepost.ops.keyed import Keys, ProgramKey, ProgramKeyState, VaultKey, VaultKeys, VaultKeyState
from livepost.runtime.data.folder import DataFolder
from livepost.runtime.data.keyring import KeyRingError, StoredKey, is_valid
from livepost.runtime.front.rotating import ROTATE, ROTATION, Rotation
from livepost.runtime.sockets.wire import WireClient
from livepost.settings.kek import read_kek_reference
from livepost.vault.kek.base import Kek, fingerprint
from livepost.vault.sqlite import SqliteVault

SHOWN = 200
"""Keys of programs that are shown, the newest."""


def keys_of(folder: DataFolder, vault: SqliteVault) -> Keys:
    """Return all keys as people see them; raise SettingsError or StoreError where they cannot be read."""
    now_ms = WallClock().now_ms()
    ring = folder.keys
    programs = [_program(key, ring.used_ms(key.id), now_ms) for key in ring.all()[: -SHOWN - 1 : -1]]
    return Keys(programs=programs, vault=_vault_keys(folder, vault))


def revoke(folder: DataFolder, id: str) -> None:
    """Make a key invalid from now on; raise RejectedError (404) if there is none of that id."""
    try:
        folder.keys.revoke(id, WallClock().now_ms())
    except KeyRingError as error:
        raise RejectedError(str(error), code="key", status=HTTPStatus.NOT_FOUND) from None


def rotate(folder: DataFolder) -> None:
    """Have the front begin a rotation, or go on with one; raise RejectedError (409) where there can be no new key."""
    with contextlib.closing(WireClient(folder.front_socket)) as front:
        front.call(ROTATE, None, Rotation)


def _program(key: StoredKey, used_ms: int | None, now_ms: int) -> ProgramKey:
    state: ProgramKeyState = "valid" if is_valid(key, now_ms) else "expired" if key.revoked_ms is None else "revoked"
    return ProgramKey(
        id=key.id,
        kind=key.kind,
        source=key.source,
        role=key.role if key.kind == "secret" else "",
        scopes=key.scopes,
        made_ms=key.made_ms,
        used_ms=used_ms,
        expires_ms=key.expires_ms,
        state=state,
    )


def _vault_keys(folder: DataFolder, vault: SqliteVault) -> VaultKeys:
    store = folder.keks
    keks, told = store.read(), read_kek_reference(store.place, "settings")
    rotation = _rotation(folder) if any(not one.retired for one in keks[1:]) else None
    return VaultKeys(
        place=told.place,
        name="" if told.place == "file" else told.name,
        keys=tuple(_vault_key(one, number) for number, one in enumerate(keks)),
        left=tuple(read_kek_reference(one, "settings").place for one in store.older),
        changed_ms=store.changed_ms(),
        people=vault.count(),
        wrapped=rotation.keys if rotation else None,
        trouble=rotation.trouble if rotation else "",
    )


def _rotation(folder: DataFolder) -> Rotation:
    with contextlib.closing(WireClient(folder.front_socket)) as front:
        return front.call(ROTATION, None, Rotation)


def _vault_key(kek: Kek, number: int) -> VaultKey:
    """Return a key as it is shown: by its fingerprint, which an approval to destroy it names too."""
    state: VaultKeyState = "retired" if kek.retired else "opens" if number else "seals"
    return VaultKey(id=fingerprint(kek), state=state)
