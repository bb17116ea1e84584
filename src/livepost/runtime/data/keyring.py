"""The write and secret keys of a data folder: one small file, readable by its owner only.

A write key is public and kept as it is; of a secret key only a hash is kept, so it is shown once, when it is made. A
key may be held to scopes, and may expire; a secret key has a role. When a key was used last is known to the minute.
"""

from __future__ import annotations

import difflib
import fcntl
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Literal

import msgspec

from livepost.clock import WallClock
from livepost.errors import LivepostError
from livepost.govern.access.permission import KEY_SCOPES
from livepost.model.principal import SEND_EVENTS, SENDERS, Holder, Role
from livepost.model.record import KeyKind
from livepost.runtime.data.key_uses import KeyUses

KEYS_MAX = 1000
"""Keys kept, revoked ones too; beyond it, a new key takes the place of the one revoked first."""

NAME_MAX = 64

SCOPES_MAX = 40

_HOST = WallClock()

KeyWord = Literal["write", "secret"]
_KINDS: dict[str, KeyKind] = {"write": KeyKind.WRITE, "secret": KeyKind.SECRET}


class KeyRingError(LivepostError):
    """A key that is asked for is not there, or cannot be made."""


class StoredKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key as kept: `shown` is the write key itself, or a secret key's first characters."""

    id: str
    kind: KeyWord
    source: str
    shown: str
    hash: str
    made_ms: int
    revoked_ms: int | None = None
    scopes: tuple[str, ...] = ()
    expires_ms: int | None = None
    role: Role = "developer"


class NewKey(msgspec.Struct, frozen=True):
    """A key just made; `key` is not to be had again if it is secret."""

    stored: StoredKey
    key: str


class KeyRing:
    """The keys of a data folder. `lookup` sees what other processes changed."""

    def __init__(self, path: Path, now_ms: Callable[[], int] = _HOST.now_ms) -> None:
        """Take the file, and the host's time by which keys expire."""
        self._now_ms = now_ms
        self._next_end: int | None = None
        self._path = path
        self._place = os.fspath(path)
        self._seen: tuple[int, int] | None = None
        self._keys: list[StoredKey] = []
        self._by_hash: dict[str, StoredKey] = {}
        self._found: dict[str, tuple[str, KeyKind]] = {}
        self._ids: dict[str, str] = {}
        self._uses = KeyUses(path.parent / "used", now_ms)

    def lookup(self, token: str) -> tuple[str, KeyKind] | None:
        """Return (source, kind) of a key that is valid and may send events, else None."""
        self._refresh()
        found = self._found.get(token) or self._find(token)
        if found is not None:
            self._uses.note(self._ids[token])
        return found

    def holder(self, token: str) -> Holder | None:
        """Return who has a key that is valid, else None."""
        self._refresh()
        stored = self._by_hash.get(_hash(token))
        if stored is None:
            return None
        self._uses.note(stored.id)
        return Holder(stored.source, stored.kind == "secret", stored.scopes, stored.role)

    def used_ms(self, id: str) -> int | None:
        """Return when a key was used last, to the minute; None if it never was."""
        return self._uses.last_ms(id)

    def all(self) -> list[StoredKey]:
        """Return every key, revoked ones too, oldest first."""
        self._refresh()
        return list(self._keys)

    def new(
        self,
        kind: KeyWord,
        source: str,
        now_ms: int,
        scopes: tuple[str, ...] = (),
        expires_ms: int | None = None,
        role: Role = "developer",
    ) -> NewKey:
        """Make a key for a source (the name that records from it carry), held to scopes, until it expires.

        Raises KeyRingError if the name is empty or too long, a write key gets scopes or a role, a scope is none or one
        that the role cannot have, or KEYS_MAX keys are valid.
        """
        if kind == "write" and (scopes or role != "developer"):
            raise KeyRingError("expected no scopes and no role for a write key: it only sends events; leave them out")
        _check_scopes(scopes, role)
        if not source or len(source) > NAME_MAX:
            raise KeyRingError(f"expected a source's name of 1 to {NAME_MAX} characters, got {len(source)}")
        key = f"lp_{kind}_{secrets.token_urlsafe(24)}"
        shown = key if kind == "write" else key[:14] + "…"
        stored = StoredKey(
            id=secrets.token_hex(4),
            kind=kind,
            source=source,
            shown=shown,
            hash=_hash(key),
            made_ms=now_ms,
            scopes=scopes,
            expires_ms=expires_ms,
            role=role,
        )
        with self._alone():
            self._write([*_with_room(self._keys), stored])
            self._uses.keep({key.id for key in self._keys})
        return NewKey(stored, key)

    def revoke(self, id: str, now_ms: int) -> StoredKey:
        """Make a key invalid from now on; raise KeyRingError if there is none of that id."""
        with self._alone():
            found = next((key for key in self._keys if key.id == id), None)
            if found is None:
                raise KeyRingError(f"there is no key {id}; `livepost keys list` shows them")
            revoked = msgspec.structs.replace(found, revoked_ms=now_ms)
            self._write([revoked if key is found else key for key in self._keys])
        return revoked

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other processes from changing keys meanwhile: else the later of two would undo the earlier."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with open(os.open(self._path.with_suffix(".lock"), os.O_CREAT | os.O_WRONLY, 0o600), "wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._refresh()
            yield

    def _find(self, token: str) -> tuple[str, KeyKind] | None:
        """Look a key up by its hash, and remember it if it is valid: there are at most KEYS_MAX of these."""
        stored = self._by_hash.get(_hash(token))
        if stored is None or not _sends(stored):
            return None
        self._ids[token] = stored.id
        found = self._found[token] = stored.source, _KINDS[stored.kind]
        return found

    def _refresh(self) -> None:
        try:
            stat = os.stat(self._place)
        except FileNotFoundError:
            self._seen, self._keys = None, []
            self._sort()
            return
        if self._seen != (stat.st_mtime_ns, stat.st_ino):
            self._seen = (stat.st_mtime_ns, stat.st_ino)
            self._keys = msgspec.json.decode(self._path.read_bytes(), type=list[StoredKey])
            self._sort()
        elif self._next_end is not None and self._now_ms() >= self._next_end:
            self._sort()

    def _sort(self) -> None:
        """Find anew which keys are valid, and when the next of them expires."""
        now_ms = self._now_ms()
        valid = [key for key in self._keys if is_valid(key, now_ms)]
        self._by_hash = {key.hash: key for key in valid}
        self._next_end = min((key.expires_ms for key in valid if key.expires_ms is not None), default=None)
        self._found.clear()
        self._ids.clear()

    def _write(self, keys: list[StoredKey]) -> None:
        beside = self._path.with_suffix(".new")
        with open(os.open(beside, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(keys)))
            file.flush()
            os.fsync(file.fileno())
        beside.rename(self._path)
        self._refresh()


