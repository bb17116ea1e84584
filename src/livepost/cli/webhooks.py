"""`webhooks`: look at the targets, try one, look at dead letters, send them again. No house need run for it."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import msgspec
import typer
from rich.console import Console

from livepost.announce.announcer import Target, deliver
from livepost.announce.book import LISTED_MAX, Book, DeadLetter, Standing
from livepost.announce.notice import Notice
from livepost.announce.signature import new_secret
from livepost.announce.verdict import Verdict
from livepost.audit.deed import Deed, people_of
from livepost.cli.author import applied_project_of
from livepost.cli.workspace import folder_here, note, settings_here, used_folder_here
from livepost.clock import WallClock
from livepost.errors import StoreError
from livepost.fetch.fetcher import Fetcher
from livepost.project.gate import gate_of
from livepost.runtime.author.project import policy_of
from livepost.runtime.courier.passing import Passing, whom_and_what
from livepost.runtime.courier.refusing import refusing
from livepost.runtime.courier.targets import allowed_of, pseudonyms_of, targets_of
from livepost.runtime.data.folder import DataFolder
from livepost.runtime.engine.asking import engine_of
from livepost.runtime.engine.client import EngineClient
from livepost.settings.webhook import Webhook
from livepost.vault.pseudonym import PURPOSE

TEST = "test"
"""The kind of a message that tells nothing."""

_console = Console(soft_wrap=True, highlight=False)
app = typer.Typer(help="Webhooks: who is told what happens.", no_args_is_help=True)

May: TypeAlias = Callable[[str, Notice], bool]
"""Says whether a target, by its name, may be told a message."""

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Name = Annotated[str, typer.Argument(help="The target's name, as livepost.toml says it.")]


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A target as it is listed; `standing` is None before it was told anything."""

    name: str
    target: str
    events: list[str]
    dead: int
    standing: Standing | None


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the targets: how far each was told, what it waits for, how many dead letters it has."""
    webhooks = settings_here().settings.webhooks
    with _book() as book:
        shown = [_shown(one, book) for one in webhooks]
    if as_json:
        _print_json(shown)
        return
    for one in shown:
        _console.print(f"{one.target}  {_said(one)}", markup=False)
    if not shown:
        _console.print("There are no webhooks; add a table [[webhooks]] to livepost.toml.")


@app.command()
def test(name: Name, as_json: AsJson = False) -> None:
    """Send a target a signed message of the type `test`; exit 1 if it is not taken."""
    now_ms = WallClock().now_ms()
    id = f"{TEST}_{secrets.token_hex(16)}"
    body = Notice(id=id, kind=TEST, at=now_ms, data=b'{"type":"test"}', cursor="").body()
    with closing(Fetcher(allowed_of(settings_here().settings))) as fetch:
        found = deliver(fetch, _target(name), id, body, 1, WallClock())
    _end([_Answered(id=id, target=name, found=found)], as_json)


@app.command()
def dead(
    after: Annotated[int, typer.Option(help="Only those behind this number.")] = 0,
    limit: Annotated[int, typer.Option(min=1, max=LISTED_MAX, help="At most so many.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List dead letters: number, target, message, why it was not taken, whether it was replayed."""
    with _book() as book:
        letters = book.letters(after=after, limit=limit)
    if as_json:
        _print_json([_plain(one) for one in letters])
        return
    for one in letters:
        replayed = "; replayed" if one.replayed_at else ""
        said = f"sent {one.sent} times: {one.error}{replayed}"
        _console.print(f"{one.number:8}  {one.target}  {one.id}  {said}", markup=False)
    if not letters:
        _console.print("There are no dead letters of webhooks.")


@app.command()
def show(number: Annotated[int, typer.Argument(help="The number, as `livepost webhooks dead` shows it.")]) -> None:
    """Show a dead letter as JSON, with what was sent."""
    with _book() as book:
        _print_json(_plain(_letter(book, number)))


