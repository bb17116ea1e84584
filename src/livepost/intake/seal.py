"""Values and their seals: a value as JSON bytes, under the subject's key, bound to where it stands.

In comes a plain value, out goes a seal, and back. `seal_context` of the vault says what a seal is bound to.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import msgspec

from livepost.ids import SUBJECT_BYTES
from livepost.model.record import SealedValue
from livepost.vault.base import SubjectKeys, seal_context

UNDECLARED = "$undeclared"
CONTEXT = "$context"
CALL = "$call"
"""Names of the seals that hold many values: undeclared fields, the rest of the context, a whole call kept
aside.
"""

CACHED_FIELDS = 4_096
"""Names of fields whose part of a context is remembered: a shop declares a few hundred at most."""

_encode = msgspec.json.Encoder().encode


def open_value(keys: SubjectKeys, workspace: str, value: SealedValue) -> Any:
    """Return the plain value; raise SealError if its key is gone or it was tampered with."""
    context = seal_context(workspace, value.source, value.subject, value.message_id, value.field)
    return msgspec.json.decode(keys.open(value.seal, context))


class Sealer:
    """Seals the fields of one workspace and source; keeps what all their contexts have in common."""

    def __init__(self, workspace: str, source: str) -> None:
        self._start = _part(workspace.encode()) + _part(source.encode()) + SUBJECT_BYTES.to_bytes(4, "big")

    def seal(self, keys: SubjectKeys, message_id: str, fields: dict[str, Any]) -> dict[str, bytes]:
        """Return each field's seal; the same contexts as `seal_context`, which `open_value` uses."""
        if not fields:
            return {}
        told, seal = message_id.encode(), keys.seal
        context = self._start + keys.subject + len(told).to_bytes(4, "big") + told
        return {field: seal(_encode(value), context + _field_part(field)) for field, value in fields.items()}

    def seal_all(
        self, keys: Sequence[SubjectKeys], message_ids: Sequence[str], fields: Sequence[dict[str, Any]]
    ) -> list[dict[str, bytes]]:
        """Return `seal` of each; one thing done for all takes less than all done for one and then for the next."""
        told = [message_id.encode() for message_id in message_ids]
        start = self._start
        contexts = [
            start + one.subject + len(raw).to_bytes(4, "big") + raw for one, raw in zip(keys, told, strict=True)
        ]
        texts = list(map(_encode, [value for one in fields for value in one.values()]))
        wholes = [
            (one.seal, context + _field_part(field))
            for one, context, named in zip(keys, contexts, fields, strict=True)
            for field in named
        ]
        seals = iter([seal(text, context) for text, (seal, context) in zip(texts, wholes, strict=True)])
        return [dict(zip(named, seals, strict=False)) for named in fields]


@lru_cache(CACHED_FIELDS)
def _field_part(field: str) -> bytes:
    return _part(field.encode())


def _part(raw: bytes) -> bytes:
    return len(raw).to_bytes(4, "big") + raw
