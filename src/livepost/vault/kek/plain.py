"""Key-encryption keys in clear: a file, or a variable, that the operator keeps.

In: a file with a line a key (base64, and perhaps `retired` behind it; 32 bytes as they are for a single one), or a
variable with the keys apart by spaces; the newest first. Out: the keys. Promises: no message tells a key; a new file is
readable by its owner alone and never overwrites another.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Sequence
from pathlib import Path

from livepost.errors import SettingsError
from livepost.vault.kek.base import KEK_BYTES, Kek, new_kek
from livepost.vault.kek.files import remove, replace, write_new

_RETIRED = b"retired"
_NEW_ONE = "make one with `head -c 32 /dev/urandom | base64`"


class FileKeks:
    """Keys in a file; a body of `Keeper`."""

    by_hand = False

    def __init__(self, path: Path) -> None:
        """Take the file's path."""
        self.path = path

    def there(self) -> bool:
        """Say whether there is a file."""
        return self.path.exists()

    def make(self) -> None:
        """Write a first key to a file that is not there yet.

        Raises SettingsError if there is a file already: a key that is overwritten takes the vault with it.
        """
        write_new(self.path, _lines([Kek(new_kek())]))

    def read(self) -> list[Kek]:
        """Return the keys; raise SettingsError if there is none, or it is not 32 bytes."""
        try:
            told = self.path.read_bytes()
        except OSError as error:
            raise SettingsError(f"the key-encryption key in {self.path} cannot be read: {error.strerror}") from error
        if len(told) == KEK_BYTES:
            return [Kek(told)]
        return [_read_line(line.split(), str(self.path)) for line in told.splitlines() or [b""]]

    def add(self) -> None:
        """Put a new random key in the first line."""
        replace(self.path, _lines([Kek(new_kek()), *self.read()]))

    def retire(self) -> bool:
        """Write `retired` behind all but the newest."""
        newest, *others = self.read()
        replace(self.path, _lines([newest, *(Kek(one.key, retired=True) for one in others)]))
        return True

    def destroy(self) -> int:
        """Write the file without the retired keys."""
        keys = self.read()
        left = [one for one in keys if not one.retired]
        if len(left) < len(keys):
            replace(self.path, _lines(left))
        return len(keys) - len(left)

    def clear(self) -> None:
        """Remove the file."""
        if self.path.exists():
            remove(self.path)

    def changed_ms(self) -> int | None:
        """Return when the file was last written (host ms)."""
        return int(self.path.stat().st_mtime * 1000)


class VariableKeks:
    """Keys in a variable of the environment; a body of `Keeper`."""

    by_hand = True

    def __init__(self, name: str) -> None:
        """Take the variable's name."""
        self._name = name

    def there(self) -> bool:
        """Say whether the variable is set."""
        return self._name in os.environ

    def make(self) -> None:
        """Raise SettingsError unless the operator set the variable: nobody else can."""
        self.read()

    def read(self) -> list[Kek]:
        """Return the keys; raise SettingsError if there is none, or one is not 32 bytes."""
        told = os.environ.get(self._name)
        if told is None:
            raise SettingsError(f"expected the key-encryption key in the variable {self._name}, got none; {_NEW_ONE}")
        return [Kek(_decoded(part, f"the variable {self._name}")) for part in told.encode().split() or [b""]]

    def add(self) -> None:
        """Raise SettingsError unless the operator put a new key in front of the others: nobody else can."""
        if len(self.read()) < 2:
            raise SettingsError(
                f"a new key-encryption key cannot be put into the variable {self._name} from here; start the house "
                f"with NEW and OLD in it, apart by a space, then rotate again ({_NEW_ONE})"
            )

    def retire(self) -> bool:
        """Leave it to the operator."""
        return len(self.read()) == 1

    def destroy(self) -> int:
        """Raise SettingsError if there are older keys: the operator takes them out."""
        if not self.retire():
            raise SettingsError(
                f"keys in the variable {self._name} cannot be destroyed from here; take all but the first out of it"
            )
        return 0

    def clear(self) -> None:
        """Raise SettingsError if the variable is set: the operator takes it out."""
        if self.there():
            raise SettingsError(
                f"keys in the variable {self._name} cannot be destroyed from here; take it out of the environment"
            )

    def changed_ms(self) -> int | None:
        """Return None: they are in no file."""
        return None


def _lines(keys: Sequence[Kek]) -> bytes:
    return b"".join(base64.b64encode(one.key) + (b" " + _RETIRED if one.retired else b"") + b"\n" for one in keys)


def _read_line(words: Sequence[bytes], where: str) -> Kek:
    key, *rest = words or [b""]
    if rest not in ([], [_RETIRED]):
        raise SettingsError(f"expected a key a line in {where}, and `retired` behind old ones, got more words")
    return Kek(_decoded(key, where), retired=bool(rest))


def _decoded(told: bytes, where: str) -> bytes:
    try:
        kek = base64.b64decode(told, validate=True)
    except binascii.Error:
        raise SettingsError(
            f"expected base64 of {KEK_BYTES} bytes in {where}, got something else; {_NEW_ONE}"
        ) from None
    if len(kek) != KEK_BYTES:
        raise SettingsError(f"expected base64 of {KEK_BYTES} bytes in {where}, got {len(kek)} bytes; {_NEW_ONE}")
    return kek
