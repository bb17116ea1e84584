"""Message ids as rows keep them: one that ends in a UUID, with its dashes or without, takes 17 bytes and those of what
stands before it. SDKs end nearly all in one; a person's row holds a dozen.

Promised: what `shortened` made, `whole` gives back as it was, whatever it is; the same id is shortened to the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

Kept: TypeAlias = str | bytes
"""A message id in a row: bytes if it was shortened (a form, 16 bytes, what stood before in UTF-8), else as it is."""


Flags = npt.NDArray[np.bool_]


class _Form(NamedTuple):
    """How a UUID is written: its characters that are digits, and those that are dashes."""

    mark: bytes
    length: int
    digits: npt.NDArray[np.int64]
    dashes: npt.NDArray[np.int64]


_AT = np.array([8, 13, 18, 23])
_DASHED = _Form(b"\0", 36, np.delete(np.arange(36), _AT), _AT)
_PLAIN = _Form(b"\1", 32, np.arange(32), _AT[:0])

_TAIL = 17
"""Bytes of a shortened UUID with its mark."""

_VALUE = np.full(256, 16, np.uint8)
"""What a character is worth as a digit; 16: it is none, and so are capitals, which would come back small."""
_VALUE[np.frombuffer(b"0123456789abcdef", np.uint8)] = np.arange(16)


def shortened(message_ids: Sequence[str]) -> list[Kept]:
    """Return message ids as rows keep them: many at once, for one alone takes as long as a hundred."""
    kept: list[Kept] = [*message_ids]
    raw = [*map(str.encode, message_ids)]
    lengths = np.fromiter(map(len, raw), np.int64, len(raw))
    ends, text = np.cumsum(lengths), np.frombuffer(b"".join(raw), np.uint8)
    for form in (_DASHED, _PLAIN):
        long = np.flatnonzero(lengths >= form.length)
        if not len(long):
            continue
        fits, tails = _tails(text, ends[long], form)
        for place, tail in zip(long[fits].tolist(), tails, strict=True):
            kept[place] = tail + raw[place][: -form.length]
    return kept


def whole(kept: Kept) -> str:
    """Return a message id as it came."""
    if isinstance(kept, str):
        return kept
    digits, before = kept[1:_TAIL].hex(), kept[_TAIL:].decode()
    if kept[:1] == _PLAIN.mark:
        return before + digits
    return f"{before}{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def _tails(text: npt.NDArray[np.uint8], ends: npt.NDArray[np.int64], form: _Form) -> tuple[Flags, list[bytes]]:
    """Return which of the texts that end there end in a UUID of the form, and these UUIDs, shortened."""
    tails = text[ends[:, np.newaxis] + np.arange(-form.length, 0)]
    values = _VALUE[tails[:, form.digits]]
    fits = (values < 16).all(axis=1) & (tails[:, form.dashes] == ord("-")).all(axis=1)
    values = values[fits]
    marks = np.full((len(values), 1), form.mark[0], np.uint8)
    packed = np.hstack([marks, values[:, ::2] << 4 | values[:, 1::2]]).tobytes()
    return fits, [packed[at : at + _TAIL] for at in range(0, len(packed), _TAIL)]
