"""Key-encryption keys that a key service wrapped: only wrapped do they touch the disk.

In: a file with a line a key, the newest first, as the service wrapped it. Out: the bytes, which the service unwraps
once a process. Promises: without the service the file opens nothing; a new file never overwrites another, and lines
that another service's key wrapped stay as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from livepost.errors import SettingsError
from livepost.vault.kek.base import KEK_BYTES, Kek
from livepost.vault.kek.files import remove, replace, write_new


class KeyService(Protocol):
    """Makes data keys and unwraps them; its own key never leaves it."""

    @property
    def name(self) -> str:
        """What the service and its key are called in messages and in the file."""
        ...

    def data_key(self) -> tuple[bytes, str]:
        """Return a new key of 32 bytes, and its wrapped form; raise SettingsError if the service gives none."""
        ...

    def unwrap(self, wrapped: str) -> bytes:
        """Return the key; raise SettingsError if the service does not give it."""
        ...


class WrappedKek(msgspec.Struct, frozen=True, omit_defaults=True):
    """A line of the file: which service's key wrapped the key, and the wrapped form."""

    by: str
    wrapped: str
    retired: bool = False


class WrappedKeks:
    """Keys in a file that a key service wrapped; a body of `Keeper`. Several may share a file, each with its lines."""

    by_hand = False

    def __init__(self, path: Path, service: KeyService) -> None:
        """Take the file's path, and who wraps."""
        self.path = path
        self._service = service
        self._plain: dict[str, bytes] = {}

    def there(self) -> bool:
        """Say whether the file has a key that this service's wrapped."""
        return self.path.exists() and any(self._is_own(one) for one in self._lines())

    def make(self) -> None:
        """Have a first key made; raise SettingsError if there is one already."""
        if not self.path.exists():
            write_new(self.path, _written([self._new()]))
        elif self.there():
            raise SettingsError(f"there is a key of {self._service.name} in {self.path} already; rotate it instead")
        else:
            replace(self.path, _written([self._new(), *self._lines()]))

    def read(self) -> list[Kek]:
        """Return the keys; the service is asked only for those that were not read before."""
        keys = self._keys()
        self._plain = {one.wrapped: self._plain.get(one.wrapped) or self._unwrap(one) for one in keys}
        return [Kek(self._plain[one.wrapped], one.retired) for one in keys]

    def add(self) -> None:
        """Have a new key made, and put it in the first line."""
        self._put([self._new(), *self._keys()])

    def retire(self) -> bool:
        """Mark all but the newest."""
        newest, *others = self._keys()
        self._put([newest, *(msgspec.structs.replace(one, retired=True) for one in others)])
        return True

    def destroy(self) -> int:
        """Write the file without the retired keys: nobody can ask the service for them any more."""
        keys = self._keys()
        left = [one for one in keys if not one.retired]
        if len(left) < len(keys):
            self._put(left)
        return len(keys) - len(left)

    def clear(self) -> None:
        """Write the file without this service's lines; remove it where none is left."""
        if not self.there():
            return
        if all(map(self._is_own, self._lines())):
            remove(self.path)
        else:
            self._put([])

    def changed_ms(self) -> int | None:
        """Return when the file was last written (host ms)."""
        return int(self.path.stat().st_mtime * 1000)

    def _is_own(self, one: WrappedKek) -> bool:
        return one.by == self._service.name

    def _put(self, own: Sequence[WrappedKek]) -> None:
        """Write these lines, and those of other services behind them."""
        replace(self.path, _written([*own, *(one for one in self._lines() if not self._is_own(one))]))

    def _lines(self) -> list[WrappedKek]:
        try:
            lines = self.path.read_bytes().splitlines()
        except OSError as error:
            raise SettingsError(f"the wrapped keys in {self.path} cannot be read: {error.strerror}") from error
        try:
            return [msgspec.json.decode(line, type=WrappedKek) for line in lines]
        except ValueError as error:
            raise SettingsError(f"expected a wrapped key a line in {self.path}, got something else: {error}") from None

    def _keys(self) -> list[WrappedKek]:
        """Return this service's lines, at least one."""
        lines = self._lines()
        if not lines:
            raise SettingsError(f"expected a wrapped key in {self.path}, got none; bring the file back from a backup")
        own = [one for one in lines if self._is_own(one)]
        if not own:
            raise SettingsError(
                f"expected keys in {self.path} that {self._service.name} wrapped, got one of {lines[0].by}; "
                "name that in `kek`"
            )
        return own

    def _new(self) -> WrappedKek:
        key, wrapped = self._service.data_key()
        self._plain[wrapped] = _checked(key, self._service.name)
        return WrappedKek(self._service.name, wrapped)

    def _unwrap(self, one: WrappedKek) -> bytes:
        return _checked(self._service.unwrap(one.wrapped), self._service.name)


def _written(keys: Sequence[WrappedKek]) -> bytes:
    return b"".join(msgspec.json.encode(key) + b"\n" for key in keys)


def _checked(key: bytes, name: str) -> bytes:
    if len(key) != KEK_BYTES:
        raise SettingsError(f"expected a key of {KEK_BYTES} bytes from {name}, got {len(key)} bytes")
    return key
