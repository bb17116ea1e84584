"""`livepost bench`: benchmarks, JSON out."""

from __future__ import annotations

import json
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

_console = Console(soft_wrap=True, highlight=False)


class Bench(StrEnum):
    """The benchmarks, each a module of `livepost.bench` that opens with its question."""

    collect = "collect"
    engine = "engine"
    path = "path"
    rush = "rush"
    wave = "wave"
    exits = "exits"
    profile = "profile"
    growth = "growth"
    mails = "mails"


def bench(
    name: Annotated[Bench, typer.Argument(help="Which one.")] = Bench.engine,
    place: Annotated[
        Path | None, typer.Option(help="Folder on the disk to measure; the system's temporary one if left out.")
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="A run of seconds: it shows that all works, its figures say nothing.")
    ] = False,
) -> None:
    """Run a benchmark and print its figures as JSON, with the machine they were taken on; exit 1 below a gate."""
    module = import_module(f"livepost.bench.{name}")
    figures = module.run(**(module.QUICK if quick else {}), place=place)
    _console.print_json(json.dumps(figures))
    if not quick and not all(gate["holds"] for gate in figures.get("gates", {}).values()):
        raise typer.Exit(1)
