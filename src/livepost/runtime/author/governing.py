"""A project folder as the rules of `govern.policy` look at it.

In: a folder, its settings, the keys of its data folder. Out: `Given`, and the report. Promised: nothing is written;
texts longer than FILE_BYTES_MAX, folders that begin with a dot, environments and the data folder are left out.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path

import msgspec

from livepost.govern.policy.every import check, without_policy
from livepost.govern.policy.finding import Finding, Report
from livepost.govern.policy.given import Given, KeyGiven
from livepost.project.compiled import compile_project
from livepost.project.declarations import Declarations
from livepost.project.problem import Problem
from livepost.runtime.author.project import policy_of
from livepost.settings.policy import Policy
from livepost.settings.settings import Settings

FILES_MAX = 2_000
FILE_BYTES_MAX = 500_000
TEXTS = frozenset((".py", ".toml", ".mjml", ".txt", ".liquid", ".md", ".json", ".yaml", ".yml", ".env", ".ini", ".cfg"))
ELSEWHERE = frozenset(("node_modules", "site-packages", "__pycache__"))

ON_PAPER = "PC20"
"""The rule that `check`, `run` and `apply` only warn of: records are written anew once a change is meant to stay."""


def given_of(folder: Path, declarations: Declarations, settings: Settings) -> Given | None:
    """Return a project as the rules look at it, by the folder's page; None where it has none. Raises ProjectError."""
    return given_by(policy_of(folder), folder, declarations, settings)


def given_by(policy: Policy | None, folder: Path, declarations: Declarations, settings: Settings) -> Given | None:
    """Return a project as it is under a policy, such as the one in force; None without one."""
    if policy is None:
        return None
    keys_file = settings.data_folder / "keys" / "keys.json"
    return Given(
        policy=policy,
        declarations=declarations,
        compiled=compile_project(declarations, currency=settings.currency),
        settings=settings,
        files=dict(_texts(folder, settings.data_folder)),
        keys=_keys(keys_file),
        keys_file=_readable_by_others(keys_file),
    )


def report_of(folder: Path, declarations: Declarations, settings: Settings) -> Report:
    """Return how a project fares under the rules; places are told from its folder. Raises ProjectError."""
    given = given_of(folder, declarations, settings)
    if given is None:
        return without_policy()
    report = check(given)
    root = f"{folder.resolve()}/"
    outcomes = [
        msgspec.structs.replace(outcome, findings=[_from(root, one) for one in outcome.findings])
        for outcome in report.outcomes
    ]
    return msgspec.structs.replace(report, outcomes=outcomes)


def problems_of_policy(folder: Path, declarations: Declarations, settings: Settings) -> list[Problem]:
    """Return what is wrong with a project by its own policy; nothing for one without."""
    given = given_of(folder, declarations, settings)
    if given is None:
        return []
    return [
        Problem(f"{one.rule}: {one.sentence}", one.where, "warning" if one.rule == ON_PAPER else one.severity)
        for one in check(given).findings
    ]


def _from(root: str, one: Finding) -> Finding:
    return msgspec.structs.replace(one, where=one.where.removeprefix(root))


def _texts(folder: Path, data: Path) -> Iterator[tuple[str, str]]:
    for path in islice(_files(folder, data), FILES_MAX):
        with suppress(OSError, UnicodeDecodeError):
            if path.stat().st_size <= FILE_BYTES_MAX:
                yield path.relative_to(folder).as_posix(), path.read_text(encoding="utf-8")


def _files(folder: Path, data: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            hidden = path.name.startswith(".") or path.name in ELSEWHERE or (path / "pyvenv.cfg").exists()
            if not hidden and path.resolve() != data.resolve():
                yield from _files(path, data)
        elif path.suffix in TEXTS or path.name == ".env":
            yield path


def _keys(path: Path) -> list[KeyGiven]:
    """Return the keys that are not revoked; none where there is no file of them yet."""
    try:
        kept = msgspec.json.decode(path.read_bytes(), type=list[_Kept])
    except (OSError, ValueError):
        return []
    valid = (one for one in kept if one.revoked_ms is None)
    return [KeyGiven(id=one.id, kind=one.kind, source=one.source, scopes=one.scopes) for one in valid]


def _readable_by_others(path: Path) -> str:
    try:
        return str(path) if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO) else ""
    except OSError:
        return ""


class _Kept(msgspec.Struct):
    """What of a kept key is looked at."""

    id: str
    kind: str
    source: str
    revoked_ms: int | None = None
    scopes: tuple[str, ...] | None = None
