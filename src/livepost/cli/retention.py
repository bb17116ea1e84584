"""`livepost retention`: what is older than policy.toml keeps it; what goes, and what went."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Column, Table

from livepost.cli.author import applied_project_of
from livepost.cli.workspace import used_folder_here, who
from livepost.clock import WallClock, day, moment
from livepost.control import retention
from livepost.control.retention import Run, Went
from livepost.errors import StoreError
from livepost.govern.rights.retention import terms_of
from livepost.project.purposes import Purposes
from livepost.runtime.data.folder import DataFolder
from livepost.runtime.rights.retaining import RETAIN, mail_days, planned
from livepost.runtime.sockets.wire import WireClient, WireError

app = typer.Typer(help="What is older than policy.toml keeps it: what goes, and what went.", no_args_is_help=True)
_console = Console(soft_wrap=True, highlight=False)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
LOOK_S = 0.1


@app.command()
def plan(as_json: AsJson = False) -> None:
    """Show what a run would take out now; changes nothing. Reads what no run has looked at yet."""
    folder = used_folder_here()
    project = applied_project_of(folder)
    terms = terms_of(project.policy, Purposes(project.compiled, project.policy)) if project.policy else None
    now = (folder.clock.now_ms(), WallClock().now_ms())
    with closing(folder.control()) as control, closing(folder.ledger()) as ledger:
        found = list(planned(folder, control, ledger, terms, mail_days(folder, project.policy), now))
    if as_json:
        _console.print(msgspec.json.encode(found).decode(), markup=False)
        return
    _console.print(_table(found))
    if terms is None:
        _console.print("The project has no policy.toml: personal values stay as long as the log, `retention_days`.")


@app.command()
def run(as_json: AsJson = False) -> None:
    """Take out now what is too old, and print what went. The house has to run; it does the same once a day."""
    folder = used_folder_here()
    with closing(WireClient(folder.front_socket)) as front:
        try:
            begun = front.call(RETAIN, who(), Run)
        except WireError as error:
            raise StoreError(
                "expected a house that runs, to take anything out, got no answer from its front; start it with "
                "`livepost run`"
            ) from error
    _print([_ended(folder, begun.id)], as_json)


@app.command()
def report(
    limit: Annotated[int, typer.Option(min=1, max=400, help="How many runs, the newest first.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Print what the last runs took out."""
    with closing(used_folder_here().control()) as control:
        _print(retention.runs(control, limit), as_json)


def _ended(folder: DataFolder, id: str) -> Run:
    """Return a run once it is through."""
    with closing(folder.control()) as control:
        while True:
            found = next((one for one in retention.runs(control, retention.RUNS_MAX) if one.id == id), None)
            if found is not None and found.ended_at:
                return found
            time.sleep(LOOK_S)


def _print(runs: Sequence[Run], as_json: bool) -> None:
    if as_json:
        _console.print(msgspec.json.encode(runs).decode(), markup=False)
        return
    if not runs:
        _console.print("Nothing was taken out yet: there was no run.")
    for one in runs:
        ended = f"done {moment(one.ended_at)}" if one.ended_at else f"under way, {len(one.done)} steps done"
        _console.print(f"Run {one.id}, begun {moment(one.begun_at)} by {one.by}, {ended}:", markup=False)
        _console.print(_table(one.went))


def _table(found: Sequence[Went]) -> Table | str:
    table = Table(
        "store",
        Column("what", overflow="fold"),
        "for",
        Column("how many", justify="right"),
        "oldest",
        "older than",
        box=None,
    )
    for one in found:
        oldest = day(one.oldest) if one.oldest else ""
        words = ", ".join(one.purposes)
        table.add_row(one.store, one.field, words, f"{one.count:,}", oldest, day(one.before))
    return table if found else "Nothing is promised, and nothing is too old."
