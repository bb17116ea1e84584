"""`livepost suppressions`: addresses that nothing is sent to, by address, whether the house runs or not.

In: addresses. Out: keyed hashes in the ledger. Promised: an address is written nowhere, not even into the file of what
could not be read of an import; that names lines.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, TypeVar

import msgspec
import typer
from rich.console import Console
from rich.progress import Progress

from livepost.audit.deed import Deed
from livepost.cli.workspace import note, used_folder_here
from livepost.deliver.message import is_address
from livepost.errors import RejectedError, StoreError
from livepost.ledger.base import Ledger
from livepost.vault.base import Vault

app = typer.Typer(help="Addresses that nothing is sent to.", no_args_is_help=True)
_console = Console(soft_wrap=True, highlight=False)

T = TypeVar("T")

BATCH = 1_000
"""Rows of an import that are one commit."""

MAX_REASON_CHARS = 200
MAX_ROW_CHARS = 10_000

Address = Annotated[str, typer.Argument(help="The address.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list")
def list_suppressions(
    address: Annotated[str, typer.Argument(help="An address: say what is known of it. None: how many there are.")] = "",
    as_json: AsJson = False,
) -> None:
    """Say how many addresses are suppressed, by reason; or of one whether it is, and when it was let go."""
    if not address:
        counts = _over(lambda ledger, vault: ledger.suppression_counts())
        told = counts if as_json else "\n".join(f"{count:>9,}  {reason}" for reason, count in counts.items())
        return _say(told or "Nothing is suppressed.", as_json)
    hashed = _hash_of(address)
    found, lifts = _over(lambda ledger, vault: (ledger.suppression(hashed(vault)), ledger.lifts(hashed(vault))))
    if as_json:
        state = None if found is None else {"reason": found.reason, "at": found.at}
        gone = [{"was": one.was, "reason": one.reason, "at": one.at} for one in lifts]
        return _say({"suppression": state, "lifts": gone}, as_json)
    lines = ["Not suppressed." if found is None else f"Suppressed since {_day(found.at)}: {found.reason}"]
    lines += [f"Let go {_day(one.at)}: {one.reason} (it was: {one.was})" for one in lifts]
    _say("\n".join(lines), as_json)


@app.command()
def add(
    address: Address,
    reason: Annotated[str, typer.Option(help="Why.")] = "by hand",
) -> None:
    """Never send to an address again; the reason it was suppressed for first stays."""
    _check_reason(reason)
    hashed, now_ms = _hash_of(address), used_folder_here().clock.now_ms()
    note(used_folder_here(), Deed("suppression.added"))
    new = _over(lambda ledger, vault: ledger.suppress_all([hashed(vault)], reason, now_ms))
    _console.print("Suppressed." if new else "It was suppressed already; nothing was changed.")


@app.command()
def remove(
    address: Address,
    reason: Annotated[str, typer.Option(help="Why it may be sent to again; it is kept.")],
) -> None:
    """Let an address be sent to again. What its person allows is not changed by it."""
    _check_reason(reason)
    hashed, now_ms = _hash_of(address), used_folder_here().clock.now_ms()
    note(used_folder_here(), Deed("suppression.removed"))
    if not _over(lambda ledger, vault: ledger.lift(hashed(vault), reason, now_ms)):
        raise StoreError("expected an address that is suppressed, got another; `livepost suppressions list` says which")
    _console.print("It may be sent to again, as far as its person allows.")


@app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="CSV with a column `email` or `address`, or one address a line.")],
    reason: Annotated[str, typer.Option(help="Why, where no column `reason` says so.")] = "imported",
    as_json: AsJson = False,
) -> None:
    """Suppress the addresses of a file; what cannot be read is listed by line, and exit is 1.

    Doing it again does nothing twice: a cut-off import is gone on with by the same command.
    """
    _check_reason(reason)
    now_ms = used_folder_here().clock.now_ms()
    note(used_folder_here(), Deed("suppressions.imported"))
    told = _over(lambda ledger, vault: _import(ledger, vault, file, reason, now_ms))
    if as_json:
        _say(told, as_json)
    else:
        _console.print(f"{told.new:,} new, {told.known:,} were suppressed already.")
        for line, fault in told.faults:
            _console.print(f"{file}:{line}: {fault}", markup=False)
    if told.faults:
        raise typer.Exit(1)


class Imported(msgspec.Struct):
    """What an import came to; `faults` are (line, sentence)."""

    new: int = 0
    known: int = 0
    faults: list[tuple[int, str]] = []


def _import(ledger: Ledger, vault: Vault, file: Path, reason: str, now_ms: int) -> Imported:
    done = Imported()
    with _opened(file) as text, Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("suppressions", total=file.stat().st_size)
        for rows in _batches(_rows(text, reason, done)):
            for why in dict.fromkeys(why for _, why in rows):
                hashes = [_blind(vault, address) for address, its in rows if its == why]
                new = ledger.suppress_all(hashes, why, now_ms)
                done.new, done.known = done.new + new, done.known + len(hashes) - new
            progress.update(task, advance=sum(len(address) + 1 for address, _ in rows))
    return done


def _opened(file: Path) -> io.TextIOWrapper:
    try:
        return file.open(encoding="utf-8-sig", errors="replace", newline="")
    except OSError as error:
        raise RejectedError(f"{file} cannot be read ({error.strerror}); name a CSV file", code="unreadable") from error


def _rows(text: Iterable[str], reason: str, done: Imported) -> Iterator[tuple[str, str]]:
    """Yield address and reason of each row that has one; note the others by line."""
    place, why_place = 0, -1
    reader = csv.reader(line[:MAX_ROW_CHARS] for line in text)
    for number, row in enumerate(reader, start=1):
        names = [cell.strip().casefold() for cell in row]
        if number == 1 and not any(is_address(cell.strip()) for cell in row):
            place = next((names.index(name) for name in ("email", "address") if name in names), 0)
            why_place = names.index("reason") if "reason" in names else -1
            continue
        if not any(names):
            continue
        address = row[place].strip() if place < len(row) else ""
        if not is_address(address):
            done.faults.append((reader.line_num, "expected an address such as ada@example.com; correct the row"))
            continue
        why = row[why_place].strip()[:MAX_REASON_CHARS] if 0 <= why_place < len(row) else ""
        yield address, why or reason


def _batches(rows: Iterator[tuple[str, str]]) -> Iterator[list[tuple[str, str]]]:
    batch: list[tuple[str, str]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _over(work: Callable[[Ledger, Vault], T]) -> T:
    folder = used_folder_here()
    with closing(folder.ledger()) as ledger, closing(folder.vault(readonly=True)) as vault:
        return work(ledger, vault)


def _hash_of(address: str) -> Callable[[Vault], bytes]:
    if not is_address(address.strip()):
        raise RejectedError("expected an address such as ada@example.com, got something else; correct it", code="unfit")
    return lambda vault: _blind(vault, address)


def _blind(vault: Vault, address: str) -> bytes:
    return vault.blind("suppression", address.strip().casefold())


def _check_reason(reason: str) -> None:
    if not 0 < len(reason.strip()) <= MAX_REASON_CHARS or "@" in reason:
        raise RejectedError(
            f"expected a reason of 1 to {MAX_REASON_CHARS} characters without an address, got another; say why",
            code="unfit",
        )


def _say(told: object, as_json: bool) -> None:
    if as_json:
        _console.print_json(msgspec.json.encode(told).decode())
    else:
        _console.print(str(told), markup=False)


def _day(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
