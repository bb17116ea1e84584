import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Command
from tests.unit.runtime.still import STARTER


def test_init_writes_a_sound_project(livepost: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = livepost("init", str(tmp_path / "teashop"))
    assert told.code == 0
    assert "Next: cd" in told.out
    written = sorted(str(path.relative_to(tmp_path / "teashop")) for path in (tmp_path / "teashop").rglob("*.*"))
    assert written == [
        "livepost.toml",
        "policy.toml",
        "ropa.md",
        "shop.py",
        "templates/browse_reminder.mjml",
        "templates/confirm.mjml",
        "tests/test_shop.py",
    ]
    monkeypatch.chdir(tmp_path / "teashop")
    assert livepost("check").out == "The project is sound.\n"


def test_init_touches_nothing_where_one_of_its_files_is_there(livepost: Command, tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text("mine = True\n")
    told = livepost("init", str(tmp_path))
    assert told.code == 1
    assert "shop.py is there already; name another folder, nothing was changed" in told.err
    assert [path.name for path in tmp_path.iterdir()] == ["shop.py"]
    assert (tmp_path / "shop.py").read_text() == "mine = True\n"


def test_init_may_add_to_a_folder_that_has_other_things(livepost: Command, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine")
    assert livepost("init", str(tmp_path)).code == 0
    assert (tmp_path / "README.md").read_text() == "mine"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (">= 3", '>= "three"', ": error: expected views_7d to be compared with a number such as 3, got 'three'"),
        ('Email("browse_reminder"', 'Email("browse_remainder"', "browse_remainder"),
        ("from livepost import Cap", "from livepost import Cup", "ImportError"),
    ],
)
def test_check_says_what_is_wrong_with_file_and_line_and_exits_with_1(
    livepost: Command, project: Path, old: str, new: str, said: str
) -> None:
    page = (project / "shop.py").read_text()
    assert old in page
    (project / "shop.py").write_text(page.replace(old, new))
    told = livepost("check")
    assert told.code == 1
    assert told.out.startswith(f"{project / 'shop.py'}:")
    assert said in told.out


def test_check_outside_a_project_says_how_to_make_one(
    livepost: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    told = livepost("check")
    assert told.code == 1
    assert "`livepost init DIR` makes a project" in told.out


def test_check_finds_a_template_that_cannot_be_read(livepost: Command, project: Path) -> None:
    (project / "templates" / "browse_reminder.mjml").write_text("<mjml><mj-body>{% if %}</mj-body></mjml>")
    told = livepost("check")
    assert told.code == 1
    assert "browse_reminder" in told.out


def test_check_leaves_nothing_behind(livepost: Command, project: Path) -> None:
    livepost("check")
    assert not (project / "data").exists()


def test_what_init_writes_is_the_starter_and_nothing_that_python_left_there(livepost: Command, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
    subprocess.run([sys.executable, "-c", "import livepost"], env=environment, check=True)
    livepost("init", str(tmp_path / "shop"))
    assert not list((tmp_path / "shop").rglob("__pycache__"))
    assert (tmp_path / "shop" / "shop.py").read_text() == (STARTER / "shop.py").read_text()
