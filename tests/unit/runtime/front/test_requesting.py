"""OpenDSR's desk held to the framework's own examples; callbacks to a real listener, checked by the certificate."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import os
import re
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID
from starlette.applications import Starlette

from livepost.api.opendsr import NEEDS, dsr_routes
from livepost.audit.deed import Deed
from livepost.control.requests import Requests
from livepost.errors import SettingsError
from livepost.fetch.fetcher import Fetcher
from livepost.govern.rights.export import check_export, items
from livepost.govern.rights.manifest import PURPOSE, ExportSigner
from livepost.runtime.courier.targets import allowed_of
from livepost.runtime.front.requesting import RESULTS_MS, Requesting, signer_of
from livepost.settings.opendsr import OpenDsr
from tests.unit.runtime.still import StillHouse, ada, look, make_project

DOMAIN = "opendsr.shop.example"
SHARED = Path(os.environ.get("SHARED_DATA", Path(__file__).parents[5] / "shared" / "data"))
EXAMPLES = SHARED / "governance" / "opendsr" / "opendsr_examples.json"
ID = "a7551968-d5d6-44b2-9831-815ac9017798"


def _example(beginning: str) -> dict[str, Any]:
    """Return the body of the framework's example whose text begins so."""
    if not EXAMPLES.exists():
        pytest.skip("the framework's examples are not there")
    [found] = [one["json"] for one in json.loads(EXAMPLES.read_text()) if one["raw"].startswith(beginning)]
    return dict(found)


@cache
def _made(number: int) -> tuple[bytes, bytes]:
    """Return a certificate of DOMAIN that a CA issued, with its key, both PEM; another one for each number."""
    now = datetime.now(UTC)
    ca, own = (rsa.generate_private_key(65537, 2048) for _ in range(2))

    def name(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    built = (
        x509.CertificateBuilder()
        .subject_name(name(DOMAIN))
        .issuer_name(name("A CA"))
        .public_key(own.public_key())
        .serial_number(number)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(DOMAIN)]), critical=False)
        .sign(ca, hashes.SHA256())
    )
    key = own.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return built.public_bytes(serialization.Encoding.PEM), key


def _certificate(folder: Path, number: int = 1) -> tuple[Path, Path]:
    """Write a certificate and its key."""
    certificate, key = folder / "cert.pem", folder / "key.pem"
    for path, body in zip((certificate, key), _made(number), strict=True):
        path.write_bytes(body)
    return certificate, key


