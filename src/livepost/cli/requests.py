"""`livepost requests`: what people ask for by right, from the day it comes in to its answer."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from livepost.audit.deed import Deed, by_command
from livepost.audit.head import Signer, read_public
from livepost.cli.author import applied_project_of
from livepost.cli.erasing import lines, require_running
from livepost.cli.workspace import note, used_folder_here, who
from livepost.clock import WallClock, day
from livepost.control import erasures
from livepost.control.requests import Regulation, RequestKind, Requests, RequestState, RequestStep, RightsRequest
from livepost.errors import LivepostError
from livepost.govern.rights.correction import Correction
from livepost.govern.rights.deadline import SOON_MS, due_at, is_extendable
from livepost.govern.rights.entry import Entry
from livepost.govern.rights.receipt import Receipt, is_signed
from livepost.ids import new_subject_id
from livepost.ledger.base import EVERY_PURPOSE
from livepost.model.person import PersonView
from livepost.runtime.data.audits import PURPOSE
from livepost.runtime.data.folder import DataFolder
from livepost.runtime.engine.asking import engine_of
from livepost.runtime.front.reasons import person_of
from livepost.runtime.rights.entering import Entering
from livepost.runtime.rights.rectifying import RECTIFY
from livepost.runtime.sockets.wire import WireClient

_console = Console(soft_wrap=True, highlight=False)
app = typer.Typer(help="Rights requests: what people ask for by right, and when it is due.", no_args_is_help=True)

RECEIPTS = 100_000
"""Among how many receipts one is looked for, the newest."""

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Person = Annotated[str, typer.Argument(help="A userId, a declared key, an anonymousId or an email address.")]
Id = Annotated[str, typer.Argument(help="The request's id, or how it begins.")]
Law = Annotated[Regulation, typer.Option(help="By which law: gdpr (a month) or ccpa (45 days).")]
Verified = Annotated[str, typer.Option(help="How it was made sure that the person asks; no personal value in it.")]


class RequestError(LivepostError):
    """There is no such request, or it cannot be done with it; the sentence says why."""


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A request as it is printed: people are ids of subjects in hex, times UTC ms of the host's clock."""

    id: str
    kind: RequestKind
    regulation: Regulation
    way: str
    people: list[str]
    received_at: int
    due_at: int
    extended: str
    verified: str
    state: str
    answered_at: int
    answer: str
    steps: list[RequestStep] = []


