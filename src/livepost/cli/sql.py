"""`livepost sql`: a query over masked tables, for one purpose."""

from __future__ import annotations

import csv
import sys
from contextlib import closing
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.table import Table as Shown

from livepost.audit.deed import Deed
from livepost.cli.author import applied_project_of
from livepost.cli.workspace import note, used_folder_here
from livepost.errors import RejectedError
from livepost.govern.access.permission import Permission
from livepost.govern.access.rules import PSEUDONYMS, load_rules
from livepost.intake.seal import open_value
from livepost.model.principal import ROLES, Principal, Role
from livepost.model.record import SealedValue
from livepost.ops.sql.asking import ROWS_MAX, SqlProcess
from livepost.ops.sql.columns import Catalog, catalog_of
from livepost.ops.sql.gathering import gathered
from livepost.ops.sql.query import shape_of
from livepost.ops.sql.rows import Snapshot
from livepost.ops.sql.worker import Result
from livepost.project.gate import gate_of
from livepost.runtime.author.project import Project
from livepost.runtime.data.folder import DataFolder
from livepost.runtime.engine.asking import engine_of

_console = Console(soft_wrap=True, highlight=False)
READS = Permission("read", "sql")


def sql(
    query: Annotated[str, typer.Argument(help="One SELECT; leave it out with --tables.")] = "",
    purpose: Annotated[str, typer.Option(help="What the answer is for: a purpose of policy.toml.")] = "",
    role: Annotated[str, typer.Option(help="Whose masks hold: owner, admin or analyst.")] = "owner",
    rows: Annotated[int, typer.Option(min=1, max=ROWS_MAX, help="Rows at most.")] = 1_000,
    tables: Annotated[bool, typer.Option("--tables", help="List tables and columns with their masks.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Ask people, mails and events in SQL, for a purpose; personal values are masked before the query sees them."""
    folder = used_folder_here()
    project = applied_project_of(folder)
    if tables:
        _tell_tables(_catalog(folder, project, role, purpose)[0], as_json)
        return
    if not query:
        raise RejectedError(
            "expected a query, got none; `livepost sql --tables --purpose NAME` lists what there is", code="sql"
        )
    catalog, key = _catalog(folder, project, role, purpose)
    named = {column.name for table in catalog.tables for column in table.columns}
    note(
        folder,
        Deed("sql.asked", about=f"{purpose}: {shape_of(query, {*named, *(one.name for one in catalog.tables)})}"),
    )
    snapshot = _snapshot(folder, project, catalog, key)
    with closing(SqlProcess(snapshot)) as process:
        result = process.ask(query, rows=rows)
    note(folder, Deed("sql.answered", about=f"{purpose}: {len(result.rows)} rows of {', '.join(result.tables)}"[:200]))
    _tell(result, snapshot, as_csv, as_json)


def _catalog(folder: DataFolder, project: Project, role: str, purpose: str) -> tuple[Catalog, bytes]:
    """Return what there is for a purpose as a role sees it, and the key of pseudonyms."""
    gate = gate_of(project.policy, project.compiled)
    if gate is None:
        raise RejectedError(
            "this project has no policy.toml, so nothing may be asked for a purpose; write one first", code="no_policy"
        )
    if purpose not in gate.policy.purposes:
        raise RejectedError(
            f"expected --purpose to be one of {', '.join(gate.policy.purposes)}, got another name", code="no_purpose"
        )
    if role not in ROLES:
        raise RejectedError(f"expected --role to be one of {', '.join(ROLES)}, got another name", code="role")
    with closing(folder.vault(readonly=True)) as vault:
        key = vault.secret(PSEUDONYMS)
    rules = load_rules(project.folder, key, folder.path)
    who = Principal(by="command:sql", role=msgspec.convert(role, Role))
    rules.require(who, READS)
    return catalog_of(project.compiled, gate, rules.sight(who), purpose), key


def _snapshot(folder: DataFolder, project: Project, catalog: Catalog, key: bytes) -> Snapshot:
    with (
        engine_of(folder, project) as engine,
        closing(folder.vault(readonly=True)) as vault,
        closing(folder.ledger()) as ledger,
        closing(folder.log_reader()) as log,
    ):

        def opened(value: SealedValue) -> Any:
            return open_value(vault.keys(value.subject), folder.settings.workspace, value)

        return gathered(catalog, key, engine, ledger, log, opened, folder.clock.now_ms)


def _tell(result: Result, snapshot: Snapshot, as_csv: bool, as_json: bool) -> None:
    if as_json:
        told = {"position": snapshot.position, "whole": snapshot.whole, **msgspec.to_builtins(result)}
        _console.print_json(msgspec.json.encode(told).decode())
    elif as_csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(result.columns)
        writer.writerows([_cell(value) for value in row] for row in result.rows)
    else:
        shown = Shown(*result.columns)
        for row in result.rows:
            shown.add_row(*(_text(value) for value in row))
        _console.print(shown)
        _console.print(_foot(result, snapshot), markup=False)


def _foot(result: Result, snapshot: Snapshot) -> str:
    more = "; there are more: --rows" if result.more else ""
    part = "" if snapshot.whole else " Of the newest alone: see docs/reference/sql.md."
    return f"{len(result.rows)} rows as of record {snapshot.position:,}{more}.{part}"


def _tell_tables(catalog: Catalog, as_json: bool) -> None:
    if as_json:
        _console.print_json(msgspec.json.encode({"purpose": catalog.purpose, "tables": catalog.tables}).decode())
        return
    for table in catalog.tables:
        _console.print(table.name)
        for column in table.columns:
            _console.print(f"  {column.name:<30} {column.type:<10} {column.mask}", markup=False)


def _cell(value: Any) -> str:
    """Return a value for CSV: text that a spreadsheet would take for a formula begins with a quote."""
    text = _text(value)
    return f"'{text}" if isinstance(value, str) and text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
