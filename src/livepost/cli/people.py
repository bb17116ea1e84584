"""`people`: why somebody is one person, and undo it. The front writes the undo; where none runs, one can look."""

from __future__ import annotations

import sys
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from livepost.audit.deed import Deed
from livepost.cli.author import applied_project_of
from livepost.cli.workspace import note, used_folder_here
from livepost.clock import moment
from livepost.errors import LivepostError
from livepost.runtime.outside.unlinking import Split, Undone, Unlinking

_console = Console(soft_wrap=True, highlight=False)
app = typer.Typer(help="People: which records made one of several, and how to undo it.", no_args_is_help=True)


@app.callback()
def people() -> None:
    """Keep `unlink` a command of its own, whatever else comes."""


class LinkError(LivepostError):
    """There is no such link, or more than one; the sentence says which there are."""


class Links(msgspec.Struct, frozen=True, kw_only=True):
    """What `unlink` shows: a person's name (hex), what each link undone would make, and what is lost by any."""

    person: str
    splits: list[Split]
    log_begins_at: int
    lost_consents: list[str]


@app.command()
def unlink(
    person: Annotated[
        str, typer.Argument(help="A userId, an anonymousId, an email address, or a subject's id in hex.")
    ],
    at: Annotated[int | None, typer.Option(help="Undo the link at this position.")] = None,
    mentioned: Annotated[str, typer.Option(help="With --at: of its links, that to this subject (hex).")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show which records made one person of several; with --at, make two of them again in the house that runs."""
    folder = used_folder_here()
    with Unlinking(folder, applied_project_of(folder), person) as unlinking:
        if at is None:
            note(folder, Deed("links.read", tuple(unlinking.person.subjects)))
            _show(unlinking, unlinking.splits, as_json)
            return
        split = _chosen(unlinking.splits, at, mentioned)
        if not as_json:
            _show(unlinking, [split], as_json)
        _require_consent(yes or as_json)
        note(folder, Deed("person.parted", tuple(unlinking.person.subjects)))
        _say(unlinking.undo(split), as_json)


def _chosen(splits: list[Split], at: int, mentioned: str) -> Split:
    found = [one for one in splits if one.position == at and one.mentioned.startswith(mentioned)]
    if len(found) != 1:
        there = ", ".join(f"{one.position} (to {one.mentioned})" for one in splits) or "none"
        raise LinkError(f"expected one link at position {at}, got {len(found)}; the person's links: {there}")
    return found[0]


def _show(unlinking: Unlinking, splits: list[Split], as_json: bool) -> None:
    if as_json:
        told = Links(
            person=unlinking.person.person.hex(),
            splits=splits,
            log_begins_at=unlinking.first,
            lost_consents=unlinking.lost_consents,
        )
        _console.print_json(msgspec.json.encode(told).decode())
        return
    for split in splits:
        _console.print(_line(split), markup=False)
    if not splits:
        _console.print("The log has no record that made this person of several.")
    if splits and unlinking.first > 0:
        _console.print(f"The log begins at record {unlinking.first:,}: neither keeps what they did before it.")
    for purpose in unlinking.lost_consents if splits else ():
        _console.print(f"Who allowed {purpose} the log does not say any more: neither keeps it.", markup=False)


def _line(split: Split) -> str:
    when = moment(split.at)
    return (
        f"{split.position:12,}  {when}  {split.name}: {split.subject} mentions {split.mentioned}\n"
        f"{'':14}without it: {' '.join(split.one)}\n{'':14}{'and':>11} {' '.join(split.other)}"
    )


def _require_consent(given: bool) -> None:
    if given:
        return
    if not sys.stdin.isatty():
        raise LinkError("expected a yes before a person is made two, got nobody to ask; say --yes")
    typer.confirm("Make them two people?", abort=True)


def _say(undone: Undone, as_json: bool) -> None:
    if as_json:
        _console.print_json(msgspec.json.encode(undone).decode())
        return
    _console.print(f"Since record {undone.position:,} they are two: {undone.person} and {undone.other}.", markup=False)
    _console.print("No mail goes because of it. Only an alias with a secret key makes them one again.")