def is_valid(key: StoredKey, now_ms: int) -> bool:
    """Return whether a key was not revoked and has not expired."""
    return key.revoked_ms is None and (key.expires_ms is None or now_ms < key.expires_ms)


def _sends(key: StoredKey) -> bool:
    """Return whether a key may send events: a write key does, and so does a secret one whose role and scopes let it."""
    return key.kind == "write" or (key.role in SENDERS and (not key.scopes or SEND_EVENTS in key.scopes))


def _check_scopes(scopes: tuple[str, ...], role: Role) -> None:
    """Raise KeyRingError for a scope that there is not, with the nearest one, or that is of no use to the role."""
    if len(scopes) > SCOPES_MAX:
        raise KeyRingError(f"expected at most {SCOPES_MAX} scopes, got {len(scopes)}; leave some out")
    for scope in scopes:
        if scope not in KEY_SCOPES:
            near = difflib.get_close_matches(scope, sorted(KEY_SCOPES), n=1, cutoff=0.5)
            hint = f"did you mean {near[0]}?" if near else "docs/reference/roles.md has all of them"
            raise KeyRingError(f"expected a scope like read:people, got {scope[:60]!r}; {hint}")
    if SEND_EVENTS in scopes and role not in SENDERS:
        raise KeyRingError(
            f"expected a role whose keys may send events ({', '.join(sorted(SENDERS))}), got {role}; leave "
            f"{SEND_EVENTS} or the role out"
        )


def _with_room(keys: list[StoredKey]) -> list[StoredKey]:
    if len(keys) < KEYS_MAX:
        return keys
    revoked = [key for key in keys if key.revoked_ms is not None]
    if not revoked:
        raise KeyRingError(f"expected at most {KEYS_MAX} valid keys; revoke one that is not used any more")
    first = min(revoked, key=lambda key: key.revoked_ms or 0)
    return [key for key in keys if key is not first]


def _hash(key: str) -> str:
    return sha256(key.encode()).hexdigest()
