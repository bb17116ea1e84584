"""The provider as we ask it: description, keys, codes; over loopback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec
import pytest
from joserfc.jwk import RSAKey

from livepost.clock import HOUR_MS, MINUTE_MS, SimulatedClock
from livepost.errors import SettingsError
from livepost.fetch.address import NOTHING, OutgoingError
from livepost.govern.login.oidc.attempts import Attempts
from livepost.govern.login.oidc.id_token import Identity, OidcError
from livepost.govern.login.oidc.provider import Provider, provider_of
from livepost.settings.oidc import Oidc
from tests.unit.govern.login.oidc.issuing import (
    BACK,
    CLIENT,
    NOW_MS,
    SECRET,
    Issuer,
    claims_of,
    issuing,
    provider_at,
    signed,
)

JWKS = "/jwks"


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with issuing() as made:
        yield made


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock(NOW_MS)


def signs_in(provider: Provider, issuer: Issuer, **changed: Any) -> Identity:
    attempt = Attempts().begin("here", NOW_MS)
    return provider.identity(attempt, issuer.gives(provider.way_to(attempt), **changed))


def test_a_browser_is_sent_with_a_challenge_and_comes_back_as_somebody(issuer: Issuer, clock: SimulatedClock) -> None:
    provider = provider_at(issuer.issuer, clock)
    attempt = Attempts().begin("here", NOW_MS)
    way = provider.way_to(attempt)
    asked = dict(parse_qsl(urlsplit(way).query))
    assert way.startswith(f"{issuer.issuer}/auth?")
    assert asked == {
        "response_type": "code",
        "client_id": CLIENT,
        "redirect_uri": BACK,
        "scope": "openid email",
        "state": attempt.state,
        "nonce": attempt.nonce,
        "code_challenge": attempt.challenge,
        "code_challenge_method": "S256",
    }
    assert attempt.verifier not in way
    assert SECRET not in way
    who = provider.identity(attempt, issuer.gives(way))
    assert who == Identity(subject="248289761001", email="ada@example.com")


def test_a_code_with_another_verifier_is_refused_by_the_provider(issuer: Issuer, clock: SimulatedClock) -> None:
    provider, attempts = provider_at(issuer.issuer, clock), Attempts()
    mine, other = attempts.begin("a", NOW_MS), attempts.begin("b", NOW_MS)
    code = issuer.gives(provider.way_to(mine))
    with pytest.raises(OidcError, match="refused \\(400\\)"):
        provider.identity(other, code)


def test_a_token_of_another_attempt_is_refused(issuer: Issuer, clock: SimulatedClock) -> None:
    with pytest.raises(OidcError, match="nonce"):
        signs_in(provider_at(issuer.issuer, clock), issuer, nonce="of another attempt")


@pytest.mark.parametrize("verified", [False, None, "true", 1])
def test_an_address_that_is_not_proven_is_none(issuer: Issuer, clock: SimulatedClock, verified: Any) -> None:
    assert signs_in(provider_at(issuer.issuer, clock), issuer, email_verified=verified).email == ""


def test_an_address_that_the_token_does_not_hold_is_asked_for(issuer: Issuer, clock: SimulatedClock) -> None:
    provider = provider_at(issuer.issuer, clock)
    issuer.user_info = {"sub": "248289761001", "email": "ada@example.com", "email_verified": True}
    assert signs_in(provider, issuer, email=None, email_verified=None).email == "ada@example.com"
    issuer.user_info["sub"] = "another"
    with pytest.raises(OidcError, match="another user"):
        signs_in(provider, issuer, email=None, email_verified=None)
    issuer.told = {"userinfo_endpoint": ""}
    assert signs_in(provider_at(issuer.issuer, clock), issuer, email=None).email == ""


def test_a_new_key_is_found_at_once_and_asked_for_once_a_minute(issuer: Issuer, clock: SimulatedClock) -> None:
    provider = provider_at(issuer.issuer, clock)
    signs_in(provider, issuer)
    new = RSAKey.generate_key(2048, {"kid": "rsa-2"})
    clock.advance(MINUTE_MS)
    issuer.keys.append(new)

    def with_key(key: RSAKey) -> Identity:
        attempt = Attempts().begin("here", NOW_MS)
        way = provider.way_to(attempt)
        return provider.identity(attempt, issuer.gives(way, token=signed(claims_of(issuer.issuer, attempt.nonce), key)))

    assert with_key(new).subject == "248289761001"
    assert issuer.asked.count(JWKS) == 2
    for _ in range(3):
        with pytest.raises(OidcError, match="does not show"):
            with_key(RSAKey.generate_key(2048, {"kid": "forged"}))
    assert issuer.asked.count(JWKS) == 2


def test_description_and_keys_are_kept_for_an_hour(issuer: Issuer, clock: SimulatedClock) -> None:
    provider = provider_at(issuer.issuer, clock)
    for _ in range(3):
        signs_in(provider, issuer)
    assert (issuer.asked.count(JWKS), sum("configuration" in path for path in issuer.asked)) == (1, 1)
    clock.advance(HOUR_MS)
    provider.keys()
    assert (issuer.asked.count(JWKS), sum("configuration" in path for path in issuer.asked)) == (2, 2)


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"issuer": "https://another.example.com"}, "does not call itself"),
        ({"token_endpoint": "http://id.example.com/token"}, "without TLS"),
        ({"jwks_uri": "http://169.254.169.254/jwks"}, "without TLS"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "without TLS"),
        ({"id_token_signing_alg_values_supported": ["HS256", "none"]}, "signs ID tokens by none"),
        ({"jwks_uri": 7}, "not what OpenID Connect says"),
    ],
)
def test_a_provider_that_describes_itself_wrongly_is_not_asked(
    issuer: Issuer, clock: SimulatedClock, told: dict[str, Any], why: str
) -> None:
    issuer.told = told
    with pytest.raises(OidcError, match=why):
        provider_at(issuer.issuer, clock).described()
    assert len(issuer.asked) == 1


def test_a_place_inside_the_network_is_not_asked_though_it_has_tls(issuer: Issuer, clock: SimulatedClock) -> None:
    issuer.told = {"jwks_uri": "https://169.254.169.254/jwks"}
    with pytest.raises(OutgoingError, match="reached over the internet"):
        provider_at(issuer.issuer, clock).keys()


def test_loopback_is_asked_only_where_both_settings_say_so(issuer: Issuer, clock: SimulatedClock) -> None:
    table = Oidc(issuer=issuer.issuer, client_id=CLIENT, on_loopback=True)
    with pytest.raises(OutgoingError):
        Provider(table, "", lambda: BACK, NOTHING, clock).described()
    with pytest.raises(OidcError, match="without TLS"):
        provider_at(issuer.issuer, clock, on_loopback=False).described()


def test_an_answer_says_whose_it_is_where_it_has_to(issuer: Issuer, clock: SimulatedClock) -> None:
    provider = provider_at(issuer.issuer, clock)
    provider.check_issuer("")
    provider.check_issuer(issuer.issuer)
    with pytest.raises(OidcError, match="another provider"):
        provider.check_issuer("https://mix.example.com")
    issuer.told = {"authorization_response_iss_parameter_supported": True}
    with pytest.raises(OidcError, match="another provider"):
        provider_at(issuer.issuer, clock).check_issuer("")


def test_a_wrong_secret_is_refused_and_in_no_message(issuer: Issuer, clock: SimulatedClock) -> None:
    provider = provider_at(issuer.issuer, clock)
    provider._secret = "canary-secret"
    with pytest.raises(OidcError, match="refused \\(401\\)") as refused:
        signs_in(provider, issuer)
    assert "canary" not in str(refused.value)


def test_no_provider_is_named_or_one_with_what_is_behind_its_secret(clock: SimulatedClock, tmp_path: Path) -> None:
    def behind(key: str, reference: str) -> str:
        return f"behind {reference}"

    assert provider_of(Oidc(), lambda: BACK, NOTHING, clock, behind) is None
    table = Oidc(issuer="https://id.example.com", client_id="a", client_secret="env:A", name="Acme")
    made = provider_of(table, lambda: BACK, NOTHING, clock, behind)
    assert made is not None
    assert (made._secret, made.name, made.issuer) == ("behind env:A", "Acme", "https://id.example.com")
    with pytest.raises(SettingsError, match="holds no certificate"):
        provider_of(msgspec.structs.replace(table, cafile=str(tmp_path / "no")), lambda: BACK, NOTHING, clock, behind)
