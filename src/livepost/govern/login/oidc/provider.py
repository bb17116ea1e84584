"""The provider: where it is, which keys it has, and what it answers for a code.

In: the settings, the one way out. Out: where a browser is sent; who came back. Promised: all that the provider names of
itself is asked over TLS too; its description and keys are asked for again after an hour, keys as soon as a token names
one that is not known, once a minute at most.
"""

from __future__ import annotations

import ssl
from base64 import b64encode
from collections.abc import Callable, Mapping
from contextlib import closing
from threading import Lock
from typing import Any, TypeVar
from urllib.parse import quote_plus, urlencode

import msgspec
from joserfc.jwk import KeySet

from livepost.clock import HOUR_MS, MINUTE_MS, SECOND_MS, Clock
from livepost.errors import SettingsError
from livepost.fetch.address import Allowed, OutgoingError
from livepost.fetch.fetcher import Answer, Fetcher, Method
from livepost.govern.login.oidc.attempts import Attempt
from livepost.govern.login.oidc.id_token import (
    ALGORITHMS,
    Expected,
    Identity,
    OidcError,
    UnknownKeyError,
    read_id_token,
    usable_keys,
)
from livepost.settings.oidc import Oidc, is_safe

WELL_KNOWN = "/.well-known/openid-configuration"
BACK_PATH = "/login/oidc/back"
"""Where the provider sends browsers back to, below the console's address."""

SCOPE = "openid email"
KEPT_MS = HOUR_MS
AGAIN_MS = MINUTE_MS
FAILED_FOR_MS = 10 * SECOND_MS
TOTAL_S = 8.0
"""How long the provider may take for one answer."""

T = TypeVar("T")


