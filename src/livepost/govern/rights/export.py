"""A person's export as one zip file: a list for each store, a page to read, a signed manifest.

In: what stores give. Out: bytes of a zip. Promised: each list is JSON Lines; the page reads without tools and shows all
that the lists have, up to SHOWN a kind; `check` finds a byte that was changed, a file that was left out or put in.
"""

from __future__ import annotations

import html
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import IO, Any, Protocol

import msgspec

from livepost.errors import StoreError
from livepost.govern.rights.manifest import ExportedFile, ExportSigner, Manifest, is_signed
from livepost.govern.rights.store import Held

MANIFEST = "manifest.json"
SIGNATURE = "manifest.sig"
README = "README.txt"
PAGE = "index.html"

SHOWN = 200
"""Of each kind of thing so many, the newest, stand on the page; the lists have all."""

MAX_EXPORT_BYTES = 4_000_000_000
"""Of all files of an export together, as they are checked."""

_STORED = zipfile.ZIP_DEFLATED
_LEVEL = 1
_FIRST_DAY = (1980, 1, 1, 0, 0, 0)


class Besides(Protocol):
    """A list of an export that is made of what all stores gave."""

    def add(self, one: Held) -> None:
        """Take a thing that a store gave."""
        ...

    def held(self) -> Iterator[Held]:
        """Go through the list."""
        ...


