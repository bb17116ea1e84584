"""`livepost erase`: one person taken out of every store of the house that runs, with a receipt."""

from __future__ import annotations

import sys
from contextlib import closing
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from livepost.audit.deed import Deed, by_command
from livepost.cli.author import applied_project_of
from livepost.cli.workspace import note, used_folder_here, who
from livepost.clock import moment
from livepost.errors import LivepostError, StoreError
from livepost.govern.rights.receipt import Receipt
from livepost.runtime.data.definitions import Named
from livepost.runtime.engine.asking import engine_of
from livepost.runtime.front.changing import NAMED
from livepost.runtime.front.reasons import named_person, named_subject
from livepost.runtime.rights.erasing import ERASE, Wish
from livepost.runtime.sockets.wire import WireClient, WireError

_console = Console(soft_wrap=True, highlight=False)


class EraseError(LivepostError):
    """A person cannot be erased now; the sentence says why."""


def erase(
    person: Annotated[
        str, typer.Argument(help="A userId, an anonymousId, an email address, or a subject's id in hex.")
    ],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the receipt as JSON.")] = False,
) -> None:
    """Erase a person from every store, for good; prints a signed receipt. The house has to run."""
    folder = used_folder_here()
    project = applied_project_of(folder)
    keys = project.compiled.keys()
    with closing(WireClient(folder.front_socket)) as front:
        require_running(front, "to erase a person")
        with closing(folder.vault(readonly=True)) as vault, engine_of(folder, project) as engine:
            found = named_person(vault, engine, person, keys)
            subject = named_subject(vault, person, keys)
        if subject is None:
            raise EraseError("expected an id of somebody who is known, got another; nobody was erased")
        subjects = found.subjects if found else (subject,)
        _require_consent(len(subjects), yes or as_json)
        note(folder, Deed("person.erased", tuple(subjects)))
        receipt = front.call(ERASE, Wish(person=person, by=by_command(who())), Receipt)
    if as_json:
        _console.print_json(msgspec.json.encode(receipt).decode())
        return
    for line in lines(receipt):
        _console.print(line, markup=False)


def lines(receipt: Receipt) -> list[str]:
    """Return a receipt as people read it."""
    told = [
        f"Erased. Nothing of the person was to be read or sent after {receipt.live_at - receipt.asked_at:,} ms; "
        f"all was done after {receipt.done_at - receipt.asked_at:,} ms.",
        f"Receipt {receipt.id}, {moment(receipt.done_at)}, asked for by {receipt.by}:",
    ]
    for one in receipt.stores:
        rows = ", ".join(f"{count:,} {what}" for what, count in one.rows.items())
        told.append(f"  {one.store:21}{one.done}" + (f" ({rows})" if rows else ""))
        if one.remains:
            until = f", until {moment(one.until)}" if one.until else ""
            told.append(f"{'':23}left: {one.remains}{until}")
    told.append(f"Signed {receipt.signature}; checked by the public key of `livepost audit head`.")
    return told


def require_running(front: WireClient, what: str) -> None:
    """Raise StoreError if no front answers."""
    try:
        front.call(NAMED, None, Named)
    except WireError as error:
        raise StoreError(
            f"expected a house that runs, {what}, got no answer from its front; start it with `livepost run`"
        ) from error


def _require_consent(subjects: int, given: bool) -> None:
    if given:
        return
    if not sys.stdin.isatty():
        raise EraseError("expected a yes before a person is erased, got nobody to ask; say --yes")
    typer.confirm(f"Erase this person ({subjects} ids)? Nobody can undo it.", abort=True)
