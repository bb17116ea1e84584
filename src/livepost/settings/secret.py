"""Secrets are named, never written: `env:NAME` or `file:PATH`. Who needs one reads it from there, when it needs it.

Promised: no message tells a secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from livepost.errors import SettingsError

ENVIRONMENT = "env:"
FILE = "file:"
MAX_SECRET_BYTES = 4_096
"""A secret that is text; what is longer is another file than was meant."""


def check_reference(key: str, text: str, where: str) -> None:
    """Raise SettingsError, without repeating the text, unless it refers to a secret."""
    if not any(text.startswith(scheme) and text != scheme for scheme in (ENVIRONMENT, FILE)):
        raise SettingsError(
            f"{key} ({where}) must refer to a secret, not hold it: write env:NAME or file:PATH, "
            "and change the secret if it was ever saved in clear"
        )


def read_secret(key: str, reference: str, environ: Mapping[str, str]) -> str:
    """Return the text that a reference names, without the newline at its end; raise SettingsError if there is none.

    >>> read_secret("mail_password", "env:SMTP_PASSWORD", {"SMTP_PASSWORD": "hunter2"})
    'hunter2'
    """
    if reference.startswith(ENVIRONMENT):
        name = reference.removeprefix(ENVIRONMENT)
        text, place = environ.get(name, ""), f"the variable {name}"
    else:
        place = reference.removeprefix(FILE)
        text = _from_file(key, Path(place))
    text = text.removesuffix("\n").removesuffix("\r")
    if not text or not text.isprintable():
        raise SettingsError(f"{key} refers to {place}, expected one line of text there; write the secret to it")
    return text


def _from_file(key: str, path: Path) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_SECRET_BYTES + 1)
        text = raw.decode()
    except OSError as error:
        raise SettingsError(f"{key} refers to {path}, which cannot be read: {error.strerror}") from error
    except UnicodeDecodeError:
        raise SettingsError(f"{key} refers to {path}, which is not UTF-8 text; put the secret there") from None
    if len(raw) > MAX_SECRET_BYTES:
        raise SettingsError(f"{key} refers to {path}, which has more than {MAX_SECRET_BYTES} bytes; name another file")
    return text
