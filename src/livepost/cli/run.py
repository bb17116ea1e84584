"""`livepost run`: all processes under a supervisor, or one of them."""

from __future__ import annotations

import os
from contextlib import closing
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from livepost.cli.author import project_of
from livepost.cli.console import new_link
from livepost.cli.signals import stop_on_signals
from livepost.cli.workspace import folder_here
from livepost.clock import WallClock
from livepost.model.compiled import Compiled
from livepost.runtime.definitions import read_named
from livepost.runtime.folder import DataFolder
from livepost.runtime.lifeline import end_with_input
from livepost.runtime.sender import check_sender
from livepost.runtime.supervisor import Supervisor

_console = Console(soft_wrap=True, highlight=False)


class Process(StrEnum):
    """The processes of a workspace; each has a file of its name beside this one, loaded in that process only."""

    front = "front"
    recorder = "recorder"
    engine = "engine"
    courier = "courier"


def run(
    process: Annotated[Process | None, typer.Argument(help="One process; all if left out.")] = None,
    supervised: Annotated[
        bool, typer.Option("--supervised", help="End when standard input does: a supervisor says this.")
    ] = False,
) -> None:
    """Start the workspace of the project in this folder: collector, API and console, engine, courier."""
    folder = folder_here()
    if process is None:
        _supervise(folder)
    else:
        if supervised:
            end_with_input()
        import_module(f"livepost.cli.{process}").main(folder)


def _supervise(folder: DataFolder) -> None:
    project = project_of(folder)  # so that a project that does not compile is said once, here
    check_sender(folder.settings)
    folder.prepare()
    stop = stop_on_signals()
    supervisor = Supervisor(Path.cwd(), os.environ)
    supervisor.start(folder)
    _greet(folder, project.compiled)
    try:
        supervisor.watch(stop)
    finally:
        supervisor.stop()


def _greet(folder: DataFolder, wished: Compiled) -> None:
    with closing(folder.log_reader()) as log:
        named = read_named(folder.definitions_file, log)
    serving = wished if named is None else named.serving
    keys = folder.keys
    write = next((key for key in keys.all() if key.kind == "write" and key.revoked_ms is None), None)
    shown = write.shown if write else keys.new("write", "website", WallClock().now_ms()).key
    campaigns = len(serving.campaigns)
    counted = "1 campaign" if campaigns == 1 else f"{campaigns} campaigns"
    _console.print(f"Livepost runs with {counted} and takes events at [bold]http://localhost:{folder.port}[/]")
    _console.print(f"  write key   {shown}   (public: websites and apps send events with it)")
    _console.print(f"  console     {new_link(folder)}   (opens once; `livepost console` prints another)")
    _console.print("  secret keys are made by `livepost keys new secret`; Ctrl-C stops")
    if serving.hash() != wished.hash():
        _console.print("The project in this folder is not what is applied, and the house goes on with what is.")
        _console.print("  `livepost plan` says what differs, `livepost apply` makes it serve")
