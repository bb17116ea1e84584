"""`livepost mailbox`: the mails that `keep:` wrote, for whoever holds the vault."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

from livepost.audit.deed import Deed, named
from livepost.cli.author import applied_project_of
from livepost.cli.workspace import note, used_folder_here
from livepost.clock import moment
from livepost.deliver.keep import KeptMail, read
from livepost.errors import StoreError
from livepost.runtime.data.folder import DataFolder
from livepost.runtime.engine.asking import engine_of
from livepost.runtime.front.reasons import person_of
from livepost.vault.base import Vault

ID_CHARS = 32
"""Of a decision, hexadecimal."""

app = typer.Typer(help="Mails that `keep:` wrote instead of sending them.", no_args_is_help=True)
_console = Console(soft_wrap=True, highlight=False)


@app.command("list")
def list_mails(
    person: Annotated[
        str | None, typer.Argument(help="A userId, a declared key, an anonymousId or an email address.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List kept mails, the newest first."""
    with _opened() as (folder, vault):
        subjects = (None,) if person is None else _subjects(folder, vault, person)
        found = [
            mail
            for subject in subjects
            for mail in read(folder.mailbox, vault, folder.settings.workspace, person=subject, limit=limit)
        ]
        note(folder, Deed("mailbox.listed", tuple(dict.fromkeys(mail.person for mail in found))))
    rows = [_row(mail) for mail in sorted(found, key=lambda mail: mail.at_ms, reverse=True)[:limit]]
    if as_json:
        _console.print_json(json.dumps(rows))
        return
    table = Table(Column("id", min_width=ID_CHARS, no_wrap=True), "at", "to", "subject", box=None)
    for row in rows:
        table.add_row(*row.values())
    _console.print(table if rows else "No mail is kept.")


@app.command()
def show(
    id: Annotated[
        str | None, typer.Argument(help="The id, as `livepost mailbox list` shows it; else the newest.")
    ] = None,
    raw: Annotated[Path | None, typer.Option(help="Write its bytes to this file instead, for a mail program.")] = None,
) -> None:
    """Show a kept mail: its headers and its text."""
    with _opened() as (folder, vault):
        decision = None if id is None else _decision(id)
        found = read(folder.mailbox, vault, folder.settings.workspace, decision=decision, limit=1)
        note(folder, Deed("mail.opened", tuple(mail.person for mail in found), named(id or "")))
    if not found:
        raise StoreError("there is no such mail; `livepost mailbox list` shows those that are kept")
    if raw is not None:
        raw.write_bytes(found[0].raw)
        _console.print(f"The mail is in {raw}.")
        return
    mail = _parsed(found[0])
    for name, value in mail.items():
        _console.print(f"{name}: {value}", markup=False)
    body = mail.get_body(("plain",))
    _console.print("\n" + (body.get_content() if body is not None else ""), markup=False)


@contextmanager
def _opened() -> Iterator[tuple[DataFolder, Vault]]:
    folder = used_folder_here()
    with closing(folder.vault(readonly=True)) as vault:
        yield folder, vault


def _subjects(folder: DataFolder, vault: Vault, name: str) -> tuple[bytes, ...]:
    """Return all subjects of a person: a mail was kept under the one that named them then."""
    project = applied_project_of(folder)
    with engine_of(folder, project) as engine:
        return person_of(vault, engine, name, project.compiled.keys()).subjects


def _decision(id: str) -> bytes:
    try:
        return bytes.fromhex(id)
    except ValueError:
        raise StoreError(f"expected an id of {ID_CHARS} hexadecimal digits, got {id!r}") from None


def _row(kept: KeptMail) -> dict[str, str]:
    mail = _parsed(kept)
    return {
        "id": kept.decision.hex(),
        "at": moment(kept.at_ms),
        "to": str(mail["To"]),
        "subject": str(mail["Subject"]),
    }


def _parsed(kept: KeptMail) -> EmailMessage:
    parsed = message_from_bytes(kept.raw, policy=SMTP)
    assert isinstance(parsed, EmailMessage)
    return parsed
