"""Whether an ID token is what it says (OpenID Connect Core 1.0, 3.1.3.7).

In: a token, the provider's keys, what it has to say. Out: who signed in. Promised: signed by a key pair of the
provider's (never by a shared secret, never by nothing), by this issuer, for this client, for this attempt, now.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from joserfc import jws, jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import ECKey, Key, KeySet, RSAKey

from livepost.errors import LivepostError

ALGORITHMS = ("RS256", "PS256", "ES256")
"""Signatures of key pairs that are taken; with HS256 whoever knows a public key could sign."""

SKEW_S = 60
"""How far the provider's clock may be from ours."""

RSA_BITS_MIN = 2_048
TOKEN_CHARS_MAX = 20_000
SUBJECT_CHARS_MAX = 255


class OidcError(LivepostError):
    """The provider's answer does not prove who somebody is; the sentence holds nothing of it that is secret."""


class UnknownKeyError(OidcError):
    """A token names a key that is not among the provider's: it may have a new one."""


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Who signed in: the provider's own id of them, and their address, "" unless the provider says it is proven."""

    subject: str
    email: str = ""


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """What a token has to say; `now_s` is the host's time."""

    issuer: str
    client_id: str
    nonce: str
    now_s: int


def usable_keys(told: Any) -> KeySet:
    """Return the keys of a JWKS that may sign tokens; raise OidcError if there is none.

    A key that cannot be read is left out, as RFC 7517 (5) asks; so are shared secrets, short ones, those to encrypt by.
    """
    given = told.get("keys") if isinstance(told, dict) else None
    keys: list[Key] = [key for key in map(_key, given if isinstance(given, list) else []) if key is not None]
    if not keys:
        raise OidcError("expected keys of the provider to check signatures by, got none that are of use")
    return KeySet(keys)


def read_id_token(token: str, keys: KeySet, expected: Expected) -> Mapping[str, Any]:
    """Return a token's claims; raise UnknownKeyError if its key is not there, OidcError if it proves nothing."""
    if len(token) > TOKEN_CHARS_MAX:
        raise OidcError(f"expected an ID token of at most {TOKEN_CHARS_MAX} characters, got {len(token)}")
    try:
        told = jwt.decode(token, keys, algorithms=list(ALGORITHMS), registry=_registry())
    except InvalidKeyIdError as error:
        raise UnknownKeyError("the ID token is signed by a key that the provider does not show") from error
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise OidcError(f"the ID token is not signed as it should be: {type(error).__name__}") from error
    _check(told.claims, expected)
    return told.claims


def _registry() -> jws.JWSRegistry:
    return jws.JWSRegistry(algorithms=list(ALGORITHMS))


def _check(claims: Mapping[str, Any], expected: Expected) -> None:
    rules = jwt.JWTClaimsRegistry(
        now=expected.now_s,
        leeway=SKEW_S,
        iss={"essential": True, "value": expected.issuer},
        aud={"essential": True, "value": expected.client_id},
        nonce={"essential": True, "value": expected.nonce},
        sub={"essential": True},
        exp={"essential": True},
        iat={"essential": True},
    )
    try:
        rules.validate(dict(claims))
    except JoseError as error:
        raise OidcError(
            f"the ID token is not for this sign-in: {getattr(error, 'claim', None) or error.error}"
        ) from error
    audience = claims["aud"]
    several = isinstance(audience, list) and len(audience) > 1
    if claims.get("azp", None if several else expected.client_id) != expected.client_id:
        raise OidcError("the ID token is not for this sign-in: azp")
    if not isinstance(claims["sub"], str) or not 0 < len(claims["sub"]) <= SUBJECT_CHARS_MAX:
        raise OidcError("the ID token is not for this sign-in: sub")


def _key(told: Any) -> RSAKey | ECKey | None:
    if not isinstance(told, dict) or told.get("use", "sig") != "sig":
        return None
    public = {name: value for name, value in told.items() if name not in ("d", "p", "q", "dp", "dq", "qi", "oth")}
    try:
        if told.get("kty") == "RSA":
            return RSAKey.import_key(public) if len(told["n"]) * 6 >= RSA_BITS_MIN else None  # in base64
        return ECKey.import_key(public) if told.get("kty") == "EC" and told.get("crv") == "P-256" else None
    except (JoseError, ValueError, TypeError, KeyError):
        return None