class Listener:
    """A controller's endpoint for callbacks: what it got, and what it answers."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.answers = 202
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                outer.got.append((dict(self.headers), body))
                self.send_response(outer.answers)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class Client:
    """Asks an app as a controller does."""

    def __init__(self, app: Starlette) -> None:
        self._app = app

    def ask(self, method: str, path: str, **told: Any) -> httpx.Response:
        async def asked() -> httpx.Response:
            transport = httpx.ASGITransport(app=self._app)
            async with httpx.AsyncClient(transport=transport, base_url=f"https://{DOMAIN}") as client:
                return await client.request(method, path, **told)

        return asyncio.run(asked())

    def get(self, path: str, **told: Any) -> httpx.Response:
        return self.ask("GET", path, **told)

    def post(self, path: str, **told: Any) -> httpx.Response:
        return self.ask("POST", path, **told)

    def delete(self, path: str, **told: Any) -> httpx.Response:
        return self.ask("DELETE", path, **told)


class SetClock:
    def __init__(self) -> None:
        self.at = 1_700_000_000_000

    def now_ms(self) -> int:
        return self.at

    def monotonic_ms(self) -> int:
        return self.at


class Noted:
    def __init__(self) -> None:
        self.deeds: list[tuple[str, Deed]] = []

    async def note(self, by: str, deed: Deed) -> None:
        self.deeds.append((by, deed))


class Erased:
    def __init__(self) -> None:
        self.people: list[tuple[str, str]] = []

    async def erase(self, person: str, by: str) -> None:
        self.people.append((person, by))


class Desk:
    """A house with OpenDSR, its client with a secret key, a listener."""

    def __init__(self, project: Path, listener: Listener) -> None:
        self.listener = listener
        certificate, key = _certificate(project)
        with (project / "livepost.toml").open("a") as settings:
            settings.write(
                f'\nallow_outgoing = ["127.0.0.1:{listener.port}"]\n[opendsr]\ndomain = "{DOMAIN}"\n'
                f'controller = "example_controller_id"\ncertificate = "{certificate.name}"\n'
                f'key = "file:{key.name}"\ncallbacks = ["127.0.0.1"]\n'
            )
        self.house = StillHouse(project)
        john = {"type": "identify", "userId": "john", "messageId": "j", "traits": {"email": "johndoe@example.com"}}
        self.house.take(ada(), look("green-tea"), john, look("black-tea", "john"))
        self.house.engine_works()
        self.clock, self.noted, self.erased = SetClock(), Noted(), Erased()
        self.vault, self.control = self.house.folder.vault(readonly=True), self.house.folder.control()
        signer = signer_of(self.house.folder.settings.opendsr)
        assert signer is not None
        self.requests = Requests(self.control)
        self.fetch = Fetcher(allowed_of(self.house.folder.settings))
        self.requesting = Requesting(
            folder=self.house.folder,
            project=lambda: self.house.project,
            requests=self.requests,
            vault=lambda: self.vault,
            signer=signer,
            fetch=self.fetch,
            erases=self.erased,
            notary=self.noted,
            host=self.clock,
        )
        keys = self.house.folder.keys
        self.certificate = x509.load_pem_x509_certificate(signer.certificate)
        routes = dsr_routes(self.requesting, keys, self.noted)
        self.secret = {"Authorization": f"Bearer {keys.new('secret', 'controller', 1, scopes=(NEEDS.scope,)).key}"}
        self.client = Client(Starlette(routes=routes))

    @property
    def callback(self) -> str:
        return f"http://127.0.0.1:{self.listener.port}/opendsr/callbacks"

    def asked(self, **changes: Any) -> dict[str, Any]:
        """Return the framework's own request, to be called back here."""
        return {**_example("POST /requests"), "status_callback_urls": [self.callback], **changes}

    def turn(self) -> None:
        asyncio.run(self.requesting.turn())

    def require_signed(self, headers: Any, body: bytes) -> None:
        """Do what the framework tells a controller to do; raise InvalidSignature."""
        told = {name.lower(): value for name, value in headers.items()}
        assert told["x-opendsr-processor-domain"] == DOMAIN
        signature = base64.b64decode(told["x-opendsr-signature"])
        key = self.certificate.public_key()
        assert isinstance(key, rsa.RSAPublicKey)
        key.verify(signature, body, padding.PKCS1v15(), hashes.SHA256())

    def close(self) -> None:
        for one in (self.vault, self.control, self.fetch):
            one.close()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with closing(Listener()) as listener, closing(Desk(make_project(tmp_path / "shop"), listener)) as made:
        yield made


def test_discovery_says_what_is_supported_and_names_the_certificate_that_signs(desk: Desk) -> None:
    for path in ("/opendsr/discovery", "/opendsr/v1/discovery", "/opendsr/v2/discovery"):
        answer = desk.client.get(path)
        assert set(answer.json()) == set(_example("HTTP/1.1 200 OK\nContent-Type: application/json\n\n"))
        desk.require_signed(answer.headers, answer.content)
    assert answer.json()["supported_subject_request_types"] == ["access", "portability", "erasure"]
    assert answer.json()["processor_certificate"] == f"https://{DOMAIN}/opendsr/cert.pem"
    pem = desk.client.get("/opendsr/cert.pem").content
    assert x509.load_pem_x509_certificate(pem) == desk.certificate


