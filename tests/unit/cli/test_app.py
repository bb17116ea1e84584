import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup
from typer.main import get_command

from livepost.cli import app
from livepost.cli.app import COMMANDS
from tests.unit.cli.conftest import Command


def command_lines() -> list[list[str]]:
    """Return every command as typed, groups spelled out."""
    root = get_command(app)
    assert isinstance(root, TyperGroup)
    found = []
    for name in root.list_commands(typer.Context(root)):
        below = root.get_command(typer.Context(root), name)
        inner = below.list_commands(typer.Context(below)) if isinstance(below, TyperGroup) else []
        found += [[name, one] for one in inner] or [[name]]
    return found


@pytest.mark.parametrize("words", command_lines(), ids=" ".join)
def test_every_command_tells_what_it_does_and_what_each_option_is(livepost: Command, words: list[str]) -> None:
    told = livepost(*words, "--help")
    assert told.code == 0
    assert " ".join(["livepost", *words]) in told.out
    assert len(told.out.splitlines()) > 5


def test_help_lists_all_commands_in_the_order_of_the_table(livepost: Command) -> None:
    told = livepost("--help").out
    places = [told.index(f"│ {name} ") for name in COMMANDS]
    assert places == sorted(places)


def test_no_command_at_all_gets_the_help(livepost: Command) -> None:
    told = livepost()
    assert "Commands" in told.out
    assert told.code == 2


@pytest.mark.parametrize("words", [["nosuch"], ["check", "--nosuch"], ["keys", "new", "golden"], ["why"]])
def test_a_wrong_command_line_exits_with_2_and_says_what_is_wrong(livepost: Command, words: list[str]) -> None:
    told = livepost(*words)
    assert told.code == 2
    assert "Error" in told.err
    assert told.out == ""


@pytest.mark.skipif(not hasattr(os, "SCHED_IDLE"), reason="other systems know niceness only")
@pytest.mark.parametrize(("command", "policy"), [("apply", "SCHED_IDLE"), ("plan", "SCHED_OTHER")])
def test_only_a_command_that_works_beside_a_live_house_stands_back(command: str, policy: str) -> None:
    look = "import atexit, os, sys; from livepost.cli.app import main; "
    look += f"atexit.register(lambda: print(os.sched_getscheduler(0))); sys.argv[1:] = [{command!r}, '--help']; main()"
    told = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert told.stdout.splitlines()[-1] == str(getattr(os, policy))


def test_a_group_and_a_command_are_loaded_only_when_asked_for() -> None:
    loads = "import sys, livepost.cli; print([name for name in ('numpy', 'duckdb', 'liquid') if name in sys.modules])"
    told = subprocess.run([sys.executable, "-c", loads], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def test_it_runs_as_a_module_too(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "livepost.cli", "check"]
    told = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert told.returncode == 1
    assert told.stdout.startswith("error: expected shop.py in") or "expected shop.py in" in told.stdout


def test_an_error_of_livepost_is_one_sentence_on_stderr_and_exit_code_1(livepost: Command, project: Path) -> None:
    (project / "livepost.toml").write_text("prot = 8300\n")
    told = livepost("doctor")
    assert (told.code, told.out) == (1, "")
    assert told.err.startswith("livepost: ")
    assert len(told.err.splitlines()) == 1
    assert "port" in told.err


def test_anything_else_is_a_bug_and_is_not_dressed_up(
    livepost: Command, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(COMMANDS, "doctor", "doctor:settings_nowhere")
    with pytest.raises(AttributeError):
        livepost("doctor")