@app.command()
def replay(
    numbers: Annotated[list[int] | None, typer.Argument(help="Numbers of dead letters.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="All that were not replayed yet.")] = False,
    as_json: AsJson = False,
) -> None:
    """Send dead letters again, once each and under their old ids; exit 1 if one is not taken."""
    if bool(numbers) == all_:
        raise typer.BadParameter("name numbers, or --all, not both")
    settings = settings_here().settings
    targets = {one.name: one for one in targets_of(settings, folder_here().pseudonym_secret)}
    with _book() as book, closing(Fetcher(allowed_of(settings))) as fetch:
        letters = _all(book) if all_ else (_letter(book, number) for number in numbers or [])
        with _gated(used_folder_here()) as may:
            _end([_replayed(book, fetch, targets, letter, may) for letter in letters], as_json)


@app.command()
def resume(name: Name) -> None:
    """Tell a target again that is disabled or waits, from where it stands, at once."""
    with _book() as book:
        if not book.resume(name):
            raise StoreError(f"expected the name of a target that was told something, got {name}")
    _console.print(f"{name} is told again.")


@app.command()
def who(
    name: Name,
    pseudonym: Annotated[str, typer.Argument(help="What the target calls a person: 32 hex digits.")],
    as_json: AsJson = False,
) -> None:
    """Say whom a target means, where it is told pseudonyms; exit 1 if it is nobody, or nobody any more."""
    folder = used_folder_here()
    webhook = next((one for one in folder.settings.webhooks if one.name == name), None)
    if webhook is None or webhook.ids != "pseudonym":
        raise StoreError(f'expected the name of a target with ids = "pseudonym", got {name}')
    with closing(folder.vault(readonly=True)) as vault:
        found = pseudonyms_of(vault.secret(PURPOSE), name).subject(vault, _pseudonym(pseudonym))
    if found is None:
        raise StoreError("it names nobody here: it is another target's, or the person was erased")
    note(folder, Deed("person.found", people_of([found.hex()]), about=f"webhook.{name}"))
    if as_json:
        _print_json({"person": found.hex()})
        return
    _console.print(f"{found.hex()}  `livepost why {found.hex()}` says more.", markup=False)


@app.command()
def secret() -> None:
    """Print a new secret; keep it where the target's `secret` refers to, and give it to the receiver."""
    _console.print(new_secret(secrets.token_bytes(32)), markup=False)


class _Body(msgspec.Struct):
    """What of a body that was sent is the stream's message."""

    data: msgspec.Raw = msgspec.Raw(b"{}")


class _Answered(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    target: str
    found: Verdict


@contextmanager
def _book() -> Iterator[Book]:
    folder = used_folder_here()
    with closing(Book(folder.webhooks_file)) as book:
        yield book


def _target(name: str) -> Target:
    folder = folder_here()
    found = next((one for one in targets_of(folder.settings, folder.pseudonym_secret) if one.name == name), None)
    if found is None:
        raise StoreError(f"expected the name of a target in livepost.toml, got {name}; see `livepost webhooks list`")
    return found


def _pseudonym(text: str) -> bytes:
    if not re.fullmatch(r"[0-9a-fA-F]{32}", text):
        raise StoreError("expected a pseudonym of 32 hex digits, got something else; take `person` of the message")
    return bytes.fromhex(text)


def _letter(book: Book, number: int) -> DeadLetter:
    found = book.letter(number)
    if found is None:
        raise StoreError(f"expected the number of a dead letter, got {number}; see `livepost webhooks dead`")
    return found


def _all(book: Book) -> Iterator[DeadLetter]:
    after = 0
    while letters := book.letters(after=after, waiting=True, limit=LISTED_MAX):
        yield from letters
        after = letters[-1].number


@contextmanager
def _gated(folder: DataFolder) -> Iterator[May]:
    """Yield what says whether a target may be told a message now: by the policy, and by what its person allows."""
    with closing(folder.ledger()) as ledger:
        refusals = refusing(ledger, folder.clock)
        if policy_of(Path.cwd()) is None:
            nobody = EngineClient(folder)  # without a policy it is not asked
            yield lambda target, notice: Passing(target, lambda: None, nobody, refusals, ledger.restricted)(notice)
            return
        project = applied_project_of(folder)
        gate = gate_of(project.policy, project.compiled)
        with engine_of(folder, project) as engine:
            yield lambda target, notice: Passing(target, lambda: gate, engine, refusals, ledger.restricted)(notice)


def _notice(letter: DeadLetter) -> Notice:
    data = msgspec.json.decode(letter.body, type=_Body).data
    return Notice(id=letter.id, kind=letter.kind, at=letter.at, data=bytes(data), cursor="")


def _replayed(book: Book, fetch: Fetcher, targets: dict[str, Target], letter: DeadLetter, may: May) -> _Answered:
    target = targets.get(letter.target)
    if target is None:
        found = Verdict(state="dead", why="there is no such target in livepost.toml any more")
    elif not may(target.name, _notice(letter)):
        found = Verdict(state="dead", why="policy.toml, or what its person allows now, does not let it go there")
    else:
        found = deliver(fetch, target, letter.id, letter.body, target.tries, WallClock())
    if found.state == "delivered":
        book.replayed(letter.number, WallClock().now_ms(), *whom_and_what(_notice(letter).data))
    return _Answered(id=letter.id, target=letter.target, found=found)


def _shown(webhook: Webhook, book: Book) -> Shown:
    return Shown(
        name=webhook.name,
        target=str(webhook),
        events=[*webhook.events],
        dead=book.waiting(webhook.name),
        standing=book.standing(webhook.name),
    )


def _said(one: Shown) -> str:
    standing = one.standing
    if standing is None:
        return "was told nothing yet"
    told = f"{standing.delivered:,} told, {one.dead:,} dead letters"
    if standing.disabled:
        return f"{told}; disabled: {standing.disabled} (`livepost webhooks resume {one.name}`)"
    wait_s = (standing.next_at - WallClock().now_ms()) // 1_000
    waits = f"; sent {standing.sent} times, again in {max(wait_s, 0):,} s: {standing.error}" if standing.sent else ""
    return told + waits


def _plain(letter: DeadLetter) -> dict[str, Any]:
    return {**msgspec.structs.asdict(letter), "body": msgspec.Raw(letter.body)}


def _end(answers: list[_Answered], as_json: bool) -> None:
    """Tell what came of messages; exit 1 if one was not taken."""
    if as_json:
        _print_json(answers)
    for one in [] if as_json else answers:
        taken = "taken" if one.found.state == "delivered" else f"not taken: {one.found.why}"
        _console.print(f"{one.target}  {one.id}  {taken}", markup=False)
    if not answers and not as_json:
        _console.print("There are no dead letters to replay.")
    if any(one.found.state != "delivered" for one in answers):
        raise typer.Exit(1)


def _print_json(told: Any) -> None:
    _console.print_json(msgspec.json.encode(told).decode())
