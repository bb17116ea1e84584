"""Secrets are named, never written: `env:NAME` or `file:PATH`. Who needs one reads it from there itself."""

from __future__ import annotations

from livepost.errors import SettingsError

ENVIRONMENT = "env:"
FILE = "file:"


def check_reference(key: str, text: str, where: str) -> None:
    """Raise SettingsError, without repeating the text, unless it refers to a secret."""
    if not any(text.startswith(scheme) and text != scheme for scheme in (ENVIRONMENT, FILE)):
        raise SettingsError(
            f"{key} ({where}) must refer to a secret, not hold it: write env:NAME or file:PATH, "
            "and change the secret if it was ever saved in clear"
        )
