"""The demo's own processes: `python -m livepost.demo front`, `... feed URL DATA ACCOUNT` and `... readers URL PROJECT`.

Feed and readers find their secret key in LIVEPOST_DEMO_KEY; the front serves the project in the current folder.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from livepost.errors import LivepostError
from livepost.observe.redactor import mask_stderr
from livepost.runtime.house.lifeline import end_with_input
from livepost.runtime.house.supervisor import SUPERVISED


def feed(url: str, data: str, account: str) -> None:
    """Feed a house until told to stop."""
    key = os.environ["LIVEPOST_DEMO_KEY"]
    run = import_module("livepost.demo.feed").run_feed
    run(url=url, secret_key=key, data=Path(data), account=Path(account))


def readers(url: str, project: str) -> None:
    """Read a house's mails until told to stop."""
    key = os.environ.pop("LIVEPOST_DEMO_KEY")  # no setting of the house, whose settings are read then
    run = import_module("livepost.demo.readers").run_readers
    run(url=url, secret_key=key, project=Path(project), environment={**os.environ})


def front(supervised: str = "") -> None:
    """Serve a house and its shop until told to stop."""
    if supervised == SUPERVISED:
        end_with_input()
    import_module("uvloop").run(import_module("livepost.demo.storefront.front").run_demo_front())


PROCESSES: dict[str, Callable[..., None]] = {"feed": feed, "readers": readers, "front": front}

if __name__ == "__main__":
    mask_stderr()
    try:
        PROCESSES[sys.argv[1]](*sys.argv[2:])
    except LivepostError as error:
        sys.exit(str(error))
