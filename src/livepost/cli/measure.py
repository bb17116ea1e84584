"""`livepost bench`: benchmarks, JSON out."""

from __future__ import annotations

import json
from typing import Annotated, Literal

import typer
from rich.console import Console

from livepost.bench import engine

_console = Console(soft_wrap=True, highlight=False)


def bench(name: Annotated[Literal["engine"], typer.Argument(help="Which one.")] = "engine") -> None:
    """Run a benchmark and print its figures as JSON, with the machine they were taken on."""
    _console.print_json(json.dumps(engine.run()))
