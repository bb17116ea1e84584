"""An entry of the audit: who did what, to whose data, when.

In: words and ids. Out: bytes that are always the same for the same entry. Promised: people are named by the random ids
of their subjects, which belong to nobody once they are forgotten; so forgetting changes no entry.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

ABOUT_MAX = 200

Word = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,39}(\.[a-z][a-z0-9_]{0,39})?\Z")]
"""What was done: a noun and a verb, like `person.read` or `campaign.killed`."""


class Entry(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """One thing that was done.

    at        when (UTC ms of the host's clock)
    by        who: `user:ID` (`user:ID/glass:ID` while they broke the glass), `key:SOURCE`, `session:ID` (of a one-time
              link) or `command:USER`
    did       what was done
    subjects  whose data were seen or changed: ids of subjects (16 bytes), none where it is about nobody
    about     what it was done to: the name of a campaign, a segment or a setting, an id; never a personal value
    """

    at: int
    by: Annotated[str, Meta(min_length=1, max_length=100)]
    did: Word
    subjects: tuple[bytes, ...] = ()
    about: Annotated[str, Meta(max_length=ABOUT_MAX)] = ""


def encoded(entry: Entry) -> bytes:
    """Return the entry's bytes; raise ValueError for one whose words do not fit."""
    body = _encoder.encode(entry)
    try:
        _decoder.decode(body)
    except msgspec.ValidationError as error:
        raise ValueError(f"expected words of the audit, got others: {error}") from None
    return body


def decoded(body: bytes) -> Entry:
    """Return the entry of bytes; raise ValueError if they are none."""
    return _decoder.decode(body)


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Entry)
