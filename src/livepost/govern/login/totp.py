"""Codes of a second factor by time (RFC 6238: HMAC-SHA-1, six digits, steps of 30 s), as authenticator apps make them.

In: a secret, a time of the host's clock (ms). Out: codes and the step that a code is of. Source: RFC 6238 and RFC 4226;
tested by the vectors of RFC 6238's appendix B.
"""

from __future__ import annotations

import base64
import hmac
import io
import secrets
from urllib.parse import quote

import segno

STEP_S = 30
DIGITS = 6
SECRET_BYTES = 20
DRIFT_STEPS = 1
"""How many steps before and after now a code may be of: clocks differ, and people type slowly."""

RECOVERY_CODES = 10


def new_secret() -> bytes:
    """Return a new secret, as long as SHA-1's output (RFC 4226, 4)."""
    return secrets.token_bytes(SECRET_BYTES)


def new_recovery_codes() -> list[str]:
    """Return codes that each let somebody in once without their device: 80 bits each."""
    return [_grouped(base64.b32encode(secrets.token_bytes(10)).decode().lower()) for _ in range(RECOVERY_CODES)]


def as_recovery_code(typed: str) -> str:
    """Return what was typed as a recovery code is kept.

    >>> as_recovery_code(" ABCD efgh-ijklmnop ")
    'abcd-efgh-ijkl-mnop'
    """
    return _grouped("".join(one for one in typed.lower() if one.isalnum())[:64])


def code_at(secret: bytes, step: int, digits: int = DIGITS) -> str:
    """Return the code of a step (RFC 4226, 5.3)."""
    mac = hmac.digest(secret, step.to_bytes(8, "big"), "sha1")
    offset = mac[-1] & 0x0F
    number = int.from_bytes(mac[offset : offset + 4], "big") & 0x7FFFFFFF
    return str(number % 10**digits).zfill(digits)


def step_of(secret: bytes, typed: str, now_ms: int) -> int | None:
    """Return the step that a code is of, within the drift allowed; None for any other code. Spaces do not count."""
    code = "".join(typed.split()).encode()[:64]
    now = now_ms // 1000 // STEP_S
    steps = range(max(0, now - DRIFT_STEPS), now + DRIFT_STEPS + 1)
    found = [step for step in steps if hmac.compare_digest(code_at(secret, step).encode(), code)]
    return found[-1] if found else None


def base32(secret: bytes) -> str:
    """Return a secret as people type it into an app."""
    return base64.b32encode(secret).decode().rstrip("=")


def address(secret: bytes, issuer: str, account: str) -> str:
    """Return the `otpauth:` address that apps read from a QR code."""
    label = f"{quote(issuer, safe='')}:{quote(account, safe='')}"
    return f"otpauth://totp/{label}?secret={base32(secret)}&issuer={quote(issuer, safe='')}"


def picture(text: str) -> str:
    """Return a QR code as SVG with no style and no script in it."""
    out = io.BytesIO()
    segno.make_qr(text, error="m").save(
        out, kind="svg", xmldecl=False, svgns=True, omitsize=True, border=4, dark="#000", light="#fff", svgclass="qr"
    )
    return out.getvalue().decode()


def _grouped(code: str) -> str:
    return "-".join(code[place : place + 4] for place in range(0, len(code), 4))
