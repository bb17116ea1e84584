"""Where the setting `kek` says that the key-encryption key is; nothing is read or asked here.

In: `file:PATH`, `env:NAME`, `aws-kms:KEY` or `transit:KEY`. Out: its parts. Promised: no message repeats what may be a
key.
"""

from __future__ import annotations

import re
from typing import Literal, TypeAlias, get_args

import msgspec

from livepost.errors import SettingsError

KekPlace: TypeAlias = Literal["file", "env", "aws-kms", "transit"]

_NAME = {
    "aws-kms": re.compile(r"[A-Za-z0-9:/_-]{1,2048}"),
    "transit": re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}(/[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}){0,8}"),
}


class KekReference(msgspec.Struct, frozen=True):
    """Where it is, and its name there: a path, a variable, a key of KMS, a key of Transit (NAME, MOUNT/NAME)."""

    place: KekPlace
    name: str


def read_kek_reference(text: str, where: str) -> KekReference:
    """Return the parts; raise SettingsError, without repeating the text, where it is no reference.

    >>> read_kek_reference("aws-kms:alias/livepost", "default").name
    'alias/livepost'
    """
    place, _, name = text.partition(":")
    rule = _NAME.get(place)
    if place not in get_args(KekPlace) or not name or (rule and not rule.fullmatch(name)):
        raise SettingsError(
            f"kek ({where}) must refer to a key, not hold it: write file:PATH, env:NAME, aws-kms:KEY or transit:KEY, "
            "and change the key if it was ever saved in clear"
        )
    return KekReference(msgspec.convert(place, KekPlace), name)
