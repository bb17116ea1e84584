"""Commands that look and change nothing: `why`, `parity`."""

from __future__ import annotations

import time
from contextlib import closing
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from livepost.audit.deed import Deed, named
from livepost.cli.author import applied_project_of
from livepost.cli.workspace import note, used_folder_here
from livepost.errors import StoreError
from livepost.log.base import Position
from livepost.log.whole import blocks_of
from livepost.model.person import PersonView
from livepost.ops.parity.compare import Parity, compare
from livepost.runtime.engine.asking import Engine, engine_of
from livepost.runtime.front.reasons import reasons_for

EVERYBODY = 10_000_000
SETTLE_S = 30.0

_console = Console(soft_wrap=True, highlight=False)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def why(
    person: Annotated[str, typer.Argument(help="A userId, a declared key, an anonymousId or an email address.")],
    about: Annotated[str | None, typer.Argument(help="A campaign or a segment; all if left out.")] = None,
    as_json: AsJson = False,
) -> None:
    """Say why a person got a mail or did not, is in a segment or is not."""
    folder = used_folder_here()

    def seen(view: PersonView) -> None:
        note(folder, Deed("reasons.read", tuple(view.subjects), named(about or "")))

    reasons = reasons_for(folder, applied_project_of(folder), person, about, seen)
    if as_json:
        _console.print_json(msgspec.json.encode(reasons).decode())
        return
    _console.print(str(reasons), markup=False)


def parity(
    people: Annotated[
        str, typer.Option(metavar="N|all", help="How many people to compare, those seen first; all: everybody.")
    ] = "all",
    as_json: AsJson = False,
) -> None:
    """Recompute people from the log with DuckDB and compare them with the live state; exit 1 on any mismatch."""
    limit = _number_of_people(people)
    folder = used_folder_here()
    project = applied_project_of(folder)
    with engine_of(folder, project) as engine, closing(folder.log_reader()) as log:
        views = _settled(engine, limit or EVERYBODY)
        if not views:
            raise StoreError("there is nobody to compare yet; send events first")
        at = Position(views[0].position, views[0].as_of)
        found = compare(blocks_of(log), project.compiled, views, at, everybody=not limit)
    _say_parity(found, as_json)
    if not found.holds:
        raise typer.Exit(1)


def _number_of_people(told: str) -> int:
    """Return how many people `--people` asks for; 0: everybody."""
    if told == "all":
        return 0
    if told.isascii() and told.isdigit():
        return int(told)
    raise typer.BadParameter(f"expected a number of people or all, got {told!r}", param_hint="--people")


def _settled(engine: Engine, limit: int) -> list[PersonView]:
    """Return people at a moment at which every due time is served."""
    deadline = time.monotonic() + SETTLE_S
    while time.monotonic() < deadline:
        status = engine.status()
        views = engine.everybody(limit)
        if not views or status.complete_to == status.position == views[0].position:
            return views
        time.sleep(0.05)
    raise StoreError(f"the engine did not come to rest within {SETTLE_S:g} s; try again when less comes in")


def _say_parity(found: Parity, as_json: bool) -> None:
    if as_json:
        _console.print_json(msgspec.json.encode(found).decode())
        return
    for mismatch in found.mismatches:
        sides = f"live {mismatch.live!r}, recomputed {mismatch.recomputed!r}"
        _console.print(f"{mismatch.person}  {mismatch.kind} {mismatch.name}: {sides}", markup=False)
    verdict = "no mismatch" if found.holds else _counted(found.mismatched, "mismatch", "mismatches")
    people = _counted(found.people, "person", "people")
    _console.print(f"{people}, {found.values:,} values at position {found.position:,}: {verdict}")


def _counted(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"
