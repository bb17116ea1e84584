"""A provider on loopback that signs whatever a test tells it to, right or wrong."""

from __future__ import annotations

import json
import threading
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote_plus, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, Key, RSAKey

from livepost.clock import SimulatedClock
from livepost.fetch.address import read_allowed
from livepost.govern.login.oidc.attempts import challenge_of
from livepost.govern.login.oidc.provider import Provider
from livepost.settings.oidc import Oidc

CLIENT, SECRET = "livepost", "words: with & signs"
BACK = "http://console.example/login/oidc/back"
NOW_MS = 1_795_296_700_000
NOW_S = NOW_MS // 1000

RSA = RSAKey.generate_key(2048, {"kid": "rsa-1", "use": "sig"})
EC = ECKey.generate_key("P-256", {"kid": "ec-1", "use": "sig"})


def claims_of(issuer: str, nonce: str, /, **changed: Any) -> dict[str, Any]:
    """Return the claims of a right token; `changed` ones are put in, None leaves one out."""
    right = {
        "iss": issuer,
        "sub": "248289761001",
        "aud": CLIENT,
        "nonce": nonce,
        "iat": NOW_S,
        "exp": NOW_S + 300,
        "email": "ada@example.com",
        "email_verified": True,
    }
    return {name: value for name, value in {**right, **changed}.items() if value is not None}


def signed(claims: dict[str, Any], key: Key = RSA, algorithm: str = "RS256", **header: Any) -> str:
    """Return a token."""
    told = {"alg": algorithm, "kid": key.kid, **header}
    return jwt.encode(told, claims, key, algorithms=[algorithm])


class Issuer:
    """The provider; `codes` are those it gave out, with the challenge that each came with and the token it is for."""

    def __init__(self) -> None:
        self.keys: list[Key] = [RSA, EC]
        self.codes: dict[str, tuple[str, str]] = {}
        self.user_info: dict[str, Any] = {}
        self.told: dict[str, Any] = {}
        self.asked: list[str] = []
        self.issuer = ""

    def metadata(self) -> dict[str, Any]:
        """Return what it says of itself."""
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/auth",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "userinfo_endpoint": f"{self.issuer}/me",
            "id_token_signing_alg_values_supported": ["RS256", "ES256"],
            **self.told,
        }

    def gives(self, way: str, **changed: Any) -> str:
        """Take a browser that was sent here, and return the code it goes back with; `token` is given in place of one
        that is right but for what is changed.
        """
        asked = dict(parse_qsl(urlsplit(way).query))
        token = changed.pop("token", None) or signed(claims_of(self.issuer, asked["nonce"], **changed))
        code = f"code-{len(self.codes)}"
        self.codes[code] = asked["code_challenge"], token
        return code

    def answer(self, path: str, form: dict[str, str], authorization: str) -> tuple[int, Any]:
        """Return the status and the body of an answer."""
        self.asked.append(path)
        if path.endswith("/openid-configuration"):
            return 200, self.metadata()
        if path == "/jwks":
            return 200, {"keys": [key.as_dict(private=False) for key in self.keys]}
        if path == "/me":
            return (200, self.user_info) if authorization == "Bearer access" else (401, {})
        name, _, secret = b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
        if (unquote_plus(name), unquote_plus(secret)) != (CLIENT, SECRET):
            return 401, {"error": "invalid_client"}
        challenge, token = self.codes.pop(form.get("code", ""), ("", ""))
        if challenge != challenge_of(form.get("code_verifier", "")) or form.get("redirect_uri") != BACK:
            return 400, {"error": "invalid_grant"}
        return 200, {"id_token": token, "access_token": "access", "token_type": "Bearer"}


@contextmanager
def issuing() -> Iterator[Issuer]:
    """Let a provider answer."""
    issuer = Issuer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._reply({})

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            self._reply(dict(parse_qsl(self.rfile.read(length).decode())))

        def _reply(self, form: dict[str, str]) -> None:
            status, told = issuer.answer(self.path, form, self.headers.get("Authorization", ""))
            body = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *told: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        issuer.issuer = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield issuer
        finally:
            server.shutdown()


def provider_at(issuer: str, clock: SimulatedClock, **changed: Any) -> Provider:
    """Return our side of it."""
    table = {"issuer": issuer, "client_id": CLIENT, "client_secret": "env:X", "name": "Acme", "on_loopback": True}
    allowed = read_allowed([urlsplit(issuer).netloc])
    return Provider(Oidc(**{**table, **changed}), SECRET, lambda: BACK, allowed, clock)
