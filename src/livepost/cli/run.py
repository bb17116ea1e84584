"""`livepost run`: all processes under a supervisor, or one of them."""

from __future__ import annotations

import os
import sys
from contextlib import closing
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console

from livepost.cli.author import applied_project_of, project_of
from livepost.cli.console import new_link
from livepost.cli.four_eyes import take_policy_here
from livepost.cli.project import problems_here
from livepost.cli.signals import stop_on_signals
from livepost.cli.workspace import folder_here
from livepost.clock import WallClock
from livepost.ledger.opening import check_ledger
from livepost.project.problem import Problem
from livepost.runtime.author.project import Project
from livepost.runtime.courier.sender import check_sender
from livepost.runtime.courier.targets import targets_of
from livepost.runtime.data.definitions import read_named
from livepost.runtime.data.folder import DataFolder
from livepost.runtime.data.kept_policy import keep_home
from livepost.runtime.front.hearing import check_hooks
from livepost.runtime.house.lifeline import end_with_input
from livepost.runtime.house.supervisor import Supervisor, command_of

_console = Console(soft_wrap=True, highlight=False)


class Process(StrEnum):
    """The processes of a workspace; each has a file of its name beside this one, loaded in that process only."""

    front = "front"
    recorder = "recorder"
    engine = "engine"
    courier = "courier"


_MAKERS = (Process.front, Process.courier)
"""Those that make mails, or show them: only they need an author's pages."""


def run(
    process: Annotated[Process | None, typer.Argument(help="One process; all if left out.")] = None,
    supervised: Annotated[
        bool, typer.Option("--supervised", help="End when standard input does: a supervisor says this.")
    ] = False,
    kept: Annotated[
        bool, typer.Option("--kept", help="Go by the pages kept of what is applied: a supervisor says this.")
    ] = False,
) -> None:
    """Start the workspace of the project in this folder: collector, API and console, engine, courier."""
    folder = folder_here()
    if process is None:
        _supervise(folder)
        return
    if supervised:
        end_with_input()
    main = import_module(f"livepost.cli.{process}").main
    if kept and process in _MAKERS:
        main(folder, kept=True)
    else:
        main(folder)


def _supervise(folder: DataFolder) -> None:
    check_sender(folder.settings)
    check_ledger(folder.settings)
    targets_of(folder.settings)
    check_hooks(folder.settings)
    folder.keks.require_agreed()
    problems = [problem for problem in problems_here() if problem.severity == "error"]
    if problems and not _is_applied(folder):
        _refuse(problems)
    folder.prepare()
    supervisor = Supervisor(Path.cwd(), os.environ, _kept_command if problems else command_of)
    supervisor.hold(folder)
    keep_home(folder, Path.cwd())
    waits = take_policy_here(folder)
    project = applied_project_of(folder, kept=True) if problems else project_of(folder)
    stop = stop_on_signals()
    supervisor.start(folder)
    _greet(folder, project, problems)
    if waits:
        _console.print(f"{waits}. `livepost policy diff` says what is wider.", markup=False)
    try:
        supervisor.watch(stop)
    finally:
        supervisor.stop()


def _is_applied(folder: DataFolder) -> bool:
    """Say whether a project is applied; else the front takes whatever is in the folder."""
    with closing(folder.log_reader()) as log:
        return log.events() > 0 and read_named(folder.definitions_file, log) is not None


def _refuse(problems: list[Problem]) -> NoReturn:
    """Say what is wrong with a project that nothing is applied beside, as `livepost check` says it."""
    for problem in problems:
        print(problem, file=sys.stderr)  # noqa: T201
    raise typer.Exit(1)


def _kept_command(name: str) -> list[str]:
    return [*command_of(name), "--kept"]


def _greet(folder: DataFolder, project: Project, problems: list[Problem]) -> None:
    wished = project.compiled
    with closing(folder.log_reader()) as log:
        named = read_named(folder.definitions_file, log)
    serving = wished if named is None else named.serving
    keys = folder.keys
    write = next((key for key in keys.all() if key.kind == "write" and key.revoked_ms is None), None)
    shown = write.shown if write else keys.new("write", "website", WallClock().now_ms()).key
    campaigns = len(serving.campaigns)
    counted = "1 campaign" if campaigns == 1 else f"{campaigns} campaigns"
    _console.print(f"Livepost runs with {counted} and takes events at [bold]{folder.console_url}[/]")
    _console.print(f"  write key   {shown}   (public: websites and apps send events with it)")
    _console.print(f"  console     {new_link(folder)}   (opens once; `livepost console` prints another)")
    _console.print("  secret keys are made by `livepost keys new secret`; Ctrl-C stops")
    if project.policy is None:
        _console.print("Nothing is promised about people's data: there is no policy.toml, and no rule is looked at.")
        _console.print("  `livepost policy check` says more")
    if problems:
        _console.print(f"The project in this folder is not sound: {problems[0]}", markup=False)
        _console.print("The house goes on with what is applied; `livepost check` says all that is to be mended.")
    elif wished.hash() != serving.hash():
        _console.print("The project in this folder is not what is applied, and the house goes on with what is.")
        _console.print("  `livepost plan` says what differs, `livepost apply` makes it serve")
