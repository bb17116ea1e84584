from typing import Any

import pytest

from livepost.errors import SettingsError
from livepost.settings.oidc import Oidc, check_oidc

RIGHT = {"issuer": "https://id.example.com", "client_id": "livepost", "client_secret": "env:OIDC"}


def refusal(**changed: Any) -> str:
    with pytest.raises(SettingsError) as refused:
        check_oidc(Oidc(**{**RIGHT, **changed}), "livepost.toml:7")
    return str(refused.value)


def test_a_whole_table_and_none_are_taken() -> None:
    check_oidc(Oidc(), "default")
    check_oidc(Oidc(**RIGHT), "here")
    check_oidc(Oidc(**{**RIGHT, "client_secret": "", "console": "https://console.example.com"}), "here")
    check_oidc(Oidc(**{**RIGHT, "issuer": "http://127.0.0.1:9000", "on_loopback": True}), "here")


def test_what_could_not_work_or_is_not_safe_is_refused() -> None:
    assert "has no issuer" in refusal(issuer="")
    assert "client_id" in refusal(client_id="")
    assert "without TLS" in refusal(issuer="http://id.example.com", on_loopback=True)
    assert "without TLS" in refusal(issuer="http://127.0.0.1:9000")
    assert "console without TLS" in refusal(console="http://console.example.com")


def test_a_secret_is_referred_to_and_shown_nowhere() -> None:
    told = refusal(client_secret="canary")
    assert "must refer to a secret" in told
    assert "canary" not in told
    assert str(Oidc(**RIGHT)) == "https://id.example.com"
