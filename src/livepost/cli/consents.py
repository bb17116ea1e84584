"""`consents`: what a person allowed, refused and took back, with the proof of each word."""

from __future__ import annotations

from contextlib import closing
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from livepost.audit.deed import Deed
from livepost.cli.author import applied_project_of
from livepost.cli.workspace import note, used_folder_here
from livepost.model.consent import ConsentFault
from livepost.model.consent_record import ConsentExport, ConsentRecord
from livepost.runtime.engine.asking import engine_of
from livepost.runtime.front.reasons import person_of
from livepost.runtime.front.said import exported

FAULTS_SHOWN = 100

_console = Console(soft_wrap=True, highlight=False)


def consents(
    person: Annotated[
        str, typer.Argument(help="A userId, an anonymousId, an email address, or a subject's id in hex.")
    ] = "",
    check: Annotated[bool, typer.Option("--check", help="Compare the whole history with what claims read.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with the names of ISO/IEC TS 27560.")] = False,
) -> None:
    """Show a person's consents with their history; with --check, whether the history is what claims read."""
    if check or not person:
        _say_faults(_faults(), as_json)
        return
    folder = used_folder_here()
    project = applied_project_of(folder)
    with (
        closing(folder.vault(readonly=True)) as vault,
        closing(folder.ledger()) as ledger,
        engine_of(folder, project) as engine,
    ):
        view = person_of(vault, engine, person, project.compiled.keys())
        note(folder, Deed("consents.read", tuple(view.subjects)))
        found = exported(ledger, view.person, project.policy, folder.clock.now_ms())
    if as_json:
        _console.print_json(msgspec.json.encode(found).decode())
    else:
        _console.print(_lines(found), markup=False)


def _faults() -> list[ConsentFault]:
    with closing(used_folder_here().ledger()) as ledger:
        return ledger.consent_faults(FAULTS_SHOWN)


def _say_faults(found: list[ConsentFault], as_json: bool) -> None:
    if as_json:
        told = [{"person": one.person.hex(), "purpose": one.purpose, "why": one.why} for one in found]
        _console.print_json(msgspec.json.encode(told).decode())
    else:
        lines = [f"{one.person.hex()}  {one.purpose}: {one.why}" for one in found]
        _console.print("\n".join(lines) or "The history of consents is what claims read.", markup=False)
    if found:
        raise typer.Exit(1)


def _lines(found: ConsentExport) -> str:
    return "\n".join(map(_block, found.consent_records)) or "Nothing was said about any purpose."


def _block(record: ConsentRecord) -> str:
    lines = [f"{record.purpose} ({record.channel}): {record.state}"]
    for one in record.events:
        proof = " ".join(part for part in (one.evidence.source, one.evidence.message_id) if part)
        lines.append(f"  {one.event_time or '':24}  {one.event_state:11} {one.evidence.how}  {proof}")
    return "\n".join(lines)
