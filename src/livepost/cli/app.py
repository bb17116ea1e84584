"""The Typer application: commands in the order a newcomer needs them."""

from __future__ import annotations

import sys

import typer

from livepost.cli import demo, doctor, inspect, keys, measure, project, run
from livepost.errors import LivepostError

app = typer.Typer(
    name="livepost",
    help="Real-time personalization of email that can prove it was allowed to send.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

app.command("init")(project.init)
app.command("check")(project.check)
app.command("run")(run.run)
app.command("demo")(demo.demo)
app.command("why")(inspect.why)
app.command("parity")(inspect.parity)
app.add_typer(inspect.dead, name="dead")
app.add_typer(keys.app, name="keys")
app.command("doctor")(doctor.doctor)
app.command("bench")(measure.bench)


def main() -> None:
    """Run the command line; say a Livepost error in its one sentence and exit with 1."""
    try:
        app()
    except LivepostError as error:
        print(f"livepost: {error}", file=sys.stderr)  # noqa: T201 - this is where errors are said
        sys.exit(1)
