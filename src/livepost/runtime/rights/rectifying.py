"""Rectifications (GDPR art. 16): what a person is known by, set right by an event of the house's own.

In: a request for it that waits, and the right values. Out: the request, answered. Promised: what is wrong in itself
changes nothing and is said; the correction is an event of now in the log, so that it holds at every replay and against
whatever happened before it, however late that comes in; it starts no campaign; the audit and the answer name fields,
never values.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from livepost.audit.deed import Deed, Notary
from livepost.clock import Clock
from livepost.control.requests import Requests, RightsRequest
from livepost.errors import RejectedError
from livepost.govern.rights.correction import Correction
from livepost.intake.call import Call
from livepost.intake.record import Arrival
from livepost.intake.seal import UNDECLARED
from livepost.intake.writer import Intake, Lane
from livepost.model.compiled import Compiled, FieldSpec
from livepost.model.record import KeyKind, Origin, Record, Verdict
from livepost.vault.base import ANONYMOUS, EMAIL, USER, ExternalId, Vault

RECTIFY = "rectify"
"""What others ask the front for: the argument is a `Correction`, the answer a `RightsRequest`."""

SOURCE = "rectification"
"""The source of such events."""

IDENTIFY = "$identify"


class Rectifying:
    """Rectifications of one workspace; for the event loop of the writer of its log."""

    def __init__(
        self,
        *,
        requests: Requests,
        intake: Intake,
        vault: Callable[[], Vault],
        compiled: Callable[[], Compiled],
        notary: Notary,
        clock: Clock,
        host: Clock,
    ) -> None:
        """Take the parts; `compiled` is what serves by now, `clock` the workspace's, `host` the host's."""
        self._requests = requests
        self._intake = intake
        self._vault = vault
        self._compiled = compiled
        self._notary = notary
        self._clock = clock
        self._host = host

    async def handle(self, raw: msgspec.Raw) -> RightsRequest:
        """Do it for another process of this machine."""
        return await self.rectify(msgspec.msgpack.decode(raw, type=Correction))

    async def rectify(self, told: Correction) -> RightsRequest:
        """Set values right, answer the request, and return it.

        Raises RejectedError: 404 for a request that is none, 409 for one that does not wait for this, 400 for values
        that the project does not declare, or declares otherwise; StoreError if it cannot be written.
        """
        one = self._waiting(told.request)
        names = self._named(told.values)
        record = self._record(one, told.values)
        await self._notary.note(told.by, Deed("person.rectified", one.subjects, ", ".join(names)[:200]))
        await self._intake.admit_records([record], Lane.LIVE)
        said = f"set right: {', '.join(names)}"
        self._requests.move(one.id, "completed", now_ms=self._host.now_ms(), by=told.by, told=said)
        return self._requests.get(one.id) or one

    def _waiting(self, id_: str) -> RightsRequest:
        one = self._requests.get(id_)
        if one is None:
            raise RejectedError(
                "expected the id of a request for rectification, got another; `livepost requests list` shows them",
                code="request",
                status=404,
            )
        if one.kind != "rectification" or not one.is_open:
            got = one.kind if one.kind != "rectification" else f"one that is {one.state}"
            raise RejectedError(
                f"expected a request for rectification that waits, got {got}; enter another one",
                code="request",
                status=409,
            )
        return one

    def _named(self, values: dict[str, Any]) -> list[str]:
        """Return the fields that the values are of, by the author's names; raise RejectedError for what is none."""
        fields = {key: field for field in self._fields() for key in (*field.keys, field.name)}
        known = sorted({field.keys[0] for field in fields.values() if not field.key})
        wrong = [name for name in values if name not in fields or fields[name].key]
        if not values or wrong or None in values.values():
            got = "none" if not values else f"{len(wrong)} other names" if wrong else "null for one of them"
            raise RejectedError(
                f"expected values of what the project declares of people ({', '.join(known) or 'nothing'}), got {got}; "
                "ids say who is who, and are not set right by this",
                code="values",
            )
        return list(dict.fromkeys(fields[name].name for name in values))

    def _fields(self) -> Sequence[FieldSpec]:
        return next((event.fields for event in self._compiled().events if event.name == IDENTIFY), ())

    def _record(self, one: RightsRequest, values: dict[str, Any]) -> Record:
        vault = self._vault()
        self._require_free(vault, one.subjects, values)
        name = _name(vault.external_ids(one.subjects))
        call = Call(type="identify", message_id=f"{SOURCE}-{one.id}", traits=values)
        call = msgspec.structs.replace(call, **{"user_id" if name.kind == USER else "anonymous_id": name.value})
        arrival = Arrival(source=SOURCE, key=KeyKind.SECRET, received_at=self._clock.now_ms(), origin=Origin.IMPORT)
        [record] = self._intake.recorder.records([call], arrival)
        if record.verdict is not Verdict.ACCEPTED or UNDECLARED in record.sealed:
            raise RejectedError(record.reason or "expected declared values, got another", code="values")
        return record

    def _require_free(self, vault: Vault, subjects: Sequence[bytes], values: dict[str, Any]) -> None:
        """Raise RejectedError for an address that somebody else is known by: to set it would make one person of two."""
        address = values.get("email")
        other = vault.find(ExternalId(EMAIL, address)) if isinstance(address, str) and address.strip() else None
        if other is not None and other.subject not in subjects:
            raise RejectedError(
                "expected an address that nobody else is known by, got another person's; set that one right first",
                code="address",
                status=409,
            )


def _name(ids: Sequence[ExternalId]) -> ExternalId:
    """Return the id by which an event of the person is told; raise RejectedError if there is none."""
    for kind in (USER, ANONYMOUS):
        found = next((one for one in ids if one.kind == kind), None)
        if found is not None:
            return found
    raise RejectedError(
        "expected a person who is known by a userId or an anonymousId, got nobody or one without; an import or your "
        "server has to say who they are first",
        code="person",
        status=409,
    )
