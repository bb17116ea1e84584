"""The Typer application: commands in the order a newcomer needs them, each loaded only when it is called.

Loading all would take a second at every call, and three times that at `livepost run`.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command, get_group

from livepost.errors import LivepostError
from livepost.observe.redactor import mask_stderr
from livepost.runtime.house.background import stand_back

COMMANDS: dict[str, str] = {
    "init": "project:init",
    "check": "project:check",
    "run": "run:run",
    "plan": "change:plan",
    "apply": "change:apply",
    "demo": "demo:demo",
    "console": "console:console",
    "mailbox": "mailbox:app",
    "rehearse": "rehearsing:rehearse",
    "why": "inspect:why",
    "measure": "earnings:measure",
    "parity": "inspect:parity",
    "sql": "sql:sql",
    "replay": "replay:replay",
    "snapshot": "replay:snapshot",
    "test-send": "trying:test_send",
    "kill": "stopping:kill",
    "settle": "verdicts:settle",
    "broadcast": "broadcasting:broadcast",
    "suppressions": "suppressions:app",
    "providers": "providers:providers",
    "bounce": "bounce:bounce",
    "dead": "dead:app",
    "webhooks": "webhooks:app",
    "audiences": "audiences:app",
    "people": "people:app",
    "export": "export:export",
    "requests": "requests:app",
    "erase": "erasing:erase",
    "consents": "consents:consents",
    "keys": "keys:app",
    "users": "users:app",
    "approvals": "approvals:app",
    "glass": "glass:app",
    "audit": "audit:app",
    "policy": "policy:app",
    "ropa": "ropa:ropa",
    "retention": "retention:app",
    "doctor": "doctor:doctor",
    "bench": "measure:bench",
}
"""Where each command is: file of this room, and function or group in it."""

IN_BACKGROUND = ("apply",)
"""Commands that work beside a live house and stand back before they load anything: that alone is seconds of a core."""


class LazyGroup(TyperGroup):
    """Loads a command's file when the command is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of all commands."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a command, None if there is none of that name."""
        place = COMMANDS.get(cmd_name)
        return None if place is None else _load(cmd_name, place)


app = typer.Typer(name="livepost", cls=LazyGroup, no_args_is_help=True, pretty_exceptions_enable=False)


@app.callback()
def livepost() -> None:
    """Real-time personalization of email that can prove it was allowed to send."""


def main() -> None:
    """Run the command line; say a Livepost error in its one sentence and exit with 1."""
    mask_stderr()
    if sys.argv[1:2] and sys.argv[1] in IN_BACKGROUND:
        stand_back()
    try:
        app()
    except LivepostError as error:
        print(f"livepost: {error}", file=sys.stderr)  # noqa: T201 - this is where errors are said
        sys.exit(1)


def _load(name: str, place: str) -> Any:
    module, _, attribute = place.partition(":")
    found = getattr(import_module(f"livepost.cli.{module}"), attribute)
    if isinstance(found, typer.Typer):
        command: Any = get_group(found)
    else:
        alone = typer.Typer(add_completion=False)
        alone.command(name)(found)
        command = get_command(alone)
    command.name = name
    return command
