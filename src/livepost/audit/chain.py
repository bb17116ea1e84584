"""The chain: each entry's link is a hash over the link before it, its number and its bytes.

In: links and bodies. Out: links (32 bytes). Promised: who changes, removes, adds or moves an entry changes all links
behind it; a link needs no secret, so that anybody can check it. Source: the linking of Haber and Stornetta, "How to
Time-Stamp a Digital Document" (1991), with SHA-256 (FIPS 180-4).
"""

from __future__ import annotations

from hashlib import sha256


def first_link(workspace: str) -> bytes:
    """Return the link before the first entry."""
    return sha256(b"livepost audit\0" + workspace.encode()).digest()


def next_link(link: bytes, number: int, body: bytes) -> bytes:
    """Return the link of an entry behind the one with `link`; numbers count from 1."""
    return sha256(link + number.to_bytes(8, "big") + body).digest()
