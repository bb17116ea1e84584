"""The browser snippet: `livepost.js` beside this file in, what `GET /livepost.js` answers out.

Promised: what is served is the readable file less its comments and indentation, at most MAX_SNIPPET_BYTES packed; a
browser that has it already is told so (ETag).
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from hashlib import blake2b
from pathlib import Path

import msgspec

from livepost.collect.reply import Headers, Send

MAX_SNIPPET_BYTES = 4096
"""What the snippet may weigh on the wire, gzipped; held by a test."""

SNIPPET_MAX_AGE_S = 300
SNIPPET_STALE_S = 3600
"""How long a browser may use it unasked, and for how much longer while it asks whether there is a newer one."""

_SOURCE = Path(__file__).with_name("livepost.js")
_HEADERS: Headers = [
    (b"content-type", b"text/javascript; charset=utf-8"),
    (b"cache-control", b"public, max-age=%d, stale-while-revalidate=%d" % (SNIPPET_MAX_AGE_S, SNIPPET_STALE_S)),
    (b"vary", b"Accept-Encoding"),
    (b"access-control-allow-origin", b"*"),
    (b"cross-origin-resource-policy", b"cross-origin"),
    (b"x-content-type-options", b"nosniff"),
]


class Form(msgspec.Struct, frozen=True):
    """One way in which the snippet goes over the wire: its bytes, and what tells them from any other."""

    body: bytes
    etag: bytes
    headers: Headers


class Snippet(msgspec.Struct, frozen=True):
    """The snippet as it is, and gzipped."""

    plain: Form
    packed: Form


def load_snippet() -> Snippet:
    """Return the snippet of this version."""
    body = stripped(_SOURCE.read_text()).encode()
    return Snippet(_form(body, []), _form(gzip.compress(body, 9, mtime=0), [(b"content-encoding", b"gzip")]))


def stripped(source: str) -> str:
    r"""Return a script without indentation, empty lines and lines that are `//` comments.

    Nothing within a line is touched; so a string or template of the source must not go over several lines.

    >>> stripped("  // why\n  go('// here'); // stays\n\n")
    "go('// here'); // stays\n"
    """
    lines = (line.strip() for line in source.splitlines())
    return "".join(f"{line}\n" for line in lines if line and not line.startswith("//"))


async def send_snippet(send: Send, snippet: Snippet, method: str, headers: Iterable[tuple[bytes, bytes]]) -> None:
    """Answer a GET or HEAD with these request headers: the snippet, or 304 for whoever has it."""
    asked = dict(headers)
    form = snippet.packed if _takes_gzip(asked.get(b"accept-encoding", b"")) else snippet.plain
    if _knows(asked.get(b"if-none-match", b""), form.etag):
        await send({"type": "http.response.start", "status": 304, "headers": [*_HEADERS, (b"etag", form.etag)]})
        await send({"type": "http.response.body", "body": b""})
        return
    await send({"type": "http.response.start", "status": 200, "headers": form.headers})
    await send({"type": "http.response.body", "body": b"" if method == "HEAD" else form.body})


def _form(body: bytes, headers: Headers) -> Form:
    etag = b'"%s"' % blake2b(body, digest_size=12).hexdigest().encode()
    length = (b"content-length", b"%d" % len(body))
    return Form(body, etag, [*_HEADERS, *headers, (b"etag", etag), length])


def _takes_gzip(accepted: bytes) -> bool:
    """Read an Accept-Encoding (RFC 9110): gzip is named, and not with a weight of nothing."""
    for coding in accepted.lower().split(b","):
        name, _, weight = (part.strip() for part in coding.partition(b";"))
        if name == b"gzip":
            return weight.replace(b" ", b"").rstrip(b"0.") != b"q="
    return False


def _knows(told: bytes, etag: bytes) -> bool:
    """Read an If-None-Match (RFC 9110), by weak comparison: proxies that pack anew make tags weak."""
    return any(one.strip().removeprefix(b"W/") in (etag, b"*") for one in told.split(b","))
