"""An export as a file: what it has, and that a byte changed, a file left out or put in is found."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator

import pytest

from livepost.govern.rights.export import MANIFEST, PAGE, SHOWN, SIGNATURE, Whose, check_export, items, write_export
from livepost.govern.rights.manifest import ExportSigner
from livepost.govern.rights.store import Held

SIGNER = ExportSigner(bytes(range(32)))
WHOSE = Whose(workspace="shop", shop="Tea & Co", person=bytes(16), subjects=(bytes(16),), at=0, log_first=0, log_last=9)


def events(count: int) -> Iterator[Held]:
    for number in range(count):
        yield Held(store="log", what="event", at=number, values={"name": f"<b>{number}</b>", "position": number})


def exported(count: int = 3) -> io.BytesIO:
    file = io.BytesIO()
    write_export(
        file, WHOSE, {"log": lambda: events(count), "mailbox": lambda: iter(())}, {"snapshots": "copies"}, SIGNER
    )
    return file


def rewritten(change: Callable[[dict[str, bytes]], None]) -> io.BytesIO:
    with zipfile.ZipFile(exported()) as bundle:
        files = {name: bundle.read(name) for name in bundle.namelist()}
    change(files)
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as bundle:
        for name, body in files.items():
            bundle.writestr(name, body)
    return made


def test_lists_have_all_and_the_page_the_newest_as_text() -> None:
    file = exported(SHOWN * 3)
    assert [one["position"] for one in items(file, "data/log.jsonl")] == list(range(SHOWN * 3))
    with zipfile.ZipFile(file) as bundle:
        page = bundle.read(PAGE).decode()
    assert "What Tea &amp; Co holds on you" in page
    assert f"event ({SHOWN * 3:,}, the newest {SHOWN} of them here)" in page
    assert "<b>" not in page
    assert "copies" in page


def test_what_was_signed_is_whole() -> None:
    checked = check_export(exported(), SIGNER.public)
    assert checked.wrong == []
    assert checked.manifest is not None
    assert [(one.name, one.items) for one in checked.manifest.files][:2] == [
        ("data/log.jsonl", 3),
        ("data/mailbox.jsonl", 0),
    ]


def cut(files: dict[str, bytes]) -> None:
    files["data/log.jsonl"] = files["data/log.jsonl"].rpartition(b"\n")[0].rpartition(b"\n")[0] + b"\n"


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        (lambda files: files.update({"data/log.jsonl": files["data/log.jsonl"].replace(b"1", b"7", 1)}), "was changed"),
        (cut, "data/log.jsonl was changed"),
        (lambda files: files.pop("data/mailbox.jsonl"), "data/mailbox.jsonl is missing"),
        (lambda files: files.update({"data/more.jsonl": b"{}\n"}), "data/more.jsonl is not in the manifest"),
        (lambda files: files.update({MANIFEST: files[MANIFEST].replace(b"shop", b"ship")}), "not signed by this key"),
        (lambda files: files.update({SIGNATURE: b"00" * 64}), "not signed by this key"),
        (lambda files: files.pop(SIGNATURE), "manifest.sig is missing"),
    ],
)
def test_whatever_is_altered_is_found(change: Callable[[dict[str, bytes]], None], wrong: str) -> None:
    assert any(wrong in one for one in check_export(rewritten(change), SIGNER.public).wrong)


def test_another_key_and_another_file_do_not_pass() -> None:
    assert not check_export(exported(), ExportSigner(bytes(32)).public).holds
    assert not check_export(io.BytesIO(b"no zip"), SIGNER.public).holds
