"""`test-send`: a campaign's mail as a person would get it now, to an address; the courier sends it when it runs."""

from __future__ import annotations

import secrets
from contextlib import closing
from typing import Annotated

import typer
from rich.console import Console

from livepost.audit.deed import Deed, named
from livepost.cli.author import applied_project_of
from livepost.cli.workspace import note, used_folder_here
from livepost.errors import ProjectError
from livepost.runtime.author.project import Project
from livepost.runtime.engine.asking import engine_of
from livepost.runtime.front.preview import Previews
from livepost.runtime.front.reasons import person_of
from livepost.runtime.front.trying import Trying

BY = "command line"

_console = Console(soft_wrap=True, highlight=False)


def test_send(
    campaign: Annotated[str, typer.Argument(help="A campaign of the project.")],
    person: Annotated[str, typer.Option(help="As whom: a userId, a declared key, an anonymousId or an email address.")],
    to: Annotated[str, typer.Option(help="The address that it goes to.")],
) -> None:
    """Send a campaign's mail, as a person would get it now, to an address as a test; it counts nowhere."""
    folder = used_folder_here()
    project = applied_project_of(folder)
    _require(project, campaign)
    previews = Previews(folder, project)
    with (
        closing(previews),
        closing(folder.vault(readonly=True)) as vault,
        closing(folder.ledger()) as ledger,
        engine_of(folder, project) as engine,
    ):
        trying = Trying(previews=previews, ledger=ledger, workspace=folder.settings.workspace, clock=folder.clock)
        view = person_of(vault, engine, person, project.compiled.keys())
        note(folder, Deed("test_mail.asked", tuple(view.subjects), named(campaign)))
        known = trying.send(vault, view, campaign, to, BY, secrets.token_hex(8))
    _console.print(f"The test is mail {known.delivery.decision.id.hex()}; a courier that runs sends it now.")


def _require(project: Project, campaign: str) -> None:
    names = [one.name for one in project.compiled.campaigns]
    if campaign not in names:
        known = ", ".join(names) or "none"
        raise ProjectError(f"expected a campaign of this project ({known}), got {campaign}; was it renamed?")
