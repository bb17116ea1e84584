"""`livepost audit`: who saw a person's data and who changed what; whether nobody altered it since."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Column, Table

from livepost.audit.head import Signer, read_public
from livepost.audit.outside import kept_heads
from livepost.audit.sqlite import SqliteAudit
from livepost.audit.verify import Verdict, verify
from livepost.cli.workspace import used_folder_here
from livepost.clock import WallClock
from livepost.errors import SettingsError
from livepost.ops.audit_trail import EntryLine, newest_entries
from livepost.runtime.data.audits import PURPOSE
from livepost.runtime.data.folder import DataFolder

app = typer.Typer(help="Who saw a person's data, and who changed what.", no_args_is_help=True)
_console = Console(soft_wrap=True, highlight=False)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
SHOWN = 50


@app.command("list")
def list_entries(
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="How many, the newest first.")] = SHOWN,
    person: Annotated[str, typer.Option(help="Only what is about this person: a subject's id in hex.")] = "",
    as_json: AsJson = False,
) -> None:
    """List the newest entries."""
    folder = used_folder_here()
    found = newest_entries(folder.audit_file, folder.settings.workspace, _subject(person), limit)
    if as_json:
        _console.print(msgspec.json.encode(found).decode(), markup=False)
        return
    table = Table("number", "at", "who", "did", "what", Column("people", justify="right"), box=None)
    for one in found:
        table.add_row(str(one.number), _moment(one.at), one.by, one.did, one.about, _people(one))
    _console.print(table if found else "Nobody saw or changed anything yet.")


@app.command()
def head(as_json: AsJson = False) -> None:
    """Print a signed head of the chain: keep it where nobody who reaches this machine can change it."""
    folder = used_folder_here()
    with closing(folder.vault(readonly=True)) as vault, closing(folder.audits(vault)) as audits:
        made = audits.head(WallClock().now_ms())
        public = audits.public.hex()
    if as_json:
        _console.print(json.dumps({**msgspec.to_builtins(made), "public_key": public}), markup=False)
        return
    _console.print(msgspec.json.encode(made).decode(), markup=False)
    _console.print(f"checked by the public key {public}", markup=False)


@app.command("verify")
def verify_chain(
    heads: Annotated[list[Path] | None, typer.Option(help="Files of heads; else that of the settings.")] = None,
    audit: Annotated[Path | None, typer.Option(help="Another file of an audit, a copy of one say.")] = None,
    key: Annotated[str, typer.Option(help="The public key, in hex; else this workspace's.")] = "",
    as_json: AsJson = False,
) -> None:
    """Say whether the audit is whole and every head says the same; exit 1 if not. Needs no house, and no network."""
    folder = used_folder_here()
    given = [head for path in heads or _kept_by(folder) for head in kept_heads(path)]
    _require_own(folder.settings.workspace, {one.workspace for one in given})
    public = read_public(key) if key else _own(folder)
    with closing(SqliteAudit(audit or folder.audit_file, folder.settings.workspace, readonly=True)) as opened:
        verdict = verify(folder.settings.workspace, opened.stored(), given, public)
    if as_json:
        _console.print_json(msgspec.json.encode({**msgspec.to_builtins(verdict), "holds": verdict.holds}).decode())
    else:
        for line in _lines(verdict):
            _console.print(line, markup=False)
    if not verdict.holds:
        raise typer.Exit(1)


def _kept_by(folder: DataFolder) -> Sequence[Path]:
    return [folder.audit_heads] if folder.audit_heads.exists() else []


def _require_own(workspace: str, named: set[str]) -> None:
    """Raise SettingsError where all heads are of other workspaces: links begin with the name, and none would fit."""
    if named and workspace not in named:
        raise SettingsError(
            f"expected heads of the workspace {workspace}, got those of {', '.join(sorted(named))}; say this in that "
            "project's folder, or name it in LIVEPOST_WORKSPACE"
        )


def _own(folder: DataFolder) -> bytes:
    with closing(folder.vault(readonly=True)) as vault:
        return Signer(vault.secret(PURPOSE)).public


def _subject(text: str) -> bytes | None:
    try:
        return bytes.fromhex(text) if text else None
    except ValueError:
        raise SettingsError("expected a subject's id in hex; a person's page and `livepost why` show it") from None


def _lines(verdict: Verdict) -> list[str]:
    told = f"{verdict.entries:,} entries, {verdict.heads:,} heads; a head vouches for all up to {verdict.vouched:,}."
    if verdict.holds:
        return [f"The audit is whole: {told}"]
    return [f"The audit is NOT whole: {told}", *(f"from entry {one.number:,}: {one.wrong}" for one in verdict.findings)]


def _people(line: EntryLine) -> str:
    return line.people[0] if len(line.people) == 1 else str(len(line.people) or "")


def _moment(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