def test_a_request_is_answered_as_in_the_example_and_is_one_however_often_it_comes(desk: Desk) -> None:
    body = msgspec.json.encode(desk.asked())
    first = desk.client.post("/opendsr/requests", content=body, headers=desk.secret)
    assert (first.status_code, set(first.json())) == (201, set(_example("HTTP/1.1 201")))
    assert base64.b64decode(first.json()["encoded_request"]) == body
    assert first.json()["controller_id"] == "example_controller_id"
    desk.require_signed(first.headers, first.content)
    with pytest.raises(InvalidSignature):
        desk.require_signed(first.headers, first.content + b" ")
    again = desk.client.post("/opendsr/v2/requests", content=body, headers=desk.secret)
    assert again.json() == first.json()
    assert len(desk.requests.listed()) == 1
    assert b"johndoe" not in (desk.house.folder.path / "control.db").read_bytes()


def test_an_erasure_can_be_cancelled_while_it_is_pending_then_it_is_done_and_called_back(desk: Desk) -> None:
    other = "b7551968-d5d6-44b2-9831-815ac9017798"
    for id in (ID, other):
        told = desk.asked(subject_request_id=id)
        assert desk.client.post("/opendsr/requests", json=told, headers=desk.secret).status_code == 201
    desk.turn()
    cancelled = desk.client.delete(f"/opendsr/requests/{other}", headers=desk.secret)
    assert (cancelled.status_code, set(cancelled.json())) == (202, set(_example("HTTP/1.1 202")))
    desk.clock.at += 3_600_000
    desk.turn()
    one = desk.requests.by_outside(ID)
    assert one is not None and one.state == "completed"
    assert [by for _, by in desk.erased.people] == [f"request:{one.id}"]
    assert desk.client.delete(f"/opendsr/requests/{ID}", headers=desk.secret).status_code == 400
    desk.turn()
    expected = {k for k in _example("POST /opendsr/callbacks") if k != "results_url"}
    for headers, body in desk.listener.got:
        desk.require_signed(headers, body)
        assert expected - {"results_count"} <= set(json.loads(body))
    told = [
        (json.loads(body)["subject_request_id"], json.loads(body)["request_status"]) for _, body in desk.listener.got
    ]
    assert sorted(told) == [(ID, "completed"), (ID, "in_progress"), (other, "cancelled")]


def test_the_results_of_access_are_made_when_their_link_is_followed_until_it_ends(desk: Desk) -> None:
    told = desk.asked(subject_request_type="access", regulation="ccpa")
    desk.client.post("/opendsr/requests", json=told, headers=desk.secret)
    pending = desk.client.get(f"/opendsr/requests/{ID}", headers=desk.secret)
    example = _example("HTTP/1.1 200 OK\nContent-Type: application/json\nX-OpenDSR")
    assert set(example) - {"results_url", "results_count"} == set(pending.json())
    desk.clock.at += 3_600_000
    desk.turn()
    done = desk.client.get(f"/opendsr/v1/opengdpr_requests/{ID}", headers=desk.secret)
    assert done.headers["x-opengdpr-processor-domain"] == DOMAIN
    assert set(done.json()) == set(example)
    link = done.json()["results_url"].removeprefix(f"https://{DOMAIN}")
    got = desk.client.get(link)
    assert got.status_code == 200
    with closing(desk.house.folder.vault(readonly=True)) as vault:
        assert check_export(io.BytesIO(got.content), ExportSigner(vault.secret(PURPOSE)).public).holds
    ids = [one["value"] for one in items(io.BytesIO(got.content), "data/vault.db.jsonl")]
    assert "john" in ids and "johndoe@example.com" in ids
    with zipfile.ZipFile(io.BytesIO(got.content)) as bundle:
        told = b"\n".join(bundle.read(name) for name in bundle.namelist())
    assert re.search(rb"\bjohn\b", told) and not re.search(rb"\bada\b", told)
    assert desk.noted.deeds[-1][1].did == "person.exported"
    assert not [path for path in desk.house.folder.path.rglob("*.zip")]
    assert desk.client.get(link[:-3] + "AAA").status_code == 404
    desk.clock.at += RESULTS_MS
    assert desk.client.get(link).status_code == 404


