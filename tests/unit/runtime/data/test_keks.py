from __future__ import annotations

import base64
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import msgspec
import pytest

from livepost.errors import SettingsError
from livepost.fetch.address import OutgoingError, UnsafeAddressError
from livepost.runtime.data.keks import keks_of, place_in
from livepost.settings.settings import Settings
from livepost.vault.kek.plain import FileKeks
from tests.unit.fetch.authority import Authority

KEY = bytes(range(32))


class Played(BaseHTTPRequestHandler):
    """A server that answers as Transit's reference prints it."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        token = self.headers["X-Vault-Token"] == "hvs.token"
        data = {"plaintext": base64.b64encode(KEY).decode(), "ciphertext": "vault:v1:x"}
        body = msgspec.json.encode({"data": data} if token else {"errors": ["permission denied"]})
        self.send_response(200 if token else 403)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def test_the_setting_says_where_keys_are_kept(tmp_path: Path) -> None:
    FileKeks(tmp_path / "kek").make()
    for kek in (f"file:{tmp_path}/kek", "env:SHOP_KEK", "transit:shop"):
        store = keks_of(Settings(kek=kek), tmp_path, {})
        assert store.place == (kek if "file" not in kek else "file:kek")
    assert keks_of(Settings(kek=f"file:{tmp_path}/kek"), tmp_path, {}).read() == FileKeks(tmp_path / "kek").read()


def test_a_file_among_the_keys_is_noted_so_that_the_folder_may_move(tmp_path: Path) -> None:
    assert place_in(f"file:{tmp_path}/keys/kek", tmp_path / "keys") == "file:kek"
    assert place_in("file:/etc/livepost/kek", tmp_path / "keys") == "file:/etc/livepost/kek"
    assert place_in("aws-kms:alias/shop", tmp_path / "keys") == "aws-kms:alias/shop"


def test_keys_that_were_moved_are_found_where_the_data_folder_went_since(tmp_path: Path) -> None:
    before, behind = tmp_path / "before", tmp_path / "behind"
    keks_of(Settings(kek=f"file:{before}/kek"), before, {}).make_first(is_new=True)
    store = keks_of(Settings(kek=f"file:{before}/kek"), before, {})
    store.move(place_in(f"file:{before}/other", before))
    store.retire()
    before.rename(behind)
    assert keks_of(Settings(kek=f"file:{behind}/other"), behind, {}).read() == FileKeks(behind / "other").read()
    with pytest.raises(SettingsError, match=f'write kek = "file:{behind}/other"'):
        keks_of(Settings(kek=f"file:{behind}/kek"), behind, {}).require_agreed()


def test_a_first_key_is_made_once_where_one_can_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(kek=f"file:{tmp_path}/keys/kek")
    keks_of(settings, tmp_path, {}).make_first(is_new=True)
    made = keks_of(settings, tmp_path, {}).read()
    keks_of(settings, tmp_path, {}).make_first(is_new=True)
    assert keks_of(settings, tmp_path, {}).read() == made
    monkeypatch.delenv("SHOP_KEK", raising=False)
    with pytest.raises(SettingsError, match="in the variable SHOP_KEK, got none"):
        keks_of(Settings(kek="env:SHOP_KEK"), tmp_path, {}).make_first(is_new=True)


@pytest.mark.parametrize("missing", ["VAULT_ADDR", "VAULT_TOKEN"])
def test_transit_says_which_variable_is_missing(tmp_path: Path, missing: str) -> None:
    environ = {"VAULT_ADDR": "https://vault.example.com:8200", "VAULT_TOKEN": "x"}
    del environ[missing]
    with pytest.raises(SettingsError, match=f"needs {missing}"):
        keks_of(Settings(kek="transit:shop"), tmp_path, environ).read()


def test_certificates_that_cannot_be_read_are_said(tmp_path: Path) -> None:
    environ = {"VAULT_ADDR": "https://v.example.com", "VAULT_TOKEN": "x", "VAULT_CACERT": "/no/such/file"}
    with pytest.raises(SettingsError, match="VAULT_CACERT names /no/such/file"):
        keks_of(Settings(kek="transit:shop"), tmp_path, environ).read()


def test_transit_is_asked_over_http_where_the_operator_allows_it_and_not_else(tmp_path: Path) -> None:
    with HTTPServer(("127.0.0.1", 0), Played) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            here = f"127.0.0.1:{server.server_port}"
            environ = {"VAULT_ADDR": f"http://{here}", "VAULT_TOKEN": "hvs.token"}
            with pytest.raises(UnsafeAddressError):
                keks_of(Settings(kek="transit:shop"), tmp_path, environ).make_first(is_new=True)
            allowing = Settings(kek="transit:shop", allow_outgoing=[here])
            keks_of(allowing, tmp_path, environ).make_first(is_new=True)
            assert [one.key for one in keks_of(allowing, tmp_path, environ).read()] == [KEY]
            with pytest.raises(SettingsError, match="Vault said 403"):
                keks_of(allowing, tmp_path, {**environ, "VAULT_TOKEN": "another"}).read()
        finally:
            server.shutdown()
            thread.join()


def test_transit_is_refused_without_a_certificate_of_the_named_authority(tmp_path: Path) -> None:
    for name in ("own", "other"):
        (tmp_path / name).mkdir()
    own, other = Authority(tmp_path / "own"), Authority(tmp_path / "other")
    server = HTTPServer(("127.0.0.1", 0), Played)
    server.socket = own.serving("127.0.0.1").wrap_socket(server.socket, server_side=True)
    with server:
        Thread(target=server.serve_forever, daemon=True).start()
        here = f"127.0.0.1:{server.server_port}"
        settings = Settings(kek="transit:shop", allow_outgoing=[here])
        environ = {"VAULT_ADDR": f"https://{here}", "VAULT_TOKEN": "hvs.token"}
        for trusted in ({}, {"VAULT_CACERT": str(other.file)}):
            with pytest.raises(OutgoingError, match="certificate verify failed"):
                keks_of(settings, tmp_path, {**environ, **trusted}).make_first(is_new=True)
        keks_of(settings, tmp_path, {**environ, "VAULT_CACERT": str(own.file)}).make_first(is_new=True)
        server.shutdown()
