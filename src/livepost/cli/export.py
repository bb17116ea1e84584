"""`livepost export`: everything that is held on one person, in a file of their own; whether such a file is whole."""

from __future__ import annotations

import os
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Annotated

import msgspec
import typer
from rich.console import Console

from livepost.audit.deed import Deed
from livepost.cli.author import applied_project_of
from livepost.cli.four_eyes import require_approval
from livepost.cli.workspace import folder_here, note, used_folder_here
from livepost.errors import LivepostError, SettingsError, StoreError
from livepost.govern.approval.wanted import export_of
from livepost.govern.rights.export import Checked, check_export, counts
from livepost.govern.rights.manifest import PURPOSE, ExportSigner, Manifest
from livepost.model.person import PersonView
from livepost.runtime.data.folder import DataFolder
from livepost.runtime.front.reasons import person_of
from livepost.runtime.rights.exporting import export_person

_console = Console(soft_wrap=True, highlight=False)


class ExportError(LivepostError):
    """An export cannot be written where it was to go."""


def export(
    person: Annotated[
        str, typer.Argument(help="A userId, a declared key, an anonymousId, an email address, or a subject's id.")
    ] = "",
    to: Annotated[Path, typer.Option(help="A file, or a folder to write one into.")] = Path(),
    check: Annotated[Path | None, typer.Option(help="Only say whether this export is whole.")] = None,
    key: Annotated[str, typer.Option(help="With --check: the public key in hex; else this workspace's.")] = "",
    reason: Annotated[str, typer.Option(help="What it is for, where others have to approve it.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print the manifest as JSON.")] = False,
) -> None:
    """Write everything that is held on one person into a zip file, signed; the file is not sealed."""
    if check is not None:
        _say_checked(_checked(check, key), as_json)
        return
    if not person:
        raise typer.BadParameter("say whose, or --check FILE", param_hint="PERSON")
    folder = used_folder_here()
    project = applied_project_of(folder)
    path = _target(folder, to)

    def seen(view: PersonView) -> None:
        require_approval(folder, export_of(view.subjects), reason)
        note(folder, Deed("person.exported", tuple(view.subjects)))

    with _NewFile(path) as file:
        manifest = export_person(
            folder,
            project,
            lambda reach, engine: person_of(reach.vault, engine, person, project.compiled.keys()),
            file,
            seen,
        )
    _say(manifest, path, as_json)


def _target(folder: DataFolder, to: Path) -> Path:
    """Return where an export goes: never below the data folder, where it would lie unsealed beside what is sealed."""
    moment = f"{datetime.now(UTC):%Y%m%d-%H%M%S}"
    path = (to / f"export-{moment}.zip" if to.is_dir() else to).absolute()
    if path.resolve().is_relative_to(folder.path.resolve()):
        raise ExportError(
            f"expected a place outside of the data folder {folder.path}, got {path}; say another with --to"
        )
    return path


class _NewFile:
    """A new file that only its owner reads, as a context manager; what is cut off leaves none."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> IO[bytes]:
        try:
            self._file = os.fdopen(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b")
        except FileExistsError:
            raise ExportError(f"{self._path} is there already; say another file with --to") from None
        except OSError as error:
            raise ExportError(f"{self._path} cannot be written: {error.strerror}") from error
        return self._file

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        self._file.close()
        if kind is not None:
            self._path.unlink()


def _checked(path: Path, key: str) -> Checked:
    public = _public(key) if key else _own()
    try:
        with path.open("rb") as file:
            return check_export(file, public)
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror}") from error


def _public(text: str) -> bytes:
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != 32:
        raise SettingsError("expected a public key of 64 hex digits; the manifest of an export has it")
    return key


def _own() -> bytes:
    with closing(folder_here().vault(readonly=True)) as vault:
        return ExportSigner(vault.secret(PURPOSE)).public


def _say(manifest: Manifest, path: Path, as_json: bool) -> None:
    if as_json:
        told = {"file": str(path), **msgspec.to_builtins(manifest)}
        _console.print_json(msgspec.json.encode(told).decode())
        return
    for name, times in counts(manifest):
        _console.print(f"{times:10,}  {name}", markup=False)
    if manifest.unopened:
        _console.print(f"{manifest.unopened:,} values could not be opened: their keys are gone.")
    _console.print(f"{path}: {sum(one.bytes for one in manifest.files):,} bytes, signed, not sealed.", markup=False)
    _console.print(f"The log reaches back to record {manifest.log_first:,}; what retention dropped is held no more.")


def _say_checked(checked: Checked, as_json: bool) -> None:
    if as_json:
        _console.print_json(msgspec.json.encode({**msgspec.to_builtins(checked), "holds": checked.holds}).decode())
    elif checked.holds and checked.manifest is not None:
        things = sum(times for _, times in counts(checked.manifest))
        _console.print(f"The export is whole: {things:,} things in {len(checked.manifest.files)} files, as signed.")
    else:
        for wrong in checked.wrong:
            print(f"livepost: {wrong}", file=sys.stderr)  # noqa: T201 - as errors are said
    if not checked.holds:
        raise typer.Exit(1)
