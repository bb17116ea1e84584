"""The `policy.toml` that a house goes by, kept in its data folder: a wider one waits until others approve it.

In: the project's page as it is now. Out: the page in force. Promised: what a page allows that the one in force does not
is never in force before it was approved; the page that was looked at is the one that is kept, byte by byte; a crash
leaves the one before or the new one whole.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from livepost.errors import StoreError
from livepost.govern.access.relaxing import relaxations
from livepost.govern.approval.wanted import Wanted, relaxing_of
from livepost.runtime.data.folder import DataFolder
from livepost.settings.policy import FILE_NAME, parse_policy, read_page

TAKEN_AWAY = "it is taken away: nothing is promised about people's data any more"


def take_policy(data: DataFolder, project: Path, require: Callable[[Wanted], None], note: Callable[[], None]) -> None:
    """Go by the project's page from now on; raise what `require` raises where it is wider and that is not approved.

    `note` writes down that another page is taken, before it is. Raises SettingsError for a page that does not fit.
    """
    now, before = read_page(project), read_page(data.path)
    if now == before:
        return
    wider = _wider(before, now)
    if before is not None and wider:
        require(relaxing_of(before, now, wider))
    note()
    _keep(data.path / FILE_NAME, now)


def is_changed(data: DataFolder, project: Path) -> bool:
    """Say whether the project's page is another one than the house goes by."""
    before = read_page(data.path)
    return before is not None and read_page(project) != before


def wider(data: DataFolder, project: Path) -> list[str]:
    """Return what the project's page allows that the one in force does not, in sentences; raise SettingsError."""
    return _wider(read_page(data.path), read_page(project))


def keep_home(data: DataFolder, project: Path) -> None:
    """Write down in which folder the project lies that the house runs with."""
    _keep(data.home_file, os.fsencode(project.resolve()))


def home_of(data: DataFolder, otherwise: Path) -> Path:
    """Return the folder of the project that the house ran with last, `otherwise` before it ran.

    Raises StoreError if it is not there any more: rules that stand in it would be left out without a word.
    """
    try:
        home = Path(os.fsdecode(data.home_file.read_bytes()))
    except FileNotFoundError:
        return otherwise
    if not home.is_dir():
        raise StoreError(
            f"expected the project of this house in {home}, where it ran last, found no folder; `livepost run` where "
            "the project lies now says so"
        )
    return home


def _wider(before: bytes | None, now: bytes | None) -> list[str]:
    if before is None:
        return []
    return [TAKEN_AWAY] if now is None else relaxations(parse_policy(before), parse_policy(now))


def _keep(file: Path, raw: bytes | None) -> None:
    """Put bytes in the place of a file, or nothing, whole and durably; raise StoreError."""
    new = file.with_name(f"{file.name}.new")
    try:
        if raw is None:
            file.unlink(missing_ok=True)
        else:
            with new.open("wb") as written:
                written.write(raw)
                written.flush()
                os.fsync(written.fileno())
            new.replace(file)
        _sync(file.parent)
    except OSError as error:
        raise StoreError(f"{file} cannot be written ({error}); make room, or let this user write there") from error


def _sync(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
