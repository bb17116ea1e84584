"""What stands in the place of a personal value for who may not see it: nothing, a part, a range, a keyed hash.

In: a value. Out: words. Promised: pure; what a mask does not know how to say less of, it hides. A part and a range
still say something of one person: they keep out the curious, not who has other sources.
"""

from __future__ import annotations

import re
from typing import Any, Literal, TypeAlias

from livepost.ids import digest
from livepost.settings.policy import Mask

How: TypeAlias = Literal["plain"] | Mask
"""How a value is shown."""

STRICTNESS: tuple[How, ...] = ("plain", "partial", "bucket", "pseudonym", "hide")
"""From what says all to what says nothing."""

HIDDEN = "hidden"
PSEUDONYM_BYTES = 8

_ADDRESS = re.compile(r"([^@\s])[^@\s]*@([^@\s]+)")
_DATE = re.compile(r"(\d{3})\d-\d\d-\d\d(T.*)?")


def hide(value: Any) -> str:
    """Return the word that stands for anything.

    >>> hide("Ada")
    'hidden'
    """
    return HIDDEN


def partial(value: Any) -> str:
    """Return the first letter; of an address, its domain too.

    >>> partial("ada@example.com"), partial("Ada Lovelace"), partial(41)
    ('a…@example.com', 'A…', 'hidden')
    """
    if not isinstance(value, str) or len(value.strip()) < 2:
        return HIDDEN
    text = value.strip()
    address = _ADDRESS.fullmatch(text)
    return f"{address[1]}…@{address[2]}" if address else f"{text[0]}…"


def bucket(value: Any) -> str:
    """Return the range that a number or a date is in: a tenth of its size, or ten years.

    >>> bucket(41), bucket(9), bucket(1234.5), bucket("1990-05-17"), bucket("Ada")
    ('40 to 49', '0 to 9', '1000 to 1999', '1990s', 'hidden')
    """
    if isinstance(value, str):
        date = _DATE.fullmatch(value.strip())
        return f"{date[1]}0s" if date else HIDDEN
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e15:
        return HIDDEN
    step = max(10, 10 ** (len(str(int(value))) - 1))
    first = int(value) // step * step
    return f"{first} to {first + step - 1}"


def pseudonym(value: Any, key: bytes) -> str:
    """Return a keyed hash of text (32-byte `key`): the same for the same value, however it is written, in a workspace.

    >>> pseudonym("Ada@example.com", bytes(32)) == pseudonym(" ada@example.com", bytes(32))
    True
    """
    if not key or not isinstance(value, str | int):
        return HIDDEN
    return f"p-{digest('pseudonym', str(value).strip().casefold(), size=PSEUDONYM_BYTES, key=key).hex()}"


def masked(value: Any, how: How, key: bytes) -> Any:
    """Return a value as it is shown; never and nothing (None, "") stay what they are."""
    if how == "plain" or value in (None, ""):
        return value
    if isinstance(value, list | tuple):
        return [masked(one, how, key) for one in value]
    if how == "pseudonym":
        return pseudonym(value, key)
    return partial(value) if how == "partial" else bucket(value) if how == "bucket" else hide(value)


def stricter(one: How, other: How) -> How:
    """Return whichever says less.

    >>> stricter("partial", "pseudonym")
    'pseudonym'
    """
    return max(one, other, key=STRICTNESS.index)
