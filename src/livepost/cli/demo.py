"""`livepost demo`: real baskets through the whole house, on a clock that may run faster."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from livepost.cli.console import new_link
from livepost.cli.signals import stop_on_signals
from livepost.demo.house import DemoError, DemoHouse
from livepost.demo.report import Report, write_report
from livepost.demo.reporting import report_of
from livepost.errors import StoreError
from livepost.ledger.base import Ledger
from livepost.runtime.engine.client import EngineClient

SPEED = 600.0
"""Of the demo for people: an hour of the shop in 6 seconds, so that a reminder after two hours can be waited for, and
what somebody did is not over a week old before they have looked at it.
"""

LINE_EVERY_S = 5.0

_console = Console(soft_wrap=True, highlight=False)


def demo(
    port: Annotated[int, typer.Option(help="Port of the front; 0: any free one.")] = 8300,
    data: Annotated[Path, typer.Option(help="Data folder of the demo; it goes on where it was.")] = Path("data/demo"),
    speed: Annotated[float, typer.Option(help="How much faster than real time the shop's clock goes.")] = SPEED,
    headless: Annotated[bool, typer.Option(help="Run for --seconds, stop, write a report.")] = False,
    seconds: Annotated[float, typer.Option(help="How long a headless run is fed.")] = 30.0,
    report: Annotated[Path, typer.Option(help="Where a headless run writes its report.")] = Path("report.json"),
) -> None:
    """Run the demo shop with real shoppers' baskets."""
    house = DemoHouse(data, port, speed, readers=not headless)
    try:
        house.start()
        if headless:
            made = _headless(house, seconds)
            write_report(made, report)
            _sum_up(made, report)
        else:
            _greet(house, speed)
            _keep_running(house)
    finally:
        house.stop()


def _headless(house: DemoHouse, seconds: float) -> Report:
    house.wait_fed()
    began = time.monotonic()
    if stop_on_signals().wait(seconds):
        raise DemoError("stopped before its time; there is no report")
    account = house.stop_feed()
    took = time.monotonic() - began
    last = house.drain()
    house.supervisor.stop(["front", "courier"])
    status = house.settled()
    house.supervisor.stop()
    return report_of(house.folder, status, account, last, took)


def _keep_running(house: DemoHouse) -> None:
    stop = stop_on_signals()
    with closing(EngineClient(house.folder)) as engine, closing(house.folder.ledger()) as ledger:
        while not stop.wait(LINE_EVERY_S):
            house.supervisor.look_after(stop)
            _say_how_it_goes(engine, ledger)


def _say_how_it_goes(engine: EngineClient, ledger: Ledger) -> None:
    try:
        status = engine.status()
    except StoreError:
        return
    mails = sum(tally.count for tally in ledger.counts() if tally.state == "sent")
    shown = time.strftime("%Y-%m-%d %H:%M", time.gmtime(status.as_of / 1000))
    processed = status.counts["processed"]
    _console.print(f"  shop time {shown} UTC   {processed:,} events   {status.people:,} people   {mails:,} mails kept")


def _greet(house: DemoHouse, speed: float) -> None:
    _console.print(f"The demo runs {speed:g} times faster than the clock on the wall.")
    _console.print(f"  shop      [bold]{house.shop_url}[/]   click, and watch your own next mail change")
    _console.print(f"  console   [bold]{new_link(house.folder)}[/]   opens once;")
    _console.print(f"            `livepost console --data {house.folder.path}` prints another link")
    _console.print(f"  {house.folder.path} holds its data: log, state, ledger, vault, mailbox. Ctrl-C stops it;")
    _console.print("  started again, it goes on where it was. The feed needs some seconds to make its events ready.")


def _sum_up(made: Report, path: Path) -> None:
    holds = "holds" if made.conservation.holds else "DOES NOT HOLD"
    _console.print(
        f"{made.days:g} days of the shop in {made.seconds:g} s: {made.events_accepted:,} events, "
        f"{made.people:,} people, {made.mails:,} mails; conservation {holds}. Report: {path}"
    )
    for campaign, count in sorted(made.mails_by_campaign.items()):
        found = made.oracle.get(campaign)
        said = "" if found is None else f"   {'equal to' if found.equal else 'DIFFERS from'} SQL over the tables"
        _console.print(f"  {campaign:20} {count:6,} mails{said}")
