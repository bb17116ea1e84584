"""Rights requests in the front: OpenDSR's desk, and what acts on its requests.

In: requests under a secret key. Out: rows of `control.db`, exports, erasures, callbacks. Promised: a request is acted
on once its time to be cancelled is over, by this process or the next; nothing of an export is kept: it is made when its
link is followed; a callback goes to a host that the settings name, is signed, and is tried for three days.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import io
import struct
import sys
from collections.abc import Callable, Sequence
from hmac import compare_digest
from http import HTTPStatus
from pathlib import Path
from typing import Any, Protocol

import msgspec

from livepost.audit.deed import Deed, Notary
from livepost.clock import DAY_MS, HOUR_MS, MINUTE_MS, Clock
from livepost.control.requests import Callback, RequestKind, Requests, RightsRequest
from livepost.errors import LivepostError, RejectedError, SettingsError, StoreError
from livepost.fetch.address import OutgoingError, read_url
from livepost.fetch.fetcher import Fetch
from livepost.govern.rights.deadline import due_at
from livepost.govern.rights.opendsr import DsrSigner, read_request, status_of, time_of
from livepost.ids import digest, new_subject_id
from livepost.model.person import PersonView
from livepost.runtime.author.project import Project
from livepost.runtime.courier.targets import allowed_of
from livepost.runtime.data.folder import DataFolder
from livepost.runtime.engine.asking import Engine, engine_of
from livepost.runtime.rights.exporting import export_person, held_of
from livepost.runtime.rights.reach import Reach
from livepost.settings.opendsr import OpenDsr
from livepost.settings.secret import FILE
from livepost.settings.settings import length_ms
from livepost.vault.base import Vault

PURPOSE = "opendsr results"
"""The purpose for which the vault derives the secret of links to results."""

RESULTS_MS = 7 * DAY_MS
"""How long a link to results can be followed."""

RETRY_MS = (MINUTE_MS, 5 * MINUTE_MS, 30 * MINUTE_MS, 2 * HOUR_MS, 6 * HOUR_MS, *[12 * HOUR_MS] * 5)
"""After the n-th failure a callback is tried again so much later; after the last it is given up."""

TURN_S = 1.0
MAC_BYTES = 16
BY = "opendsr"

EXPORTS: tuple[RequestKind, ...] = ("access", "portability")


class Erases(Protocol):
    """Takes a person out of every store."""

    async def erase(self, person: str, by: str) -> Any:
        """Erase the person whom an id names (a subject's, in hex); return once it is done. Raises StoreError."""
        ...


def signer_of(table: OpenDsr) -> DsrSigner | None:
    """Return what signs by the settings; None where OpenDSR is off. Raises SettingsError."""
    if not table.domain:
        return None
    try:
        certificate = Path(table.certificate).read_bytes()
        key = Path(table.key.removeprefix(FILE)).read_bytes()
    except OSError as error:
        raise SettingsError(f"certificate or key of opendsr cannot be read: {error.strerror}") from error
    return DsrSigner(table.domain, certificate, key)


class Requesting:
    """See `livepost.api.opendsr.DsrDesk`; for the front's event loop."""

    def __init__(
        self,
        *,
        folder: DataFolder,
        project: Callable[[], Project],
        requests: Requests,
        vault: Callable[[], Vault],
        signer: DsrSigner,
        fetch: Fetch,
        erases: Erases | None,
        notary: Notary,
        host: Clock,
    ) -> None:
        """Take the parts; without `erases` requests to be erased are refused. `host` is the host's clock."""
        self.signer = signer
        self._folder = folder
        self._project = project
        self._requests = requests
        self._vault = vault
        self._fetch = fetch
        self._erases = erases
        self._notary = notary
        self._host = host
        self._table = folder.settings.opendsr
        self._allowed = allowed_of(folder.settings)
        self._secret = vault().secret(PURPOSE)
        self._wait_ms = length_ms(self._table.wait)

    @property
    def kinds(self) -> tuple[RequestKind, ...]:
        """What can be asked for."""
        return (*EXPORTS, "erasure") if self._erases is not None else EXPORTS

    def discovery(self) -> dict[str, Any]:
        """Return what is supported, as `/discovery` says it."""
        return {
            "api_version": "2.0",
            "supported_identities": [
                {"identity_type": name, "identity_format": "raw"} for name in ("controller_customer_id", "email")
            ],
            "supported_subject_request_types": list(self.kinds),
            "processor_certificate": f"https://{self.signer.domain}/opendsr/cert.pem",
        }

    async def enter(self, body: bytes, by: str) -> tuple[RightsRequest, dict[str, Any]]:
        """Enter a request, or find the one that came under its id."""
        asked = read_request(body, self.kinds)
        for url in asked.status_callback_urls:
            self._check(url)
        known = [self._vault().find(id) for id in asked.ids]
        now_ms = self._host.now_ms()
        request = RightsRequest(
            id=new_subject_id().hex(),
            kind=asked.subject_request_type,
            regulation=asked.regulation,
            way="opendsr",
            outside=asked.subject_request_id,
            subjects=await asyncio.to_thread(self._all, [one.subject for one in known if one is not None]),
            submitted_at=int(asked.submitted_time.timestamp() * 1000),
            received_at=now_ms,
            due_at=due_at(asked.regulation, now_ms, kind=asked.subject_request_type),
            verified="by the controller, who has a secret key",
            entered_by=by,
        )
        entered = await asyncio.to_thread(self._requests.enter, request, "", asked.status_callback_urls)
        if entered.kind != request.kind:
            raise RejectedError("this subject_request_id came with another subject_request_type before", code="opendsr")
        return entered, {
            "controller_id": self._controller,
            "expected_completion_time": time_of(entered.due_at),
            "received_time": time_of(entered.received_at),
            "encoded_request": base64.b64encode(body).decode(),
            "subject_request_id": entered.outside,
        }

    async def status(self, outside: str) -> tuple[RightsRequest, dict[str, Any]]:
        """Return how a request stands."""
        one = await self._known(outside)
        return one, self._status(one)

    async def cancel(self, outside: str, by: str) -> tuple[RightsRequest, dict[str, Any]]:
        """Cancel a request that is pending; once more is no harm."""
        one = await self._known(outside)
        now_ms = self._host.now_ms()
        if one.state != "cancelled":
            told = "the controller cancelled it"
            moved = await asyncio.to_thread(
                lambda: self._requests.move(one.id, "cancelled", now_ms=now_ms, by=by, told=told)
            )
            if not moved:
                raise RejectedError("the request is not pending any more, so it cannot be cancelled", code="opendsr")
        return one, {
            "controller_id": self._controller,
            "subject_request_id": outside,
            "received_time": time_of(now_ms),
            "api_version": "2.0",
        }

    async def results(self, token: str) -> tuple[bytes, str]:
        """Return a person's export, made now."""
        one = await asyncio.to_thread(self._behind, token)
        await self._notary.note(f"request:{one.id}", Deed("person.exported", one.subjects, one.id))
        return await asyncio.to_thread(self._export, one), f"export-{one.outside}.zip"

    async def run(self) -> None:
        """Act on requests and call back, for ever; what fails is said once and tried again."""
        said = ""
        while True:
            try:
                await self.turn()
                said = ""
            except LivepostError as error:
                if str(error) != said:
                    print(f"livepost: a rights request waits: {error}", file=sys.stderr)  # noqa: T201
                said = str(error)
            await asyncio.sleep(TURN_S)

    async def turn(self) -> None:
        """Act on what is due now, then call back. Raises LivepostError where a store is away."""
        before = self._host.now_ms() - self._wait_ms
        for one in await asyncio.to_thread(self._requests.waiting, self.kinds, "opendsr", before):
            await self._act(one)
        for callback in await asyncio.to_thread(self._requests.callbacks, self._host.now_ms()):
            await asyncio.to_thread(self._call, callback)

    @property
    def _controller(self) -> str:
        return self._table.controller or self._folder.settings.workspace

    async def _act(self, one: RightsRequest) -> None:
        self._move(one, "in_progress", "it is acted on")
        if one.kind in EXPORTS:
            found = await asyncio.to_thread(self._count, one.subjects) if one.subjects else 0
            self._move(one, "completed", f"{found} things were found, to be fetched", results=found)
            return
        assert self._erases is not None
        for person in await asyncio.to_thread(self._persons, one.subjects):
            await self._erases.erase(person.hex(), f"request:{one.id}")
        erased = one.subjects or self._requests.receipts_of(one.id)  # who died behind the erasure finds its receipt
        self._move(one, "completed", "erased" if erased else "nobody is known by it", results=len(erased))

    def _move(self, one: RightsRequest, state: Any, told: str, results: int = 0) -> None:
        self._requests.move(one.id, state, now_ms=self._host.now_ms(), by=BY, told=told, results=results)

    def _call(self, callback: Callback) -> None:
        """Tell a URL how a request stands, as it stood when this was noted."""
        one = self._requests.get(callback.request)
        if one is None:
            return
        then = msgspec.structs.replace(one, state=callback.state)
        body = msgspec.json.encode({**self._status(then), "status_callback_url": callback.url})
        error = self._post(callback.url, body)
        now_ms = self._host.now_ms()
        again = now_ms + RETRY_MS[callback.tries] if callback.tries < len(RETRY_MS) else 0
        self._requests.called(callback, now_ms=now_ms, error=error, again_at=again if error else 0)

    def _post(self, url: str, body: bytes) -> str:
        """Return why a host did not take a callback, "" if it did."""
        try:
            self._check(url)
            headers = {"Content-Type": "application/json", "User-Agent": "Livepost"}
            answer = self._fetch.post(url, body, {**headers, **self.signer.headers(body)})
        except (OutgoingError, RejectedError) as error:
            return str(error)
        return "" if 200 <= answer.status < 300 else f"it answered with {answer.status}"

    def _check(self, url: str) -> None:
        """Raise RejectedError unless a URL is one that may be called back."""
        try:
            address = read_url(url, self._allowed)
        except OutgoingError as error:
            raise RejectedError(f"a status_callback_url cannot be called: {error}", code="opendsr") from None
        if address.host not in self._table.callbacks:
            raise RejectedError(
                f"expected status_callback_urls of hosts that the settings name, got {address.host}; "
                "add it to `callbacks` of [opendsr]",
                code="opendsr",
            )

    def _status(self, one: RightsRequest) -> dict[str, Any]:
        url = f"https://{self.signer.domain}/opendsr/results/{self._link(one)}" if one.kind in EXPORTS else ""
        return status_of(one, self._controller, url if one.subjects else "")

    def _link(self, one: RightsRequest) -> str:
        """Return the secret part of the link to a request's results, which ends RESULTS_MS after its answer."""
        told = bytes.fromhex(one.id) + struct.pack(">q", one.answered_at + RESULTS_MS)
        return base64.urlsafe_b64encode(told + self._mac(told)).decode()

    def _mac(self, told: bytes) -> bytes:
        return digest("results", told, size=MAC_BYTES, key=self._secret)

    def _behind(self, token: str) -> RightsRequest:
        """Return the request whose results a link opens; raise RejectedError (404) where it opens none (any more)."""
        lost = RejectedError(
            "expected a link to results that holds, got another; ask for the request's status to get a new one",
            code="opendsr",
            status=HTTPStatus.NOT_FOUND,
        )
        try:
            raw = base64.b64decode(token[:200].encode(), altchars=b"-_", validate=True)
        except (binascii.Error, UnicodeEncodeError):
            raise lost from None
        told, mac = raw[:-MAC_BYTES], raw[-MAC_BYTES:]
        if len(told) != 24 or not compare_digest(mac, self._mac(told)):
            raise lost
        (ends_ms,) = struct.unpack(">q", told[16:])
        one = self._requests.get(told[:16].hex())
        if one is None or one.state != "completed" or not one.subjects or self._host.now_ms() >= ends_ms:
            raise lost
        return one

    async def _known(self, outside: str) -> RightsRequest:
        one = await asyncio.to_thread(self._requests.by_outside, outside)
        if one is None:
            raise RejectedError(
                "no request came under this subject_request_id", code="opendsr", status=HTTPStatus.NOT_FOUND
            )
        return one

    def _all(self, named: Sequence[bytes]) -> tuple[bytes, ...]:
        if not named:
            return ()
        views = self._views(named).values()
        return tuple(dict.fromkeys([*named, *(one for view in views for one in view.subjects)]))

    def _persons(self, subjects: Sequence[bytes]) -> list[bytes]:
        """Return a subject of each person, of those that are still known."""
        return list(dict.fromkeys(view.person for view in self._views(subjects).values())) if subjects else []

    def _views(self, subjects: Sequence[bytes]) -> dict[bytes, PersonView]:
        with engine_of(self._folder, self._project()) as engine:
            return engine.people(list(subjects), -1)

    def _count(self, subjects: Sequence[bytes]) -> int:
        return sum(1 for _ in held_of(self._folder, self._project(), self._all(subjects)))

    def _export(self, one: RightsRequest) -> bytes:
        def find(reach: Reach, engine: Engine) -> PersonView:
            views = list(engine.people(list(one.subjects), -1).values())
            if not views:
                raise StoreError("nobody is known by it any more")
            subjects = dict.fromkeys(subject for view in views for subject in view.subjects)
            return msgspec.structs.replace(views[0], subjects=tuple(subjects))

        file = io.BytesIO()
        export_person(self._folder, self._project(), find, file)
        return file.getvalue()
