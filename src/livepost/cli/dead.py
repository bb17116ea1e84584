"""`dead`: look at dead letters, correct them, have them replayed. The front replays; where none runs, one can look."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console

from livepost.audit.deed import Deed
from livepost.cli.author import applied_project_of
from livepost.cli.workspace import note, used_folder_here
from livepost.errors import StoreError
from livepost.intake.edit import edited
from livepost.intake.letter import Letters
from livepost.model.letter import EDITED_BYTES_MAX, LETTERS_MAX, Letter, Replay, Replayed
from livepost.model.record import Record
from livepost.runtime.data.folder import DataFolder
from livepost.runtime.engine.asking import Engine, engine_of
from livepost.runtime.front.letters import kept, letters_of
from livepost.runtime.front.replaying import REPLAY
from livepost.runtime.sockets.wire import WireClient, WireError

ALL_MAX = 100_000
"""Letters one `replay --all` takes; the next one takes those that are left."""

_console = Console(soft_wrap=True, highlight=False)
app = typer.Typer(help="Dead letters: records kept aside, with the reason.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would come of it.")]
Position = Annotated[int, typer.Argument(help="The position, as `livepost dead list` shows it.")]


@app.command("list")
def list_(
    after: Annotated[int, typer.Option(help="Only those behind this position.")] = -1,
    limit: Annotated[int, typer.Option(min=1, max=LETTERS_MAX, help="At most so many.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List dead letters: position, reason, and where they were replayed."""
    folder = used_folder_here()
    with engine_of(folder, applied_project_of(folder)) as engine:
        letters = engine.dead(after, limit)
    if as_json:
        _print_json(letters)
        return
    for letter in letters:
        _console.print(f"{letter.position:12,}  {_line(letter)}", markup=False)
    if not letters:
        _console.print("There are no dead letters.")


@app.command()
def show(
    position: Position,
    open_: Annotated[bool, typer.Option("--open", help="Open what is personal, with the vault.")] = False,
) -> None:
    """Show a dead letter as JSON: all about it, and the call; of values only the types, unless they are opened."""
    with _found(position) as (row, record, letters):
        _note("letter.opened" if open_ else "letter.read", position)
        _print_json(letters.detail(row, record, open=open_))


@app.command()
def replay(
    positions: Annotated[list[int] | None, typer.Argument(help="Positions of dead letters.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="All that were not replayed yet.")] = False,
    reason: Annotated[str, typer.Option(help="With --all: only those whose reason has this text in it.")] = "",
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Judge dead letters anew and take in those that are good now; exit 1 if any is not. Nothing is mailed for them."""
    if bool(positions) == all_ or (reason and not all_):
        raise typer.BadParameter("name positions, or --all (with --reason, if you like), not both")
    folder = used_folder_here()
    wanted = positions or _waiting(folder, reason)
    note(folder, Deed("letters.tried" if dry_run else "letters.replayed"))
    _hand_over(folder, [Replay(position=position, dry_run=dry_run) for position in wanted], as_json)


@app.command()
def fix(
    position: Position,
    sets: Annotated[list[str] | None, typer.Option("--set", help="PLACE=VALUE, as in properties.total=12.5.")] = None,
    unsets: Annotated[list[str] | None, typer.Option("--unset", help="PLACE, as in properties.foo.")] = None,
    call: Annotated[Path | None, typer.Option(help="A file with the whole call as JSON.", dir_okay=False)] = None,
    another_person: Annotated[bool, typer.Option("--another-person", help="It may name another person.")] = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Correct a dead letter's call and take it in if it is good then; exit 1 if it is not."""
    if bool(sets or unsets) == (call is not None):
        raise typer.BadParameter("name what to --set and --unset, or give a --call, not both")
    told = _read(call) if call is not None else _corrected(position, sets or [], unsets or [])
    _note("letter.tried" if dry_run else "letter.fixed", position)
    wish = Replay(position=position, call=told, another_person=another_person, dry_run=dry_run)
    _hand_over(used_folder_here(), [wish], as_json)


def _note(did: str, position: int) -> None:
    note(used_folder_here(), Deed(did, about=f"position.{position}"))


@contextmanager
def _found(position: int) -> Iterator[tuple[Letter, Record, Letters]]:
    """Yield a letter, its record, and what opens it."""
    folder = used_folder_here()
    project = applied_project_of(folder)
    with engine_of(folder, project) as engine, closing(folder.log_reader()) as log:
        row, record = kept(engine, log, position)
    with closing(folder.vault(readonly=True)) as vault:
        yield row, record, letters_of(folder, project.compiled, vault)


def _waiting(folder: DataFolder, reason: str) -> list[int]:
    """Return the positions of the letters that there are now and that were not replayed."""
    with engine_of(folder, applied_project_of(folder)) as engine:
        letters = (letter for letter in _all(engine) if letter.replayed_at is None and reason in letter.reason)
        return [letter.position for letter in islice(letters, ALL_MAX)]


def _all(engine: Engine) -> Iterator[Letter]:
    after = -1
    while letters := engine.dead(after, LETTERS_MAX):
        yield from letters
        after = letters[-1].position


def _read(path: Path) -> bytes:
    """Return a file's call; only its form is looked at here, the front judges it."""
    try:
        with path.open("rb") as file:
            return file.read(EDITED_BYTES_MAX + 1)
    except OSError as error:
        raise StoreError(f"expected a file with a call in {path}, got none: {error.strerror}; name another") from error


def _corrected(position: int, sets: list[str], unsets: list[str]) -> bytes:
    with _found(position) as (_, record, letters):
        return msgspec.json.encode(edited(letters.told(record), sets, unsets))


def _hand_over(folder: DataFolder, wishes: list[Replay], as_json: bool) -> None:
    """Have letters replayed, one after the other, and tell what came of each; exit 1 if one is still dead."""
    with closing(WireClient(folder.front_socket)) as front:
        answers = []
        for wish in wishes:
            answers.append(_ask(front, wish))
            if not as_json:
                _console.print(_said(answers[-1]), markup=False)
    if as_json:
        _print_json(answers)
    elif not wishes:
        _console.print("There are no dead letters to replay.")
    if any(answer.reason for answer in answers):
        raise typer.Exit(1)


def _ask(front: WireClient, wish: Replay) -> Replayed:
    """Return the front's answer, a refusal too; raise WireError if no house runs."""
    try:
        return front.call(REPLAY, wish, Replayed)
    except WireError:
        raise
    except StoreError as error:
        return Replayed(position=wish.position, reason=str(error))


def _line(letter: Letter) -> str:
    word = "" if letter.fate == "dead_lettered" else f"{letter.fate}: "
    replayed = "" if letter.replayed_at is None else f"; replayed at position {letter.replayed_at:,}"
    return f"{word}{letter.reason}{replayed}"


def _said(answer: Replayed) -> str:
    where = f"{answer.position:12,}  "
    if answer.before:
        return f"{where}was replayed before, at position {answer.at:,}"
    if answer.at is not None:
        put_aside = f", and put aside there: {answer.reason}" if answer.reason else ""
        return f"{where}replayed at position {answer.at:,}{put_aside}"
    return f"{where}still a dead letter: {answer.reason}" if answer.reason else f"{where}good: it would be replayed"


def _print_json(told: Any) -> None:
    _console.print_json(msgspec.json.encode(told).decode())