class Whose(msgspec.Struct, frozen=True, kw_only=True):
    """Of whom an export is, of which workspace, as of which records of the log."""

    workspace: str
    shop: str
    person: bytes
    subjects: tuple[bytes, ...]
    at: int
    log_first: int
    log_last: int


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """What a check found: the manifest, None if there is none that can be read, and what is wrong."""

    manifest: Manifest | None
    wrong: list[str]

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong."""
        return not self.wrong


def write_export(
    file: IO[bytes],
    whose: Whose,
    gives: Mapping[str, Callable[[], Iterator[Held]]],
    left_out: Mapping[str, str],
    signer: ExportSigner,
    besides: Mapping[str, Besides] = {},
) -> Manifest:
    """Write an export of what the stores `gives` give, and lists made of all that; return its manifest."""
    files: list[ExportedFile] = []
    shown: dict[tuple[str, str], _Kind] = {}
    unopened = 0
    with zipfile.ZipFile(file, "w", _STORED, compresslevel=_LEVEL) as bundle:
        for store, give in gives.items():
            writing = _List(bundle, f"data/{store}.jsonl")
            for held in give():
                writing.add(held)
                for other in besides.values():
                    other.add(held)
                shown.setdefault((store, held.what), _Kind()).add(held)
                unopened += len(held.values.get("unopened", ()))
            files.append(writing.end())
        for name, other in besides.items():
            writing = _List(bundle, f"data/{name}.jsonl")
            for held in other.held():
                writing.add(held)
                shown.setdefault((name, held.what), _Kind()).add(held)
            files.append(writing.end())
        page = _page(whose, shown, left_out)
        files.append(_add(bundle, PAGE, page.encode()))
        files.append(_add(bundle, README, _readme(whose).encode()))
        manifest = Manifest(
            workspace=whose.workspace,
            person=whose.person.hex(),
            subjects=[one.hex() for one in whose.subjects],
            at=whose.at,
            log_first=whose.log_first,
            log_last=whose.log_last,
            unopened=unopened,
            files=files,
            left_out=dict(left_out),
            public_key=signer.public.hex(),
        )
        told = msgspec.json.format(msgspec.json.encode(manifest), indent=2)
        _add(bundle, MANIFEST, told)
        _add(bundle, SIGNATURE, signer.sign(told).hex().encode())
    return manifest


def check_export(file: IO[bytes], public: bytes) -> Checked:
    """Return whether an export is whole and was signed by the owner of a public key."""
    try:
        with zipfile.ZipFile(file) as bundle:
            return _checked(bundle, public)
    except (zipfile.BadZipFile, OSError, EOFError) as error:
        return Checked(manifest=None, wrong=[f"the file is no export that can be read: {error}"])


def items(file: IO[bytes], name: str) -> list[dict[str, Any]]:
    """Return what a list of an export holds; raise StoreError if it has no such list."""
    try:
        with zipfile.ZipFile(file) as bundle:
            return [msgspec.json.decode(line) for line in bundle.read(name).splitlines()]
    except KeyError:
        raise StoreError(f"expected {name} in the export, found none") from None


def _checked(bundle: zipfile.ZipFile, public: bytes) -> Checked:
    names = bundle.namelist()
    if sum(one.file_size for one in bundle.infolist()) > MAX_EXPORT_BYTES:
        return Checked(manifest=None, wrong=[f"expected at most {MAX_EXPORT_BYTES} bytes, got more"])
    missing = [name for name in (MANIFEST, SIGNATURE) if name not in names]
    if missing:
        return Checked(manifest=None, wrong=[f"{name} is missing" for name in missing])
    told = bundle.read(MANIFEST)
    wrong = [] if _signed(told, bundle.read(SIGNATURE), public) else ["the manifest was not signed by this key"]
    try:
        manifest = msgspec.json.decode(told, type=Manifest)
    except ValueError as error:
        return Checked(manifest=None, wrong=[*wrong, f"the manifest cannot be read: {error}"])
    listed = {one.name: one for one in manifest.files}
    wrong += [f"{name} is missing" for name in listed if name not in names]
    wrong += [f"{name} is not in the manifest" for name in names if name not in (*listed, MANIFEST, SIGNATURE)]
    wrong += [f"{name} stands twice" for name, times in Counter(names).items() if times > 1]
    wrong += [f"{name} was changed" for name, one in listed.items() if name in names and not _is_as(bundle, one)]
    return Checked(manifest=manifest, wrong=wrong)


def _signed(told: bytes, signature: bytes, public: bytes) -> bool:
    try:
        return is_signed(told, bytes.fromhex(signature.decode()), public)
    except ValueError:
        return False


def _is_as(bundle: zipfile.ZipFile, one: ExportedFile) -> bool:
    try:
        body = bundle.read(one.name)
    except zipfile.BadZipFile:
        return False
    lines = body.count(b"\n") if one.name.endswith(".jsonl") else 0
    return (sha256(body).hexdigest(), len(body), lines) == (one.sha256, one.bytes, one.items)


class _List:
    """A list that is written line by line."""

    def __init__(self, bundle: zipfile.ZipFile, name: str) -> None:
        self._name = name
        self._file = bundle.open(_entry(name), "w", force_zip64=True)
        self._hash = sha256()
        self._bytes = self._items = 0

    def add(self, held: Held) -> None:
        line = msgspec.json.encode({"what": held.what, "at": held.at, **held.values}) + b"\n"
        self._file.write(line)
        self._hash.update(line)
        self._bytes += len(line)
        self._items += 1

    def end(self) -> ExportedFile:
        self._file.close()
        return ExportedFile(name=self._name, sha256=self._hash.hexdigest(), bytes=self._bytes, items=self._items)


class _Kind:
    """Things of one kind: how many, and the newest of them."""

    def __init__(self) -> None:
        self.count = 0
        self.newest: list[Held] = []

    def add(self, held: Held) -> None:
        self.count += 1
        self.newest.append(held)
        if len(self.newest) >= 2 * SHOWN:
            self.newest = self.shown()

    def shown(self) -> list[Held]:
        return sorted(self.newest, key=lambda held: -held.at)[:SHOWN]


def _add(bundle: zipfile.ZipFile, name: str, body: bytes) -> ExportedFile:
    bundle.writestr(_entry(name), body, compresslevel=_LEVEL)
    return ExportedFile(name=name, sha256=sha256(body).hexdigest(), bytes=len(body))


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _FIRST_DAY)
    entry.compress_type = _STORED
    entry.external_attr = 0o600 << 16
    return entry


def _readme(whose: Whose) -> str:
    return (
        f"What {whose.shop} holds on you\n"
        f"as of {_moment(whose.at)}\n\n"
        f"{PAGE}      a page to read in any browser\n"
        "data/*.jsonl    the same, complete, for programs: one JSON object a line; times are milliseconds since 1970\n"
        f"{MANIFEST}   which files there are, each with its SHA-256\n"
        f"{SIGNATURE}    the shop's signature (Ed25519) of that list\n\n"
        "These files are not sealed. Keep them where nobody else reads them.\n"
    )


TITLES: dict[str, str] = {
    "vault.db": "By which ids we know you",
    "log": "What happened",
    "state.db": "What we made of it",
    "ledger.db": "Mails, and what you allowed",
    "mailbox": "Mails as they were written",
    "audiences.db": "Whom we told",
    "webhooks.db": "Messages that were not delivered",
    "control.db": "What you asked for",
    "audit.db": "Who saw your data",
    "kept": "Why we keep it, and until when",
    "went": "Where it went",
}


def _page(whose: Whose, shown: Mapping[tuple[str, str], _Kind], left_out: Mapping[str, str]) -> str:
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="robots" content="noindex"><title>What we hold on you</title>',
        f"<style>{_STYLE}</style></head><body><main>",
        f"<h1>What {html.escape(whose.shop)} holds on you</h1><p>As of {_moment(whose.at)}.</p>",
    ]
    for store in dict.fromkeys(store for store, _ in shown):
        parts.append(f"<h2>{html.escape(TITLES.get(store, store))}</h2>")
        for (of, what), kind in shown.items():
            parts += _section(what, kind) if of == store else ()
    if left_out:
        parts.append("<h2>What is not here, and why</h2><dl>")
        parts += [f"<dt>{html.escape(name)}</dt><dd>{html.escape(why)}</dd>" for name, why in left_out.items()]
        parts.append("</dl>")
    parts.append("</main></body></html>")
    return "".join(parts)


def _section(what: str, kind: _Kind) -> Iterable[str]:
    newest = kind.shown()
    more = f", the newest {len(newest)} of them here" if len(newest) < kind.count else ""
    yield f"<h3>{html.escape(what)} ({kind.count:,}{more})</h3>"
    for held in newest:
        title = str(held.values.get("name") or held.values.get("feature") or held.values.get("segment") or _named(held))
        when = f"{_moment(held.at)} " if held.at else ""
        yield f"<details><summary>{when}{html.escape(title)}</summary>{_value(held.values)}</details>"


def _named(held: Held) -> str:
    """Return what a line of the lists besides is about."""
    if held.store == "went":
        return f"{held.values['field']} to {held.values['to']}"
    return str(held.values["what"]) if held.store == "kept" else held.what


def _value(value: Any) -> str:
    if isinstance(value, dict):
        rows = "".join(f"<dt>{html.escape(str(name))}</dt><dd>{_value(one)}</dd>" for name, one in value.items())
        return f"<dl>{rows}</dl>"
    if isinstance(value, list):
        return f"<ul>{''.join(f'<li>{_value(one)}</li>' for one in value)}</ul>" if value else "none"
    return html.escape("" if value is None else str(value))


def _moment(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"


def counts(manifest: Manifest) -> Sequence[tuple[str, int]]:
    """Return how many things each list has."""
    return [(one.name, one.items) for one in manifest.files if one.name.endswith(".jsonl")]


_STYLE = (
    ":root{color-scheme:light dark}body{font:1rem/1.5 system-ui,sans-serif;margin:0}"
    "main{max-width:60rem;margin:0 auto;padding:1rem}h2{margin-top:2rem}summary{cursor:pointer}"
    "dl{margin:.25rem 0 .25rem 1rem}dt{font-weight:600}dd{margin:0 0 .25rem 1rem;overflow-wrap:anywhere;"
    "white-space:pre-wrap}ul{margin:0;padding-left:1.25rem}"
)