def test_a_callback_that_is_not_taken_is_tried_again_in_order(desk: Desk) -> None:
    desk.listener.answers = 500
    desk.client.post("/opendsr/requests", json=desk.asked(subject_request_type="access"), headers=desk.secret)
    desk.clock.at += 3_600_000
    desk.turn()
    desk.turn()
    assert len(desk.listener.got) == 1
    desk.listener.answers = 202
    desk.clock.at += 60_000
    desk.turn()
    desk.turn()
    states = [json.loads(body)["request_status"] for _, body in desk.listener.got]
    assert states == ["in_progress", "in_progress", "completed"]


REFUSED: tuple[tuple[str, Callable[[Desk], dict[str, Any]]], ...] = (
    ("subject_request_id", lambda desk: {k: v for k, v in desk.asked().items() if k != "subject_request_id"}),
    ("subject_request_id", lambda desk: desk.asked(subject_request_id=ID.upper())),
    ("subject_request_type", lambda desk: desk.asked(subject_request_type="rectification")),
    ("subject_identities", lambda desk: desk.asked(subject_identities=[])),
    ("identity", lambda desk: desk.asked(subject_identities=[
        {"identity_type": "email", "identity_value": "55502f40dc8b7c769880b10874abc9d0", "identity_format": "md5"}])),
    ("submitted_time", lambda desk: desk.asked(submitted_time="2018-10-02T15:00:00")),
    ("callbacks", lambda desk: desk.asked(status_callback_urls=["https://evil.example/cb"])),
    ("cannot be called", lambda desk: desk.asked(status_callback_urls=["http://169.254.169.254/latest"])),
)  # fmt: skip


@pytest.mark.parametrize(("word", "asked"), REFUSED)
def test_what_does_not_fit_is_refused_in_the_frameworks_words(
    desk: Desk, word: str, asked: Callable[[Desk], dict[str, Any]]
) -> None:
    answer = desk.client.post("/opendsr/requests", json=asked(desk), headers=desk.secret)
    assert answer.status_code == 400
    assert word in answer.json()["error"]["message"]
    assert set(answer.json()["error"]) == set(_example("HTTP/1.1 400")["error"])
    assert "johndoe" not in answer.text
    assert desk.requests.listed() == []


def test_nothing_is_told_without_a_secret_key(desk: Desk) -> None:
    desk.client.post("/opendsr/requests", json=desk.asked(), headers=desk.secret)
    write = {"Authorization": f"Bearer {desk.house.folder.keys.new('write', 'site', 1).key}"}
    for headers, status in (({}, 401), (write, 403)):
        assert desk.client.post("/opendsr/requests", json=desk.asked(), headers=headers).status_code == status
        assert desk.client.get(f"/opendsr/requests/{ID}", headers=headers).status_code == status
        assert desk.client.delete(f"/opendsr/requests/{ID}", headers=headers).status_code == status
    assert desk.client.get("/opendsr/requests/unknown", headers=desk.secret).status_code == 404


def test_a_certificate_of_another_domain_or_key_is_refused(tmp_path: Path) -> None:
    certificate, key = _certificate(tmp_path)
    (tmp_path / "other").mkdir()
    _, other = _certificate(tmp_path / "other", 2)
    for domain, its in ((DOMAIN, other), ("shop.example", key)):
        with pytest.raises(SettingsError):
            signer_of(OpenDsr(domain=domain, certificate=str(certificate), key=f"file:{its}"))
    assert signer_of(OpenDsr()) is None
