"""`livepost policy`: whether the project keeps what its policy.toml promises."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Column, Table

from livepost.audit.deed import Deed
from livepost.cli.author import applied_project_of
from livepost.cli.workspace import note, settings_here, used_folder_here
from livepost.clock import DAY_MS
from livepost.errors import ProjectError
from livepost.govern.policy.every import RULES
from livepost.govern.policy.finding import Outcome, Report
from livepost.govern.policy.unread import unread
from livepost.project.declarations import collect
from livepost.runtime.author.governing import given_of, report_of
from livepost.runtime.author.project import import_shop
from livepost.runtime.data.kept_policy import is_changed, wider
from livepost.runtime.rights.finding import RECORDS, find_personal

app = typer.Typer(help="Whether the project keeps what its policy.toml promises.", no_args_is_help=True)
_console = Console(soft_wrap=True, highlight=False)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
DIFFERS = 2
"""The exit code of `diff` where the pages differ, as that of `livepost plan`."""

STATES = {"holds": "holds", "warned": "holds, with warnings", "broken": "BROKEN", "not_yet": "nothing to look at yet"}


@app.command("check")
def check_policy(as_json: AsJson = False) -> None:
    """Look at the project in this folder by every rule; exit 1 if one is broken. Needs no house, and no network."""
    folder = Path.cwd()
    report = report_of(folder, collect(vars(import_shop(folder))), settings_here().settings)
    if as_json:
        told = {"holds": report.holds, **msgspec.to_builtins(report)}
        _console.print_json(msgspec.json.encode(told).decode())
    else:
        for line in _lines(report):
            _console.print(line, markup=False)
    if not report.holds:
        raise typer.Exit(1)


@app.command("diff")
def diff_policy(as_json: AsJson = False) -> None:
    """Say what the folder's policy.toml allows that the one in force does not; exit 2 if they differ."""
    folder, here = used_folder_here(), Path.cwd()
    differs, allowed = is_changed(folder, here), wider(folder, here)
    if as_json:
        _console.print(msgspec.json.encode({"differs": differs, "wider": allowed}).decode(), markup=False)
    else:
        for line in allowed:
            _console.print(f"wider  {line}", markup=False)
        _console.print(_standing(differs, allowed), markup=False)
    if differs:
        raise typer.Exit(DIFFERS)


@app.command("rules")
def list_rules(as_json: AsJson = False) -> None:
    """List the rules."""
    told = [{"rule": one.id, "title": one.title, "not_yet": one.not_yet} for one in RULES]
    if as_json:
        _console.print_json(msgspec.json.encode(told).decode())
        return
    for one in RULES:
        _console.print(f"{one.id}  {one.title}{f' ({one.not_yet})' if one.not_yet else ''}", markup=False)


@app.command("unread")
def list_unread(
    days: Annotated[int, typer.Option(min=1, max=3_650, help="For how long.")] = 90, as_json: AsJson = False
) -> None:
    """List personal fields that no destination gets and no campaign used for so long: the shop could do without."""
    folder, data = Path.cwd(), used_folder_here()
    given = given_of(folder, collect(vars(import_shop(folder))), data.settings)
    if given is None:
        raise ProjectError("this needs what is promised about data; write policy.toml (docs/reference/policy.md)")
    with closing(data.ledger()) as ledger:
        found = unread(given, ledger.last_decided(), data.clock.now_ms() - days * DAY_MS)
    if as_json:
        _console.print(msgspec.json.encode(found).decode(), markup=False)
        return
    table = Table("field", "for", "becomes", "would be used by", box=None)
    for one in found:
        table.add_row(one.field, *(", ".join(words) for words in (one.purposes, one.features, one.campaigns)))
    _console.print(table if found else f"Every personal field was read within {days} days.")


@app.command("found")
def found_personal(as_json: AsJson = False) -> None:
    """Look whether the newest events have personal values where none were declared; says fields, never a value."""
    folder = used_folder_here()
    compiled = applied_project_of(folder).compiled
    note(folder, Deed("policy.looked"))
    with closing(folder.log_reader()) as log, closing(folder.vault(readonly=True)) as vault:
        found = find_personal(log, vault, folder.settings.workspace, compiled)
    if as_json:
        _console.print(msgspec.json.encode(found).decode(), markup=False)
        return
    table = Table("field", "is", "looks like", "by its", Column("how many", justify="right"), box=None)
    for one in found:
        where = "declared, open" if one.declared else "not declared, sealed"
        table.add_row(one.field, where, one.kind, one.by, f"{one.count:,} of {one.of:,}")
    _console.print(
        table if found else f"Nothing looks personal in the newest {RECORDS:,} records but what is declared."
    )


def _standing(differs: bool, allowed: list[str]) -> str:
    if not differs:
        return "The house goes by the folder's policy.toml, or did not run with one yet."
    taken = "the house takes it, all of it, at its next start or `livepost apply`"
    if not allowed:
        return f"The folder's policy.toml allows nothing more: {taken}."
    return f"Where two users could approve that, they have to; then {taken}."


def _lines(report: Report) -> list[str]:
    lines = [line for outcome in report.outcomes for line in _outcome(outcome)]
    errors = sum(one.severity == "error" for one in report.findings)
    warnings = len(report.findings) - errors
    end = "The project keeps its policy." if report.holds else f"{errors} to mend."
    return [*lines, end + (f" {warnings} warnings." if warnings else "")]


def _outcome(outcome: Outcome) -> list[str]:
    head = f"{outcome.rule}  {STATES[outcome.state]:<22}  {outcome.title}"
    return [head + (f": {outcome.note}" if outcome.note else ""), *(f"      {one}" for one in outcome.findings)]
