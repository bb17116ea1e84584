"""`audiences`: look at the destinations, at dead letters, at drift; let one go on. No house need run for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console

from livepost.cli.workspace import settings_here, used_folder_here
from livepost.clock import WallClock
from livepost.errors import StoreError
from livepost.fetch.fetcher import Fetcher
from livepost.runtime.courier.audiences import accounts_of
from livepost.runtime.courier.targets import allowed_of
from livepost.settings.audience import Audience
from livepost.sync.book import LISTED_MAX, Book, DeadLetter, Standing, Tally
from livepost.sync.drift import Drift
from livepost.sync.drift import drift as drift_of
from livepost.sync.vendor.every import VENDORS

ANSWER_S = 20.0

_console = Console(soft_wrap=True, highlight=False)
app = typer.Typer(help="Audiences: segments and features kept in step with vendors.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Name = Annotated[str, typer.Argument(help="The destination's name, as livepost.toml says it.")]


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A destination as it is listed; `standing` is None before it was begun."""

    name: str
    destination: str
    vendor: str
    contract_checked: bool
    segments: dict[str, str]
    tally: Tally
    standing: Standing | None


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the destinations: how many people each has, who waits, what it waits for, how many dead letters it has."""
    with _book() as book:
        shown = [_shown(one, book) for one in settings_here().settings.audiences]
    if as_json:
        _print_json([_plain(one) for one in shown])
        return
    for one in shown:
        _console.print(f"{one.destination}  {_said(one)}", markup=False)
    if not shown:
        _console.print("There are no audiences; add a table [[audiences]] to livepost.toml.")


@app.command()
def dead(
    after: Annotated[int, typer.Option(help="Only those behind this number.")] = 0,
    limit: Annotated[int, typer.Option(min=1, max=LISTED_MAX, help="At most so many.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List dead letters: number, destination, person, why the vendor refused them."""
    with _book() as book:
        letters = book.letters(after=after, limit=limit)
    if as_json:
        _print_json([_letter(one) for one in letters])
        return
    for one in letters:
        _console.print(f"{one.number:8}  {one.destination}  {one.person.hex()}  {one.why}", markup=False)
    if not letters:
        _console.print("There are no dead letters of audiences.")


@app.command()
def retry(name: Name) -> None:
    """Send a destination's dead letters again, and end whatever it waits for."""
    with _book() as book:
        if book.standing(name) is None:
            raise StoreError(f"expected the name of a destination that was begun, got {name}")
        again = book.retry(name)
    _console.print(f"{name} goes on; {again:,} dead letters are sent again.")


@app.command()
def drift(name: Name, as_json: AsJson = False) -> None:
    """Ask the vendor how many people are in each list, and compare with ours; exit 1 if they differ."""
    settings = settings_here().settings
    audience = _audience(name)
    with _book() as book, closing(Fetcher(allowed_of(settings), total_s=ANSWER_S)) as fetch:
        account = accounts_of(settings)[name]
        vendor = VENDORS[audience.vendor]
        found = drift_of(vendor, account, name=name, segments=audience.segments, book=book, fetch=fetch)
    if as_json:
        _print_json([{**msgspec.structs.asdict(one), "by": one.by} for one in found])
    for one in [] if as_json else found:
        _console.print(f"{one.segment} -> {one.list}  {_compared(one)}", markup=False)
    if any(one.by for one in found):
        raise typer.Exit(1)


@contextmanager
def _book() -> Iterator[Book]:
    with closing(Book(used_folder_here().audiences_file)) as book:
        yield book


def _audience(name: str) -> Audience:
    found = next((one for one in settings_here().settings.audiences if one.name == name), None)
    if found is None:
        raise StoreError(
            f"expected the name of a destination in livepost.toml, got {name}; see `livepost audiences list`"
        )
    return found


def _shown(audience: Audience, book: Book) -> Shown:
    return Shown(
        name=audience.name,
        destination=str(audience),
        vendor=audience.vendor,
        contract_checked=VENDORS[audience.vendor].contract_checked,
        segments=audience.segments,
        tally=book.tally(audience.name),
        standing=book.standing(audience.name),
    )


def _said(one: Shown) -> str:
    standing, tally = one.standing, one.tally
    if standing is None:
        return "was told nothing yet"
    counts = f"{tally.people:,} people, {tally.due:,} wait, {tally.jobs:,} jobs, {tally.dead:,} dead letters"
    if standing.held:
        return f"{counts}; held: {standing.held} (`livepost audiences retry {one.name}`)"
    wait_s = (standing.next_at - WallClock().now_ms()) // 1_000
    waits = f"; again in {max(wait_s, 0):,} s: {standing.error}" if standing.tries else ""
    filling = "; everybody is being looked at for the first time" if not standing.rounds else ""
    return counts + waits + filling


def _compared(one: Drift) -> str:
    if one.theirs is None:
        return f"{one.ours:,} by its answers; {one.why}"
    said = "in step" if one.by == 0 else f"{abs(one.by):,} {'more' if one.by > 0 else 'fewer'} there"
    return f"{one.ours:,} by its answers, {one.theirs:,} by its count: {said}"


def _plain(one: Shown) -> dict[str, Any]:
    standing = None if one.standing is None else msgspec.structs.asdict(one.standing)
    for hidden in ("after", "config"):
        (standing or {}).pop(hidden, None)
    return {**msgspec.structs.asdict(one), "tally": msgspec.structs.asdict(one.tally), "standing": standing}


def _letter(one: DeadLetter) -> dict[str, Any]:
    return {
        "number": one.number,
        "destination": one.destination,
        "person": one.person.hex(),
        "at": one.at,
        "why": one.why,
    }


def _print_json(told: Any) -> None:
    _console.print_json(msgspec.json.encode(told).decode())
