"""`livepost replay`: the state rebuilt from the log; `livepost snapshot`: one to begin from later."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from threading import Event
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from livepost.cli.author import applied_project_of
from livepost.cli.signals import stop_on_signals
from livepost.cli.workspace import folder_here, used_folder_here
from livepost.errors import StoreError
from livepost.ops.divergence import Compared, Divergence
from livepost.runtime.engine.asking import keep_snapshot
from livepost.runtime.engine.rebuilding import Outcome, Rebuilding

_console = Console(soft_wrap=True, highlight=False)
_errors = Console(soft_wrap=True, highlight=False, stderr=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What `replay` prints as JSON: what came out, whether as it was, and whether it took the state's place."""

    outcome: Outcome
    holds: bool
    taken: bool
    seconds: float


def replay(
    start: Annotated[
        int | None,
        typer.Option("--from", min=0, metavar="POS", help="The first record to fold; else the log's first one."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Take what comes out, also if it is not as it was.")] = False,
    anew: Annotated[bool, typer.Option("--anew", help="Do not go on with a replay that was cut short.")] = False,
    as_json: AsJson = False,
) -> None:
    """Rebuild the state from the log of a house that is stopped; exit 1 if it comes out otherwise and is not taken."""
    folder = folder_here()
    if not (folder.path / "log").exists():
        folder.require_used()
    stop = stop_on_signals()
    began = time.monotonic()
    with Rebuilding(folder, applied_project_of(folder).compiled, start, anew=anew) as rebuilding:
        if rebuilding.went_on_at is not None and not as_json:
            _console.print(f"Going on with a replay that was cut short at record {rebuilding.went_on_at:,}.")
        _carry_out(rebuilding, stop, quiet=as_json)
        outcome = rebuilding.outcome()
        seconds = round(time.monotonic() - began, 2)
        if not as_json:
            for line in _lines(outcome, seconds):
                _console.print(line, markup=False)
        _require_going_on(stop, "all records")
        taken = outcome.holds or yes or (not as_json and _is_wanted())
        if taken:
            rebuilding.take_place()
    _say_end(Told(outcome=outcome, holds=outcome.holds, taken=taken, seconds=seconds), as_json)
    if not taken:
        raise typer.Exit(1)


def snapshot(as_json: AsJson = False) -> None:
    """Keep a snapshot of the state, for `livepost replay --from`; the house may run."""
    position = keep_snapshot(used_folder_here())
    if as_json:
        _console.print_json(msgspec.json.encode({"position": position}).decode())
        return
    _console.print(f"A snapshot is kept as of record {position:,}; `livepost replay --from {position + 1}` uses it.")


def _carry_out(rebuilding: Rebuilding, stop: Event, *, quiet: bool) -> None:
    """Fold the log under a progress bar. Raises StoreError if told to stop: what is folded stays."""
    rate = TextColumn("{task.fields[rate]:,.0f} records/s")
    columns = (TextColumn("replay"), BarColumn(), MofNCompleteColumn(), rate, TimeRemainingColumn())
    began, first = time.monotonic(), -1
    with Bar(*columns, console=_errors, disable=quiet) as bar:
        task = bar.add_task("replay", total=None, rate=0.0)
        for at in rebuilding.carry_out():
            first = at.done if first < 0 else first
            rate_now = (at.done - first) / max(time.monotonic() - began, 1e-9)
            bar.update(task, completed=at.done, total=at.of, rate=rate_now)
            _require_going_on(stop, f"{at.done:,} of {at.of:,} records")


def _require_going_on(stop: Event, done: str) -> None:
    """Raise StoreError if told to stop."""
    if stop.is_set():
        raise StoreError(f"stopped after {done}; the state is as it was, `livepost replay` goes on")


def _is_wanted() -> bool:
    if not sys.stdin.isatty():
        return False
    signal.signal(signal.SIGINT, signal.default_int_handler)  # Ctrl-C is an answer, too
    return typer.confirm("Take it all the same?")


def _lines(outcome: Outcome, seconds: float) -> Iterator[str]:
    """Say what came out."""
    count = outcome.position + 1 - outcome.start
    yield f"{count:,} records folded in {seconds:,.1f} s: {_people(outcome.people)} as of record {outcome.position:,}"
    for one in outcome.segments:
        yield f"  {one.segment:<24} {_people(one.people)}"
    yield f"transitions  {_counts(outcome.transitions) if outcome.transitions else f'not compared: {outcome.unread}'}"
    yield f"decisions    {_counts(outcome.decisions)}"
    for compared in filter(None, (outcome.transitions, outcome.decisions)):
        yield from map(_line, compared.examples)


def _people(count: int) -> str:
    return "1 person" if count == 1 else f"{count:,} people"


def _counts(compared: Compared) -> str:
    said = (
        f"{compared.same:,} same, {compared.different:,} different, {compared.new:,} new, {compared.missing:,} missing"
    )
    return f"{said}; {compared.ahead:,} that the ledger has not taken over yet" if compared.ahead else said


def _line(one: Divergence) -> str:
    at = f"{datetime.fromtimestamp(one.at / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"
    fields = f" ({', '.join(one.fields)})" if one.fields else ""
    return f"  {one.kind:<9} {one.name:<24} person {one.person}, {at}, record {one.position:,}{fields}"


def _say_end(told: Told, as_json: bool) -> None:
    if as_json:
        _console.print_json(msgspec.json.encode(told).decode())
        return
    if told.holds:
        _console.print("It came out as it was, with the same ids, and is the state now.")
        return
    _console.print(
        "It did not come out as it was: the program or the log is another one. Nobody is mailed for it: what is new "
        "lies behind the fence, what was mailed stays mailed."
    )
    if told.taken:
        _console.print("It is the state now; `livepost parity` compares it with the log once more.")
        return
    _console.print(
        "The state is as it was, and this one is kept beside it. `livepost replay --yes` takes it; to look for the "
        "reason first, `livepost parity` compares the state there is with the log, `--anew` replays once more."
    )
