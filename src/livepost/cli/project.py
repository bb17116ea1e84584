"""`livepost init` and `livepost check`."""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from livepost.cli.workspace import settings_here
from livepost.errors import LivepostError, ProjectError, SettingsError
from livepost.ledger.opening import check_ledger
from livepost.project.check import check_project
from livepost.project.compiled import compile_project
from livepost.project.declarations import Declarations, collect
from livepost.project.problem import Problem
from livepost.runtime.author.governing import problems_of_policy
from livepost.runtime.author.look import problems_of_look
from livepost.runtime.author.project import import_shop
from livepost.runtime.author.templates import load_templates
from livepost.runtime.courier.audiences import accounts_of, check_audiences
from livepost.runtime.courier.sender import check_sender
from livepost.runtime.courier.targets import check_targets, targets_of
from livepost.runtime.front.hearing import check_hooks
from livepost.settings.settings import Settings

_console = Console(soft_wrap=True, highlight=False)


class FolderTakenError(LivepostError):
    """A new project would overwrite something."""


def init(folder: Annotated[Path, typer.Argument(help="Where the project goes; made if it is not there.")]) -> None:
    """Make a new project: shop.py, templates, livepost.toml, tests."""
    starter = files("livepost.project") / "starter"
    wanted = dict(_walk(starter, Path()))
    taken = sorted(str(folder / place) for place in wanted if (folder / place).exists())
    if taken:
        raise FolderTakenError(f"{taken[0]} is there already; name another folder, nothing was changed")
    for place, source in wanted.items():
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_bytes(source.read_bytes())
    _console.print(f"A project is in {folder}. Next: cd {folder}, then `livepost check` and `livepost run`.")


def check() -> None:
    """Say what is wrong with the project in this folder, with file and line; exit 1 if something is."""
    problems = problems_here() or _names_elsewhere()
    for problem in problems:
        _console.print(str(problem), markup=False)
    if any(problem.severity == "error" for problem in problems):
        raise typer.Exit(1)
    if not problems:
        _console.print("The project is sound.")


def problems_here() -> list[Problem]:
    """Return what is wrong with the project in the current folder, its templates, whoever is sent to and hears."""
    settings = settings_here().settings
    try:
        check_sender(settings)
        check_ledger(settings)
        targets_of(settings)
        check_hooks(settings)
        accounts_of(settings)
        declarations = collect(vars(import_shop(Path.cwd())))
        templates = load_templates(Path.cwd())
    except ProjectError as error:
        return [Problem.of(error)]
    except LivepostError as error:
        return [Problem(str(error))]
    told = problems_of_look(Path.cwd(), settings)
    names = templates.names()
    problems = check_project(declarations, currency=settings.currency, templates=names, topics=settings.topics) + told
    if any(problem.severity == "error" for problem in problems):
        return problems
    return problems + (_audiences_of(declarations, settings) or _policy_of(declarations, settings))


def _audiences_of(declarations: Declarations, settings: Settings) -> list[Problem]:
    """Return the destination whose segments or features a sound project does not have."""
    try:
        check_audiences(settings, compile_project(declarations, currency=settings.currency))
    except SettingsError as error:
        return [Problem(str(error))]
    return []


def _policy_of(declarations: Declarations, settings: Settings) -> list[Problem]:
    """Return what a sound project does that its policy does not allow."""
    try:
        return problems_of_policy(Path.cwd(), declarations, settings)
    except ProjectError as error:
        return [Problem.of(error)]


def _names_elsewhere() -> list[Problem]:
    """Return the webhook whose name stands for what may not be asked; `run` does not wait for names to be looked up."""
    try:
        check_targets(settings_here().settings)
    except SettingsError as error:
        return [Problem(str(error))]
    return []


def _walk(folder: Traversable, place: Path) -> list[tuple[Path, Traversable]]:
    found: list[tuple[Path, Traversable]] = []
    for entry in folder.iterdir():
        if entry.is_dir() and entry.name != "__pycache__":
            found += _walk(entry, place / entry.name)
        elif entry.is_file() and not entry.name.endswith(".pyc"):
            found.append((place / entry.name, entry))
    return found
