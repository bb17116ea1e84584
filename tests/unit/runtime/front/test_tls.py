"""TLS on the front's port, as clients that verify certificates meet it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from websockets.sync import client

from livepost.collect.app import Collect
from livepost.collect.whole import whole_calls
from livepost.control.users import Users
from livepost.errors import SettingsError
from livepost.runtime.data.folder import DataFolder
from livepost.runtime.front.listening import listen, serve
from livepost.runtime.front.tls import Certificate
from livepost.settings.settings import Settings

NOW = datetime(2026, 1, 5, tzinfo=UTC)


class Made:
    """A certificate of its own for localhost, written to files."""

    def __init__(self, folder: Path, until: datetime = NOW + timedelta(days=36_500)) -> None:
        self._until = until
        self.cert, self.key = folder / "chain.pem", folder / "key.pem"
        self.serial = self.renew()

    def renew(self) -> int:
        key, certificate = _pair(self._until)
        self.cert.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        self.key.write_bytes(_pem(key))
        self.serial = certificate.serial_number
        return self.serial


def _pair(until: datetime = NOW) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    builder = x509.CertificateBuilder(
        issuer_name=name,
        subject_name=name,
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=NOW - timedelta(days=30),
        not_valid_after=until,
    )
    names = x509.SubjectAlternativeName([x509.DNSName("localhost")])
    return key, builder.add_extension(names, critical=False).sign(key, hashes.SHA256())


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return Made(tmp_path)


async def _app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": scope["scheme"]})
        await send({"type": "websocket.close"})
        return
    told = f"{scope['scheme']} {scope['client'][0]}".encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(told))]})
    await send({"type": "http.response.body", "body": told})


class Served:
    """What a server answers while it runs in a loop of its own thread."""

    def __init__(self, certificate: Certificate | None, *, behind_proxy: bool = False) -> None:
        self._tls = None if certificate is None else certificate.context
        self._behind_proxy = behind_proxy
        self.listening = socket.socket()
        self.listening.bind(("127.0.0.1", 0))
        self.listening.listen()
        self.port = self.listening.getsockname()[1]

    def ask(self, work: Any) -> Any:
        async def story() -> Any:
            protocol = whole_calls(Collect(None, None, None, _app))  # type: ignore[arg-type]
            serving = asyncio.ensure_future(
                serve(_app, self.listening, lambda: None, protocol, tls=self._tls, behind_proxy=self._behind_proxy)
            )
            try:
                return await asyncio.to_thread(work)
            finally:
                serving.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await serving

        return asyncio.run(story())

    def get(self, made: Made, **headers: str) -> str:
        trusting = ssl.create_default_context(cafile=str(made.cert))
        answer = httpx.get(f"https://localhost:{self.port}/", verify=trusting, trust_env=False, headers=headers)
        return answer.text


@pytest.fixture
def served(made: Made) -> Iterator[Served]:
    server = Served(Certificate(made.cert, made.key))
    yield server
    server.listening.close()


def test_a_client_that_verifies_is_answered_over_tls(made: Made, served: Served) -> None:
    assert served.ask(lambda: served.get(made)) == "https 127.0.0.1"


def test_a_client_that_trusts_another_is_not(made: Made, served: Served, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = Made(tmp_path / "other")
    with pytest.raises(httpx.ConnectError, match="certificate verify failed"):
        served.ask(lambda: served.get(other))


def test_websockets_go_over_it_too(made: Made, served: Served) -> None:
    def heard() -> object:
        trusting = ssl.create_default_context(cafile=str(made.cert))
        with client.connect(f"wss://localhost:{served.port}/", ssl=trusting, proxy=None) as socket_:
            return socket_.recv(timeout=5)

    assert served.ask(heard) == "wss"


def test_nothing_older_than_tls_1_2_is_spoken(made: Made) -> None:
    assert Certificate(made.cert, made.key).context.minimum_version == ssl.TLSVersion.TLSv1_2


def test_plain_http_is_not_answered(made: Made, served: Served) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        served.ask(lambda: httpx.get(f"http://localhost:{served.port}/", trust_env=False))


def test_over_tls_nobody_says_whom_they_ask_for(made: Made, served: Served) -> None:
    assert served.ask(lambda: served.get(made, **{"x-forwarded-for": "192.0.2.1"})) == "https 127.0.0.1"


def test_behind_a_proxy_its_word_is_taken() -> None:
    served = Served(None, behind_proxy=True)
    headers = {"x-forwarded-for": "192.0.2.1", "x-forwarded-proto": "https"}
    url = f"http://127.0.0.1:{served.port}/"
    assert served.ask(lambda: httpx.get(url, headers=headers, trust_env=False).text) == "https 192.0.2.1"
    served.listening.close()


def test_a_renewed_certificate_is_served_without_a_restart(made: Made) -> None:
    certificate = Certificate(made.cert, made.key)
    served = Served(certificate)

    def serial() -> int:
        pem = ssl.get_server_certificate(("localhost", served.port))
        return x509.load_pem_x509_certificate(pem.encode()).serial_number

    def story() -> tuple[bool, bool]:
        before = serial() == made.serial
        assert not certificate.renew()
        made.renew()
        assert serial() != made.serial  # the control: not looked at yet
        assert certificate.renew()
        return before, serial() == made.serial

    assert served.ask(story) == (True, True)
    served.listening.close()


def test_a_renewal_that_is_half_done_is_not_taken(made: Made, capfd: pytest.CaptureFixture[str]) -> None:
    certificate = Certificate(made.cert, made.key)
    served = Served(certificate)
    trusted, whole = made.cert.read_bytes(), made.key.read_bytes()

    def story() -> str:
        made.key.write_bytes(_pem(_pair()[0]))
        assert not certificate.renew()
        made.cert.unlink()
        assert not certificate.renew()
        made.cert.write_bytes(trusted)
        return served.get(made)

    assert served.ask(story) == "https 127.0.0.1"
    assert "is not used" in capfd.readouterr().err
    made.key.write_bytes(whole)
    assert certificate.renew()
    served.listening.close()


def test_files_that_are_none_are_said(tmp_path: Path, made: Made) -> None:
    with pytest.raises(SettingsError, match="cannot be used"):
        Certificate(tmp_path / "nothing.pem", made.key)
    with pytest.raises(SettingsError, match="cannot be used"):
        Certificate(made.key, made.cert)


def test_others_are_let_in_once_somebody_has_a_password(tmp_path: Path, made: Made) -> None:
    told = Settings(data=str(tmp_path), host="0.0.0.0", port=0, tls_cert=str(made.cert), tls_key=str(made.key))
    folder = DataFolder(told)
    with pytest.raises(SettingsError, match="nobody has a password yet"):
        listen(folder)
    with contextlib.closing(folder.control()) as control:
        users = Users(control, bytes(32))
        users.set_password(users.add("Ada", "ada@example.com", "owner", 0).id, "hash")
    listen(folder).close()
    assert folder.console_url.startswith("https://localhost:")
