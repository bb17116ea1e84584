"""TLS on the front's port: a certificate from files, and its renewals while the house runs.

In: paths of a certificate chain and its key (PEM). Out: a context that connections are made with. Promised: nothing
older than TLS 1.2 is spoken; a renewed pair of files is used for connections from then on, and one that does not fit
together, or is half written, never is: the certificate before it stays.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import ssl
import sys
from pathlib import Path

from livepost.errors import SettingsError
from livepost.settings.settings import Settings

LOOK_EVERY_S = 5.0
"""How often the files are looked at."""

_Seen = tuple[int, int, int]


class Certificate:
    """A certificate that is served, and looked at for renewals."""

    def __init__(self, cert: Path, key: Path) -> None:
        """Read both files; raise SettingsError if they cannot be used."""
        self._cert, self._key = cert, key
        self._seen = self._look()
        self.context = self._made()

    async def keep(self, every_s: float = LOOK_EVERY_S) -> None:
        """Take renewals, until cancelled."""
        while True:
            await asyncio.sleep(every_s)
            self.renew()

    def renew(self) -> bool:
        """Take the files if they changed and fit together; return whether they were taken."""
        now = self._look()
        if now == self._seen:
            return False
        self._seen = now
        try:
            self._made()  # by itself first: a context whose certificate and key differ refuses every connection
            self.context.load_cert_chain(self._cert, self._key)
        except (SettingsError, ssl.SSLError, OSError) as error:
            print(f"livepost: the renewed certificate is not used: {error}", file=sys.stderr)  # noqa: T201
            return False
        return True

    def _made(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            context.load_cert_chain(self._cert, self._key, password=_nobody_asked)
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
            raise SettingsError(
                f"tls_cert {self._cert} and tls_key {self._key} cannot be used ({error}); name a certificate chain and "
                "its key in PEM, without a passphrase"
            ) from error
        return context

    def _look(self) -> tuple[_Seen, ...]:
        return tuple(one for path in (self._cert, self._key) for one in _stat(path))


def certificate_of(settings: Settings) -> Certificate | None:
    """Return the certificate that settings name, None for none; raise SettingsError if it cannot be used."""
    return Certificate(Path(settings.tls_cert), Path(settings.tls_key)) if settings.tls_cert else None


def _stat(path: Path) -> list[_Seen]:
    with contextlib.suppress(OSError):
        told = os.stat(path)
        return [(told.st_mtime_ns, told.st_ino, told.st_size)]
    return []


def _nobody_asked() -> str:
    """Return no passphrase: OpenSSL would ask the terminal for one, and the house would stand still."""
    return ""