class Described(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider says of itself (OpenID Connect Discovery 1.0, 3), as far as it is used."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str = ""
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    id_token_signing_alg_values_supported: tuple[str, ...] = ("RS256",)
    authorization_response_iss_parameter_supported: bool = False


class Tokens(msgspec.Struct, frozen=True, kw_only=True):
    """What the provider gives for a code."""

    id_token: str
    access_token: str = ""


class Provider:
    """The provider of a workspace; `back` returns where it sends browsers to. Blocking, from any thread."""

    def __init__(self, table: Oidc, secret: str, back: Callable[[], str], allowed: Allowed, clock: Clock) -> None:
        """Take who it is and by what secret it knows us; raise SettingsError for a `cafile` without certificates."""
        self._table = table
        self._secret = secret
        self._back = back
        self._allowed = allowed
        self._clock = clock
        self._trust = _trust(table.cafile)
        self._lock = Lock()
        self._described: tuple[Described, int] | None = None
        self._failed: tuple[Exception, int] | None = None
        self._keys: tuple[KeySet, int] | None = None

    @property
    def name(self) -> str:
        """What people call it."""
        return self._table.name

    @property
    def issuer(self) -> str:
        """What it calls itself."""
        return self._table.issuer

    def way_to(self, attempt: Attempt) -> str:
        """Return where a browser is sent for an attempt; raise OidcError, OutgoingError if the provider cannot be
        asked.
        """
        asked = {
            "response_type": "code",
            "client_id": self._table.client_id,
            "redirect_uri": self._back(),
            "scope": SCOPE,
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": attempt.challenge,
            "code_challenge_method": "S256",
        }
        place = self.described().authorization_endpoint
        return f"{place}{'&' if '?' in place else '?'}{urlencode(asked)}"

    def identity(self, attempt: Attempt, code: str) -> Identity:
        """Return who a code is for; raise OidcError if that is not proven, OutgoingError without an answer."""
        tokens = self._tokens(attempt, code)
        expected = Expected(
            issuer=self.issuer,
            client_id=self._table.client_id,
            nonce=attempt.nonce,
            now_s=self._clock.now_ms() // 1000,
        )
        try:
            claims = read_id_token(tokens.id_token, self.keys(), expected)
        except UnknownKeyError:
            claims = read_id_token(tokens.id_token, self.keys(anew=True), expected)
        if "email" not in claims:
            claims = {**self._user_info(tokens.access_token, str(claims["sub"])), "sub": claims["sub"]}
        proven = claims.get("email_verified") is True and isinstance(claims.get("email"), str)
        return Identity(subject=claims["sub"], email=claims["email"] if proven else "")

    def check_issuer(self, told: str) -> None:
        """Raise OidcError if an answer says by whom it is, and that is not the provider; or if it has to, and does not
        (RFC 9207: what came of another provider is not handed to this one).
        """
        if told != self.issuer and (told or self.described().authorization_response_iss_parameter_supported):
            raise OidcError("the answer is of another provider than was asked")

    def described(self) -> Described:
        """Return what the provider says of itself, asked for once an hour."""
        with self._lock:
            now_ms = self._clock.now_ms()
            if self._described is None or now_ms - self._described[1] >= KEPT_MS:
                self._described = self._discovered(now_ms), now_ms
            return self._described[0]

    def keys(self, *, anew: bool = False) -> KeySet:
        """Return the provider's keys, asked for once an hour; `anew` at once, if that was not within a minute."""
        place = self.described().jwks_uri
        with self._lock:
            now_ms = self._clock.now_ms()
            age_ms = KEPT_MS if self._keys is None else now_ms - self._keys[1]
            if self._keys is None or age_ms >= (AGAIN_MS if anew else KEPT_MS):
                self._keys = usable_keys(_json(self._ask("GET", place), Any)), now_ms
            return self._keys[0]

    def _discovered(self, now_ms: int) -> Described:
        """Ask who the provider is; one that did not answer is asked again after FAILED_FOR_MS, and whoever comes in
        between is told so at once.
        """
        if self._failed is not None and now_ms - self._failed[1] < FAILED_FOR_MS:
            raise OidcError("the provider did not answer just now") from self._failed[0]
        try:
            return self._discover()
        except (OidcError, OutgoingError) as error:
            self._failed = error, self._clock.now_ms()
            raise

    def _discover(self) -> Described:
        told = _json(self._ask("GET", self.issuer.rstrip("/") + WELL_KNOWN), Described)
        if told.issuer != self.issuer:
            raise OidcError(f"the provider does not call itself {self.issuer}; write the issuer exactly as it does")
        places = (told.authorization_endpoint, told.token_endpoint, told.jwks_uri, told.userinfo_endpoint)
        if not all(is_safe(place, on_loopback=self._table.on_loopback) for place in places if place):
            raise OidcError("the provider has an address without TLS, and is not asked")
        if not set(ALGORITHMS) & set(told.id_token_signing_alg_values_supported):
            raise OidcError(f"the provider signs ID tokens by none of {', '.join(ALGORITHMS)}; set it to one of them")
        return told

    def _tokens(self, attempt: Attempt, code: str) -> Tokens:
        told = self.described()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._back(),
            "code_verifier": attempt.verifier,
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        if self._secret and "client_secret_basic" in told.token_endpoint_auth_methods_supported:
            headers["Authorization"] = _basic(self._table.client_id, self._secret)
        else:
            form |= {"client_id": self._table.client_id}
            form |= {"client_secret": self._secret} if self._secret else {}
        return _json(self._ask("POST", told.token_endpoint, urlencode(form).encode(), headers), Tokens)

    def _user_info(self, access_token: str, subject: str) -> Mapping[str, Any]:
        """Return what the provider says of a user besides (OpenID Connect Core 1.0, 5.3), {} if it says nothing."""
        place = self.described().userinfo_endpoint
        if not place or not access_token.isascii() or not access_token.isprintable() or not access_token:
            return {}
        headers = {"Authorization": f"Bearer {access_token}", "Accept": "application/json"}
        told = _json(self._ask("GET", place, b"", headers), dict[str, Any])
        if told.get("sub") != subject:
            raise OidcError("the provider tells of another user than it signed in")
        return told

    def _ask(self, method: Method, url: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
        with closing(Fetcher(self._allowed, trust=self._trust, total_s=TOTAL_S)) as fetch:
            answer = fetch.ask(method, url, body, headers or {})
        if answer.status != 200:
            raise OidcError(f"the provider refused ({answer.status}); sign in again; its own log says more")
        return answer


def provider_of(
    table: Oidc, back: Callable[[], str], allowed: Allowed, clock: Clock, secret_of: Callable[[str, str], str]
) -> Provider | None:
    """Return the provider that the settings name, None if they name none; raise SettingsError if it cannot be used.

    `secret_of` returns what is behind a reference, from the setting's name and the reference.
    """
    if not table.issuer:
        return None
    secret = secret_of("client_secret of oidc", table.client_secret) if table.client_secret else ""
    return Provider(table, secret, back, allowed, clock)


def _json(answer: Answer, told: type[T]) -> T:
    try:
        return msgspec.json.decode(answer.body, type=told)
    except (ValueError, RecursionError) as error:
        raise OidcError(
            "the provider's answer is not what OpenID Connect says; look whether the issuer is right"
        ) from error


def _basic(client_id: str, secret: str) -> str:
    """Return the header of a client with a secret (RFC 6749, 2.3.1)."""
    return "Basic " + b64encode(f"{quote_plus(client_id)}:{quote_plus(secret)}".encode()).decode()


def _trust(cafile: str) -> ssl.SSLContext | None:
    try:
        return ssl.create_default_context(cafile=cafile) if cafile else None
    except OSError as error:
        raise SettingsError(f"oidc names {cafile}, which holds no certificate: {error}") from error
