"""ID tokens that are right, and each way in which one can be wrong."""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Any

import pytest
from joserfc.jwk import ECKey, Key, KeySet, OctKey, RSAKey

from livepost.govern.login.oidc.id_token import (
    SKEW_S,
    TOKEN_CHARS_MAX,
    Expected,
    OidcError,
    UnknownKeyError,
    read_id_token,
    usable_keys,
)
from tests.unit.govern.login.oidc.issuing import CLIENT, EC, NOW_S, RSA, claims_of, signed

ISSUER, NONCE = "https://id.example.com", "n-0S6_WzA2Mj"
EXPECTED = Expected(issuer=ISSUER, client_id=CLIENT, nonce=NONCE, now_s=NOW_S)
STRANGER = RSAKey.generate_key(2048, {"kid": "rsa-1"})


def keys_of(*keys: Key) -> KeySet:
    return usable_keys({"keys": [key.as_dict(private=False) for key in keys]})


KEYS = keys_of(RSA, EC)


def claims(**changed: Any) -> dict[str, Any]:
    return claims_of(ISSUER, NONCE, **changed)


def in_base64(told: bytes) -> str:
    return urlsafe_b64encode(told).rstrip(b"=").decode()


def by_hand(header: dict[str, Any], signature: Any) -> str:
    """Return a token that no library would make."""
    parts = ".".join(in_base64(json.dumps(part).encode()) for part in (header, claims()))
    return f"{parts}.{in_base64(signature(parts.encode()))}"


@pytest.mark.parametrize(("key", "algorithm"), [(RSA, "RS256"), (RSA, "PS256"), (EC, "ES256")])
def test_a_right_token_is_read(key: Key, algorithm: str) -> None:
    assert read_id_token(signed(claims(), key, algorithm), KEYS, EXPECTED)["sub"] == "248289761001"


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"iss": "https://id.example.com/"}, "iss"),
        ({"iss": None}, "iss"),
        ({"aud": "another"}, "aud"),
        ({"aud": ["another", "third"]}, "aud"),
        ({"aud": None}, "aud"),
        ({"aud": [CLIENT, "another"]}, "azp"),
        ({"azp": "another"}, "azp"),
        ({"nonce": "another"}, "nonce"),
        ({"nonce": None}, "nonce"),
        ({"exp": NOW_S - SKEW_S}, "exp"),
        ({"exp": None}, "exp"),
        ({"iat": NOW_S + SKEW_S + 1}, "iat"),
        ({"iat": None}, "iat"),
        ({"nbf": NOW_S + SKEW_S + 1}, "nbf"),
        ({"sub": None}, "sub"),
        ({"sub": "s" * 256}, "sub"),
    ],
)
def test_a_token_that_says_something_else_is_refused(changed: dict[str, Any], what: str) -> None:
    with pytest.raises(OidcError, match=f"not for this sign-in: .*{what}"):
        read_id_token(signed(claims(**changed)), KEYS, EXPECTED)


@pytest.mark.parametrize(
    "changed",
    [
        {"exp": NOW_S - SKEW_S + 1},
        {"iat": NOW_S + SKEW_S},
        {"aud": [CLIENT]},
        {"aud": [CLIENT, "another"], "azp": CLIENT},
    ],
)
def test_clocks_may_differ_a_little_and_audiences_be_lists(changed: dict[str, Any]) -> None:
    assert read_id_token(signed(claims(**changed)), KEYS, EXPECTED)


def test_a_token_without_a_signature_is_refused() -> None:
    for algorithm in ("none", "None", "NONE"):
        with pytest.raises(OidcError, match="not signed as it should be"):
            read_id_token(by_hand({"alg": algorithm, "kid": "rsa-1"}, lambda told: b""), KEYS, EXPECTED)


def test_a_public_key_taken_for_a_shared_secret_is_refused() -> None:
    for secret in (
        RSA.as_pem(private=False),
        RSA.as_der(private=False),
        json.dumps(RSA.as_dict(private=False)).encode(),
    ):
        forged = by_hand({"alg": "HS256", "kid": "rsa-1"}, lambda told, key=secret: hmac.digest(key, told, sha256))
        with pytest.raises(OidcError, match="not signed as it should be"):
            read_id_token(forged, KEYS, EXPECTED)


def test_a_shared_secret_among_the_keys_checks_nothing() -> None:
    shared = OctKey.import_key({"kty": "oct", "k": in_base64(b"secret" * 8), "kid": "shared"})
    told = {"keys": [shared.as_dict(private=True), RSA.as_dict(private=False)]}
    forged = by_hand({"alg": "HS256", "kid": "shared"}, lambda text: hmac.digest(b"secret" * 8, text, sha256))
    with pytest.raises(OidcError):
        read_id_token(forged, usable_keys(told), EXPECTED)


def test_a_token_signed_by_somebody_else_under_the_same_name_is_refused() -> None:
    with pytest.raises(OidcError, match="BadSignatureError"):
        read_id_token(signed(claims(), STRANGER), KEYS, EXPECTED)


def test_a_key_that_a_token_brings_itself_is_not_believed() -> None:
    token = signed(claims(), STRANGER, jwk=STRANGER.as_dict(private=False))
    with pytest.raises(OidcError):
        read_id_token(token, KEYS, EXPECTED)


def test_a_changed_claim_breaks_the_signature() -> None:
    header, _, signature = signed(claims()).split(".")
    with pytest.raises(OidcError, match="BadSignatureError"):
        read_id_token(f"{header}.{in_base64(json.dumps(claims(sub='1')).encode())}.{signature}", KEYS, EXPECTED)


def test_a_key_that_is_not_known_is_told_apart() -> None:
    with pytest.raises(UnknownKeyError):
        read_id_token(signed(claims()), keys_of(EC, ECKey.generate_key("P-256", {"kid": "ec-2"})), EXPECTED)


@pytest.mark.parametrize("token", ["", "a", "a.b", "a.b.c", "....", "x" * (TOKEN_CHARS_MAX + 1), "\x00.é.ü"])
def test_what_is_no_token_is_refused(token: str) -> None:
    with pytest.raises(OidcError):
        read_id_token(token, KEYS, EXPECTED)


def test_keys_that_are_of_no_use_are_left_out() -> None:
    weak = {"kty": "RSA", "e": "AQAB", "n": in_base64(b"\xff" * 128), "kid": "weak"}
    to_encrypt = {**RSA.as_dict(private=False), "use": "enc", "kid": "enc"}
    told = [weak, to_encrypt, {"kty": "AKP"}, {"kty": "RSA"}, "no key", EC.as_dict(private=False)]
    assert [key.kid for key in usable_keys({"keys": told})] == ["ec-1"]
    for nothing in ({"keys": told[:-1]}, {"keys": "all"}, {}, [], None):
        with pytest.raises(OidcError, match="of use"):
            usable_keys(nothing)
