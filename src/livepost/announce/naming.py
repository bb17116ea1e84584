"""How a message names people to a target that may know them by pseudonyms only.

In: a message's id and body, in Livepost's own ids. Out: the same in the target's, without what other targets are told
alike: the place in the log and in the stream, and what a provider said of a mail. Promised: a field that is not known
here does not leave.
"""

from __future__ import annotations

from typing import Any

import msgspec

from livepost.vault.pseudonym import Pseudonyms

PLAIN = ("type", "segment", "state", "campaign", "reason", "at")
"""Fields of a message's data that name nobody."""


def renamed(id: str, body: bytes, pseudonyms: Pseudonyms) -> tuple[str, bytes]:
    """Return a message's id and body as a target is told them."""
    told = msgspec.json.decode(body, type=_Body)
    kind = id.partition("_")[0]
    new_id = f"{kind}_{pseudonyms.of(id.encode()).hex()}"
    return new_id, msgspec.json.encode(
        _Body(id=new_id, type=told.type, timestamp=told.timestamp, data=_data(told.data, pseudonyms))
    )


def _data(data: dict[str, Any], pseudonyms: Pseudonyms) -> dict[str, Any]:
    new = {name: value for name, value in data.items() if name in PLAIN}
    for name in ("id", "person"):
        if name in data:
            new[name] = _named(data[name], pseudonyms)
    if "subjects" in data:
        new["subjects"] = [_named(subject, pseudonyms) for subject in data["subjects"]]
    return new


def _named(id: str, pseudonyms: Pseudonyms) -> str:
    return pseudonyms.of(bytes.fromhex(id)).hex()


class _Body(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    type: str
    timestamp: str
    data: dict[str, Any]
