"""`livepost ropa`: records of processing and the map of personal data, from the project in this folder."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from livepost.cli.workspace import settings_here
from livepost.errors import ProjectError, StoreError
from livepost.govern.policy.records import FILE_NAME, records_of, written
from livepost.project.declarations import collect
from livepost.runtime.author.governing import given_of
from livepost.runtime.author.project import import_shop

_console = Console(soft_wrap=True, highlight=False)


def ropa(
    to: Annotated[Path | None, typer.Option(help=f"Write them to this file, such as {FILE_NAME}.")] = None,
    check: Annotated[
        bool, typer.Option("--check", help=f"Only say whether {FILE_NAME} is current; exit 1 if not.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print the records of processing (GDPR art. 30) and the map of personal data."""
    folder = Path.cwd()
    given = given_of(folder, collect(vars(import_shop(folder))), settings_here().settings)
    if given is None:
        raise ProjectError("records need what is promised about data; write policy.toml (docs/reference/policy.md)")
    records = records_of(given)
    text = msgspec.json.format(msgspec.json.encode(records)).decode() + "\n" if as_json else written(records)
    if check:
        _compare(to or folder / FILE_NAME, text)
    elif to is not None:
        _write(to, text)
    else:
        sys.stdout.write(text)


def _compare(path: Path, text: str) -> None:
    if not path.exists() or path.read_bytes() != text.encode():
        _console.print(f"{path.name} is not what the project makes; `livepost ropa --to {path.name}` writes it")
        raise typer.Exit(1)
    _console.print(f"{path.name} is current.")


def _write(path: Path, text: str) -> None:
    try:
        path.write_bytes(text.encode())
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror}; name another file") from error
    _console.print(f"The records are in {path}.")
