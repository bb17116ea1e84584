"""`livepost console`: a new one-time link to the console of the house that runs."""

from __future__ import annotations

import webbrowser
from contextlib import closing
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from livepost.cli.workspace import settings_here
from livepost.errors import StoreError
from livepost.runtime.data.folder import DataFolder
from livepost.runtime.sockets.wire import WireClient, WireError

_console = Console(soft_wrap=True, highlight=False)


def console(
    data: Annotated[
        Path | None, typer.Option(help="The house's data folder; that of the project in this folder if left out.")
    ] = None,
    browse: Annotated[bool, typer.Option("--browse", help="Open it in the browser too.")] = False,
) -> None:
    """Print a link that opens the console once; the browser that follows it has a session of twelve hours."""
    settings = settings_here().settings
    folder = DataFolder(settings if data is None else msgspec.structs.replace(settings, data=str(data.resolve())))
    link = new_link(folder)
    _console.print(link, markup=False)
    if browse:
        webbrowser.open(link)


def new_link(folder: DataFolder) -> str:
    """Return a new one-time link from the folder's front; raise StoreError if none runs."""
    try:
        with closing(WireClient(folder.front_socket)) as front:
            return front.call("link", None, str)
    except WireError as error:
        raise StoreError(f"no house runs on {folder.path}; `livepost run` starts one and prints a link") from error
