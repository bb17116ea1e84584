"""`livepost run`: all processes under a supervisor, or one of them."""

from __future__ import annotations

import asyncio
import os
import signal
from enum import Enum
from pathlib import Path
from threading import Event
from typing import Annotated

import typer
import uvloop
from rich.console import Console

from livepost.cli.workspace import folder_here, project_of
from livepost.clock import WallClock
from livepost.runtime.courier import run_courier
from livepost.runtime.engine import run_engine
from livepost.runtime.folder import DataFolder
from livepost.runtime.front import run_front
from livepost.runtime.supervisor import Supervisor

_console = Console()


class Process(str, Enum):
    """The processes of a workspace."""

    front = "front"
    engine = "engine"
    courier = "courier"


def run(process: Annotated[Process | None, typer.Argument(help="One process; all if left out.")] = None) -> None:
    """Start the workspace of the project in this folder: collector, engine and courier."""
    folder = folder_here()
    folder.prepare()
    if process is None:
        _supervise(folder)
    else:
        _run_one(folder, process)


def stop_on_signals() -> Event:
    """Return an event that SIGTERM or SIGINT sets."""
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def _run_one(folder: DataFolder, process: Process) -> None:
    project = project_of(folder)
    match process:
        case Process.front:
            uvloop.run(run_front(folder, project))
        case Process.engine:
            asyncio.run(run_engine(folder, project))
        case Process.courier:
            run_courier(folder, project, stop_on_signals())


def _supervise(folder: DataFolder) -> None:
    project = project_of(folder)  # so that a project that does not compile is said once, here
    stop = stop_on_signals()
    supervisor = Supervisor(Path.cwd(), os.environ)
    supervisor.start(folder)
    _greet(folder, len(project.compiled.campaigns))
    try:
        supervisor.watch(stop)
    finally:
        supervisor.stop()


def _greet(folder: DataFolder, campaigns: int) -> None:
    keys = folder.keys
    write = next((key for key in keys.all() if key.kind == "write" and key.revoked_ms is None), None)
    shown = write.shown if write else keys.new("write", "website", WallClock().now_ms()).key
    _console.print(f"Livepost runs with {campaigns} campaigns: [bold]http://localhost:{folder.port}[/]")
    _console.print(f"  write key   {shown}   (public: websites and apps send events with it)")
    _console.print("  secret keys are made by `livepost keys new secret`; Ctrl-C stops")
