"""`livepost plan` and `livepost apply`: what a changed project would do, and do it while the house runs."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from livepost.audit.deed import Deed
from livepost.cli.author import project_of
from livepost.cli.four_eyes import take_policy_here
from livepost.cli.project import problems_here
from livepost.cli.workspace import note, used_folder_here
from livepost.errors import LivepostError, ProjectError
from livepost.log.whole import blocks_of
from livepost.ops.plan import Moves, Plan
from livepost.ops.plan import plan as planned
from livepost.project.diff import Change, Diff, diff
from livepost.project.renames import renames_of
from livepost.runtime.author.project import Project
from livepost.runtime.data.definitions import Named, read_named
from livepost.runtime.data.folder import DataFolder
from livepost.runtime.data.kept_policy import is_changed
from livepost.runtime.engine.asking import engine_of
from livepost.runtime.outside.applying import Applying, Stage

CHANGES = 2
"""The exit code of `plan` where something is to be done (the habit of `terraform plan -detailed-exitcode`)."""

EVERYBODY = 10_000_000

AT_START = "policy.toml was changed; the house takes it at its next start, or with the next change of the project"

SIGNS = {"new": "+", "changed": "~", "renamed": "~", "removed": "-"}
HEADINGS = {
    "project": "project",
    "event": "events",
    "feature": "features",
    "segment": "segments",
    "campaign": "campaigns",
}
WORDS: dict[Stage, str] = {"reading": "reading the log", "history": "history", "people": "people"}

_console = Console(soft_wrap=True, highlight=False)
_errors = Console(soft_wrap=True, highlight=False, stderr=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


class UnfitError(LivepostError):
    """The project cannot be applied as it is; the sentence says why."""


class Applied(msgspec.Struct, frozen=True, kw_only=True):
    """What `apply` did: the run, the seqs of its CUT and READY, how long it took, and people by segment before and
    after; nothing to do where `run` is empty. `policy` says why it goes by another policy.toml.
    """

    run: str = ""
    cut_at: int = -1
    ready_at: int = -1
    seconds: float = 0.0
    before: dict[str, int] = {}
    after: dict[str, int] = {}
    policy: str = ""


def plan(as_json: AsJson = False) -> None:
    """Say what the folder's project would change in the house, and for how many people; exit 2 if anything."""
    folder = used_folder_here()
    project = project_of(folder)
    named = _named(folder)
    if named is None:
        _say(as_json, Plan(diff=Diff()), "Nothing is applied yet: `livepost run` begins with the folder's project.")
        return
    difference = _difference(named, project)
    if not difference.changes and not difference.problems and named.cut is None:
        _say(as_json, Plan(diff=difference), *difference.notes, "The folder's project is what serves: nothing to do.")
        return
    _say(as_json, _plan(folder, project, named, difference), *_under_way(named, project))
    raise typer.Exit(CHANGES)


