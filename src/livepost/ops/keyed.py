"""The keys of a house as people see them: those of programs, and the key-encryption keys of the vault.

In: nothing; `runtime` fills it in. Out: lines of a page. Promised: no key is in it, nor enough of one to guess it by.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from livepost.settings.kek import KekPlace

ProgramKeyState: TypeAlias = Literal["valid", "expired", "revoked"]
VaultKeyState: TypeAlias = Literal["seals", "opens", "retired"]


class ProgramKey(msgspec.Struct, frozen=True, kw_only=True):
    """A write or secret key; times are host ms, None for never. `state` is that of now."""

    id: str
    kind: Literal["write", "secret"]
    source: str
    role: str
    scopes: tuple[str, ...]
    made_ms: int
    used_ms: int | None
    expires_ms: int | None
    state: ProgramKeyState


class VaultKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key-encryption key: `id` is a hash of it.

    state    seals: it wraps what is new; opens: a rotation is under way, and some of the vault is wrapped by it;
             retired: only backups of before need it
    """

    id: str
    state: VaultKeyState


class VaultKeys(msgspec.Struct, frozen=True, kw_only=True):
    """Where the key-encryption keys are (a file's or variable's name is not told), and what they wrap.

    left        places from which keys were moved: what is there opens backups of before only
    changed_ms  when their file was last written (host ms), None where there is no file
    people      external ids in the vault: each has a key that one of these wraps
    wrapped     of them, how many a rotation that is under way has gone through
    trouble     why it does not go on, "" if it does
    """

    place: KekPlace
    name: str
    keys: tuple[VaultKey, ...]
    changed_ms: int | None
    people: int
    left: tuple[KekPlace, ...] = ()
    wrapped: int | None = None
    trouble: str = ""


class Keys(msgspec.Struct, frozen=True, kw_only=True):
    """All of them; the programs' newest first."""

    programs: list[ProgramKey]
    vault: VaultKeys
