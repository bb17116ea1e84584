"""`bounce`: reports of mail servers, from an alias or a Maildir, to the house that runs.

A mail server takes exit code 75 (EX_TEMPFAIL of sysexits.h) as "later": no report is lost while no house runs.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from livepost.cli.workspace import used_folder_here
from livepost.deliver.token import Bounces
from livepost.errors import SettingsError, StoreError
from livepost.model.feedback import MailEvent
from livepost.runtime.data.folder import DataFolder
from livepost.runtime.front.hearing import HEAR
from livepost.runtime.sockets.wire import WireClient
from livepost.sources.report import REPORT_BYTES_MAX, Report, read_report

TRY_LATER = 75
PROVIDER = "smtp"
SEEN = ":2,S"
"""What the name of a mail ends with that was looked at (Maildir)."""


def bounce(
    recipient: Annotated[str, typer.Option(help="Whom the mail server says the report is for.")] = "",
    maildir: Annotated[Path | None, typer.Option(help="Take all new mails of this Maildir instead.")] = None,
) -> None:
    """Take a report of a mail server (a bounce, a complaint) from standard input; exit 75: try again later."""
    folder = used_folder_here()
    try:
        with closing(folder.vault(readonly=True)) as vault:
            bounces = _bounces(folder, vault.secret("bounces"))
        with closing(WireClient(folder.front_socket)) as front:
            if maildir is None:
                _take(front, bounces, sys.stdin.buffer.read(REPORT_BYTES_MAX), recipient)
            else:
                _take_all(front, bounces, maildir)
    except StoreError as error:
        print(f"livepost: {error}", file=sys.stderr)  # noqa: T201 - a mail server shows it
        raise typer.Exit(TRY_LATER) from error


def event_of(report: Report, bounces: Bounces) -> MailEvent:
    """Return a report as an event: of the mail that a token of ours names, else of nobody's.

    The recipient is left out: where a mail was forwarded it is another one, and the token says more.
    """
    found = (bounces.decision(address) for address in report.addresses)
    decision = next((one for one in found if one is not None), None)
    # The mail belongs to the id: a forged report must not take the place of the true one.
    event_id = f"{report.id} {decision.hex() if decision else ''}"
    return MailEvent(provider=PROVIDER, kind=report.kind, hard=report.hard, event_id=event_id, decision=decision)


def _bounces(folder: DataFolder, secret: bytes) -> Bounces:
    if not folder.settings.bounces:
        raise SettingsError('bounces is not set: say bounces = "bounces@shop.example" in livepost.toml first')
    return Bounces(folder.settings.bounces, secret)


def _take(front: WireClient, bounces: Bounces, raw: bytes, recipient: str = "") -> None:
    report = read_report(raw, recipient)
    if report is not None:
        front.call(HEAR, [event_of(report, bounces)], type(None))


def _take_all(front: WireClient, bounces: Bounces, maildir: Path) -> None:
    for path in _new(maildir):
        with path.open("rb") as file:
            _take(front, bounces, file.read(REPORT_BYTES_MAX))
        path.rename(maildir / "cur" / f"{path.name}{SEEN}")  # only now: a report that was not taken comes again


def _new(maildir: Path) -> Iterator[Path]:
    """Yield the new mails of a Maildir; raise SettingsError for a folder that is none."""
    if not (maildir / "new").is_dir() or not (maildir / "cur").is_dir():
        raise SettingsError(f"expected a Maildir, with the folders new and cur, got {maildir}")
    yield from sorted(path for path in (maildir / "new").iterdir() if path.is_file())