@app.command("list")
def list_(
    all_: Annotated[bool, typer.Option("--all", help="Answered ones too.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="At most so many.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List requests, those that fall due first on top."""
    with _requests(used_folder_here()) as requests:
        found = requests.listed(open_only=not all_, limit=limit)
    if as_json:
        _json([_shown(one) for one in found])
        return
    table = Table("request", "kind", "came in", "by", "due", "state", box=None)
    now_ms = WallClock().now_ms()
    for one in found:
        table.add_row(one.id[:8], one.kind, day(one.received_at), one.way, _due(one, now_ms), one.state)
    _console.print(table if found else "No request waits for an answer.")


@app.command()
def show(id_: Id, as_json: AsJson = False) -> None:
    """Show a request and what was done about it."""
    folder = used_folder_here()
    with _requests(folder) as requests:
        one = _one(requests, id_)
        note(folder, Deed("request.read", one.subjects, one.id))
        shown = _shown(one, requests.steps(one.id))
    if as_json:
        _json(shown)
        return
    _console.print(f"{one.kind} by {one.regulation}, {one.state}: {one.id}", markup=False)
    _console.print(f"came in {day(one.received_at)} ({one.way}), due {_due(one, WallClock().now_ms())}", markup=False)
    _console.print(f"of {', '.join(shown.people) or 'nobody who is known'}; verified: {one.verified}", markup=False)
    for step in shown.steps:
        _console.print(f"  {_moment(step.at)}  {step.state}  {step.who}: {step.told}", markup=False)


@app.command()
def receipts(
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="At most so many.")] = 100, as_json: AsJson = False
) -> None:
    """List the receipts of erasures, the newest first; `--json` prints them whole, as they were signed."""
    with closing(used_folder_here().control()) as control:
        kept = erasures.receipts(control, limit)
    if as_json:
        _json([msgspec.Raw(one) for one in kept])
        return
    table = Table("receipt", "asked for", "by", "ids", "live after", "done after", box=None)
    for one in map(_receipt, kept):
        live, done = (f"{at - one.asked_at:,} ms" for at in (one.live_at, one.done_at))
        table.add_row(one.id[:8], _moment(one.asked_at), one.by, str(one.subjects), live, done)
    _console.print(table if kept else "Nobody was erased yet.")


@app.command()
def receipt(
    id_: Annotated[str, typer.Argument(metavar="ID", help="The receipt's id, or how it begins.")] = "",
    check: Annotated[Path | None, typer.Option(help="Check a receipt in this file instead; needs no house.")] = None,
    key: Annotated[str, typer.Option(help="With --check: the public key in hex; else this workspace's.")] = "",
) -> None:
    """Show a receipt of an erasure, store by store, and whether its signature is this workspace's."""
    if check is not None:
        public = read_public(key) if key else _own_key()
        _say_receipt(_receipt_in(check), public, "this key's" if key else "this workspace's")
        return
    if not id_:
        raise typer.BadParameter("say which, or --check FILE", param_hint="ID")
    folder = used_folder_here()
    with closing(folder.control()) as control:
        found = [one for one in map(_receipt, erasures.receipts(control, RECEIPTS)) if one.id.startswith(id_)]
    if len(found) != 1:
        raise RequestError(
            f"expected the id of one receipt, got {len(found)} that begin with {id_[:32]}; "
            "`livepost requests receipts` lists them"
        )
    _say_receipt(found[0], _own_key(), "this workspace's")


@app.command()
def enter(
    kind: Annotated[RequestKind, typer.Argument(help="What is asked for.")],
    person: Person,
    verified: Verified,
    regulation: Law = "gdpr",
    as_json: AsJson = False,
) -> None:
    """Enter a request that came by mail, telephone or in a shop: its time runs from now on."""
    folder = used_folder_here()
    entered = _enter(folder, kind, _person(folder, person), regulation, verified)
    told = f"due {day(entered.due_at)}" if entered.is_open else entered.answer
    _told(entered, f"Entered as {entered.id[:8]}, {told}.", as_json)


@app.command()
def answer(
    id_: Id,
    told: Annotated[str, typer.Option("--told", help="What was answered, in a sentence without personal values.")],
    refused: Annotated[bool, typer.Option("--cancel", help="It was withdrawn, or is not theirs to ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Note that a request was answered."""
    folder = used_folder_here()
    with _requests(folder) as requests:
        one = _one(requests, id_)
        note(folder, Deed("request.answered", one.subjects, one.id))
        state: RequestState = "cancelled" if refused else "completed"
        if not requests.move(one.id, state, now_ms=WallClock().now_ms(), by=by_command(who()), told=told):
            raise RequestError(f"the request {one.id[:8]} is {one.state} already; `livepost requests show` tells more")
        done = _one(requests, one.id)
    _told(done, f"{one.kind} {one.id[:8]} is {state}.", as_json)


@app.command()
def extend(
    id_: Id,
    why: Annotated[str, typer.Option(help="The reason, which the person has to be told within the first month.")],
    as_json: AsJson = False,
) -> None:
    """Extend a request's time, once: by two months (GDPR art. 12 (3)) or 45 days (CCPA)."""
    folder = used_folder_here()
    with _requests(folder) as requests:
        one = _one(requests, id_)
        note(folder, Deed("request.extended", one.subjects, one.id))
        if not is_extendable(one.regulation, one.kind):
            raise RequestError("the CCPA knows no more time for an opt-out of sale (11 CCR 7026 (f)); see to it now")
        due = due_at(one.regulation, one.received_at, extended=True)
        if not requests.extend(one.id, due, why=why, now_ms=WallClock().now_ms(), by=by_command(who())):
            raise RequestError(f"the request {one.id[:8]} is answered, or was extended before; answer it")
        done = _one(requests, one.id)
    _told(done, f"{one.id[:8]} is due {day(due)} now. Tell the person, with the reason.", as_json)


@app.command()
def restrict(person: Person, verified: Verified, regulation: Law = "gdpr", as_json: AsJson = False) -> None:
    """Restrict a person's data (GDPR art. 18): they are kept and not used; no campaign mails from the next claim on."""
    folder = used_folder_here()
    done = _enter(folder, "restriction", _person(folder, person), regulation, verified)
    _told(done, f"Restricted by {done.id[:8]}: no campaign mails them, no audience has them.", as_json)


@app.command()
def unrestrict(
    person: Person,
    told: Annotated[str, typer.Option("--told", help="How the person was told beforehand (GDPR art. 18 (3)).")],
    as_json: AsJson = False,
) -> None:
    """Lift a restriction; the person has to be told before."""
    folder = used_folder_here()
    view = _person(folder, person)
    note(folder, Deed("person.unrestricted", tuple(view.subjects)))
    with closing(folder.ledger()) as ledger:
        lifted = ledger.unlimit(view.person)
    if not lifted:
        raise RequestError("the person's data is not restricted; nothing was changed")
    entered = _lifted(folder, view, told)
    _told(entered, "Lifted: their data is used again, as far as they allow it.", as_json)


@app.command("object")
def object_(
    person: Person,
    verified: Verified,
    purpose: Annotated[str, typer.Option(help="A purpose; all direct marketing if left out.")] = EVERY_PURPOSE,
    regulation: Law = "gdpr",
    as_json: AsJson = False,
) -> None:
    """Note an objection (GDPR art. 21): the purpose is off for good, whatever is allowed later."""
    folder = used_folder_here()
    done = _enter(folder, "objection", _person(folder, person), regulation, verified, purpose)
    what = "all direct marketing" if purpose == EVERY_PURPOSE else purpose
    _told(done, f"Noted by {done.id[:8]}: {what} is off for good.", as_json)


def _receipt(raw: bytes) -> Receipt:
    return msgspec.json.decode(raw, type=Receipt)


def _receipt_in(path: Path) -> Receipt:
    """Return the receipt that a file has; raise RequestError if it has none."""
    try:
        return _receipt(path.read_bytes())
    except (OSError, ValueError) as error:
        raise RequestError(
            f"expected a receipt in {path}, as /receipts gives it, got what cannot be read: {error}"
        ) from None


def _own_key() -> bytes:
    with closing(used_folder_here().vault(readonly=True)) as vault:
        return Signer(vault.secret(PURPOSE)).public


def _say_receipt(told: Receipt, public: bytes, whose: str) -> None:
    for line in lines(told):
        _console.print(line, markup=False)
    ours = is_signed(told, public)
    _console.print(f"The signature is {'' if ours else 'NOT '}{whose}.")
    if not ours:
        raise typer.Exit(1)


@app.command()
def rectify(
    person: Person,
    verified: Verified = "",
    values: Annotated[
        str, typer.Option(help="A file with a JSON object of traits and their right values; - for standard input.")
    ] = "",
    set_: Annotated[list[str] | None, typer.Option("--set", help="NAME=VALUE, a text; may be repeated.")] = None,
    request: Annotated[str, typer.Option(help="The request that waits for it, or how it begins.")] = "",
    regulation: Law = "gdpr",
    as_json: AsJson = False,
) -> None:
    """Set right what a person is known by (GDPR art. 16): done at once, and the request is answered."""
    folder = used_folder_here()
    wanted = _values(values, set_ or ())
    with closing(WireClient(folder.front_socket)) as front:
        require_running(front, "to set something right")
        if request:
            with _requests(folder) as requests:
                entered = _one(requests, request)
        elif not verified:
            raise RequestError("expected --verified, how it was made sure that the person asks, or --request, got none")
        else:
            entered = _enter(folder, "rectification", _person(folder, person), regulation, verified)
        _require_theirs(folder, entered, person)
        told = Correction(request=entered.id, values=wanted, by=by_command(who()))
        try:
            done = front.call(RECTIFY, told, RightsRequest)
        except LivepostError as error:
            raise RequestError(f"{error}; request {entered.id[:8]} waits: --request {entered.id[:8]}") from error
    _told(done, f"{done.id[:8]}: {done.answer}.", as_json)


@app.command("opt-out")
def opt_out(
    person: Person,
    verified: Verified = "not needed (11 CCR 7026 (d))",
    regulation: Law = "ccpa",
    as_json: AsJson = False,
) -> None:
    """Opt a person out of the sale and sharing of their data (CCPA): done at once, kept with its proof."""
    folder = used_folder_here()
    done = _enter(folder, "opt_out_of_sale", _person(folder, person), regulation, verified)
    if done.is_open:
        text = (
            f"Entered as {done.id[:8]}, due {day(done.due_at)}: without a policy.toml nothing says what "
            "a sale is here; see to it, then answer it."
        )
    else:
        text = f"{done.id[:8]}: {done.answer}."
    _told(done, text, as_json)


def _values(file: str, told: Sequence[str]) -> dict[str, Any]:
    """Return the right values, of a file and of options; raise RequestError for what cannot be read."""
    found: dict[str, Any] = {}
    if file:
        try:
            raw = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
            found = msgspec.json.decode(raw, type=dict[str, Any])
        except (OSError, ValueError, RecursionError):
            raise RequestError("expected a JSON object of traits in --values, got what cannot be read as one") from None
    for one in told:
        name, equals, value = one.partition("=")
        if not equals:
            raise RequestError("expected NAME=VALUE with --set, got no =")
        found[name] = value
    return found


def _require_theirs(folder: DataFolder, entered: RightsRequest, person: str) -> None:
    """Raise RequestError if a request is somebody else's."""
    if not {*entered.subjects} & {*_person(folder, person).subjects}:
        raise RequestError(f"expected a request of this person, got {entered.id[:8]}, which is somebody else's")


def _enter(
    folder: DataFolder,
    kind: RequestKind,
    view: PersonView,
    regulation: Regulation,
    verified: str,
    purpose: str = EVERY_PURPOSE,
) -> RightsRequest:
    by = by_command(who())
    entry = Entry(kind=kind, regulation=regulation, way="cli", verified=verified, by=by, purpose=purpose)
    note(folder, Deed("request.entered", tuple(view.subjects), kind))
    policy = applied_project_of(folder).policy
    with _requests(folder) as requests, closing(folder.ledger()) as ledger:
        return Entering(requests, ledger, policy, clock=folder.clock, host=WallClock()).enter(view, entry)


def _lifted(folder: DataFolder, view: PersonView, told: str) -> RightsRequest:
    """Enter that a restriction was lifted, and how the person was told."""
    now_ms = WallClock().now_ms()
    request = RightsRequest(
        id=new_subject_id().hex(),
        kind="restriction",
        regulation="gdpr",
        way="cli",
        subjects=tuple(view.subjects),
        submitted_at=now_ms,
        received_at=now_ms,
        due_at=due_at("gdpr", now_ms),
        verified=told,
        entered_by=by_command(who()),
    )
    note(folder, Deed("request.entered", request.subjects, request.id))
    with _requests(folder) as requests:
        requests.enter(request)
        requests.move(request.id, "completed", now_ms=now_ms, by=request.entered_by, told="lifted")
        return _one(requests, request.id)


def _person(folder: DataFolder, name: str) -> PersonView:
    project = applied_project_of(folder)
    with closing(folder.vault(readonly=True)) as vault, engine_of(folder, project) as engine:
        return person_of(vault, engine, name, project.compiled.keys())


@contextmanager
def _requests(folder: DataFolder) -> Iterator[Requests]:
    with closing(folder.control()) as store:
        yield Requests(store)


def _one(requests: Requests, id_: str) -> RightsRequest:
    found = [one for one in requests.listed(limit=1_000) if one.id.startswith(id_)]
    if len(found) != 1:
        raise RequestError(
            f"expected the id of one request, got {len(found)} that begin with {id_[:40]}; say more of it"
        )
    return found[0]


def _shown(one: RightsRequest, steps: list[RequestStep] | None = None) -> Shown:
    told = {name: getattr(one, name) for name in Shown.__struct_fields__ if hasattr(one, name) and name != "steps"}
    return Shown(**told, people=[subject.hex() for subject in one.subjects], steps=steps or [])


def _told(one: RightsRequest, text: str, as_json: bool) -> None:
    if as_json:
        _json(_shown(one))
    else:
        _console.print(text, markup=False)


def _json(told: object) -> None:
    _console.print_json(msgspec.json.encode(told).decode())


def _due(one: RightsRequest, now_ms: int) -> str:
    if not one.is_open:
        return f"answered {day(one.answered_at)}"
    left = one.due_at - now_ms
    warning = " OVERDUE" if left <= 0 else " soon" if left <= SOON_MS else ""
    return f"{day(one.due_at)}{warning}"


def _moment(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