def apply(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make the folder's project serve in the house that runs: say what it does, ask, and do it."""
    folder = used_folder_here()
    project = project_of(folder)
    with Applying(folder) as applying:
        named = applying.named
        difference = _difference(named, project)
        if not difference.changes and named.cut is None:
            _say_applied(Applied(policy=AT_START if is_changed(folder, Path.cwd()) else ""), as_json)
            return
        _require_sound(difference)
        if not as_json:
            _print(_plan(folder, project, named, difference))
        _require_consent(yes or as_json)
        note(folder, Deed("project.applied"))
        waits = take_policy_here(folder)
        before = applying.segments()
        began = time.monotonic()
        cut_at = _carry_out(applying, project, difference, quiet=as_json)
        _say_applied(
            Applied(
                run=applying.named.run,
                cut_at=cut_at,
                ready_at=applying.named.ready_at,
                seconds=round(time.monotonic() - began, 2),
                before=before,
                after=applying.segments(),
                policy=waits,
            ),
            as_json,
        )


def _carry_out(applying: Applying, project: Project, difference: Diff, *, quiet: bool) -> int:
    """Do it under a progress bar; return the seq of the cut."""
    cut_at = -1
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Bar(*columns, console=_errors, disable=quiet) as bar:
        task = bar.add_task("begin", total=None)
        for at in applying.carry_out(project.compiled, difference.carried):
            cut_at = applying.named.cut_at.seq if applying.named.cut_at is not None else cut_at
            bar.update(task, description=WORDS[at.stage], completed=at.done, total=at.of or None)
    return cut_at


def _named(folder: DataFolder) -> Named | None:
    with closing(folder.log_reader()) as log:
        return read_named(folder.definitions_file, log)


def _difference(named: Named, project: Project) -> Diff:
    return diff(named.serving, project.compiled, renames_of(project.declarations))


def _plan(folder: DataFolder, project: Project, named: Named, difference: Diff) -> Plan:
    serving = msgspec.structs.replace(project, compiled=named.serving)
    with engine_of(folder, serving) as engine, closing(folder.log_reader()) as log:
        people = engine.everybody(EVERYBODY)
        kept = log.last().seq + 1 - log.first()
        return planned(difference, project.compiled, people, lambda: blocks_of(log), kept=kept)


def _require_sound(difference: Diff) -> None:
    errors = [problem for problem in problems_here() if problem.severity == "error"]
    if errors:
        raise ProjectError(errors[0].sentence, errors[0].where or None)
    if difference.problems:
        raise UnfitError(difference.problems[0])


def _require_consent(given: bool) -> None:
    if given:
        return
    if not sys.stdin.isatty():
        raise UnfitError("expected a yes before the house is changed, got nobody to ask; say --yes")
    typer.confirm("Apply?", abort=True)


def _under_way(named: Named, project: Project) -> Iterator[str]:
    if named.cut is None:
        return
    if named.cut.hash == project.compiled.hash():
        yield f"This change is under way (run {named.cut.run}); `livepost apply` goes on with it."
    else:
        yield f"Another change is under way (run {named.cut.run}); `livepost apply` puts this one in its place."


def _say(as_json: bool, plan: Plan, *sentences: str) -> None:
    if as_json:
        _console.print_json(msgspec.json.encode(plan).decode())
        return
    if plan.diff.changes or plan.diff.problems:
        _print(plan)
    for sentence in sentences:
        _console.print(sentence, markup=False)


def _print(plan: Plan) -> None:
    moves = {one.segment: one for one in plan.moves}
    for kind, heading in HEADINGS.items():
        changes = [change for change in plan.diff.changes if change.kind == kind]
        if changes:
            _console.print(heading, markup=False)
        for change in changes:
            _console.print(_line(change, moves.get(change.name) if kind == "segment" else None), markup=False)
    for sentence in _words(plan):
        _console.print(sentence, markup=False)


def _line(change: Change, moves: Moves | None) -> str:
    was = [f"was {change.before}"] if change.before else []
    people = [f"{moves.enter:,} enter, {moves.leave:,} leave"] if moves else []
    told = "; ".join([*was, *people, *change.notes])
    return f"  {SIGNS[change.what]} {change.name:<24} {told}".rstrip()


def _words(plan: Plan) -> Iterator[str]:
    if plan.unsaid:
        yield f"How many people enter or leave cannot be said: {plan.unsaid}"
    if plan.diff.history:
        yield f"History is read from {plan.records:,} records: about {_spoken(plan.seconds)}, by a sample."
    yield from plan.diff.notes
    yield from (f"It cannot be applied: {problem}" for problem in plan.diff.problems)
    if not plan.diff.problems:
        yield "Entering a segment by a change starts no campaign."


def _spoken(seconds: float) -> str:
    if seconds < 1:
        return "a second"
    return f"{seconds:,.0f} s" if seconds < 120 else f"{seconds / 60:,.0f} min"


def _say_applied(applied: Applied, as_json: bool) -> None:
    if as_json:
        _console.print_json(msgspec.json.encode(applied).decode())
        return
    if not applied.run:
        _console.print("The folder's project is what serves: nothing to do.")
        _say_policy(applied)
        return
    _console.print(f"It serves since record {applied.ready_at:,}, after {applied.seconds:,.1f} s.")
    for segment, people in applied.after.items():
        before = applied.before.get(segment)
        told = "new" if before is None else f"{before:,} before"
        _console.print(f"  {segment:<24} {people:,} people, {told}", markup=False)
    _say_policy(applied)


def _say_policy(applied: Applied) -> None:
    if applied.policy:
        _console.print(f"{applied.policy}. `livepost policy diff` says what is wider.", markup=False)
