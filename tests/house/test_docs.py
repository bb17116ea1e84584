"""The docs tell of everything there is, and only of what there is."""

import ast
import importlib
import inspect
import re
import tomllib
from pathlib import Path

import pytest
import typer.main
from typer.core import TyperGroup

from livepost import errors
from livepost.model.decision import REASONS
from livepost.settings.load import PREFIX
from livepost.settings.settings import Settings, attribute, describe, keys
from tests.house.source import HOUSE, SOURCE, modules, needs

DOCS = HOUSE / "docs"
REFERENCE = DOCS / "reference"
PYPROJECT = tomllib.loads((HOUSE / "pyproject.toml").read_text())
READ_AS = {"attribution": "attribution_ms", "fresh": "fresh_ms", "data": "data_folder", "public_url": "base_url"}
RESERVED = {"lake", "warehouse", "log", "engine", "people", "ledger"}
"""Parts with one body or none: `settings.part` refuses any other, so nothing else needs to ask."""


def settings_table() -> str:
    """Return the table of docs/reference/settings.md."""
    default = Settings()
    rows = [
        f"| `{key}` | `{PREFIX}{key.upper()}` | `{getattr(default, attribute(key))!r}` | {describe(key)} |"
        for key in keys()
    ]
    head = ["| key | variable | default | what it is |", "|---|---|---|---|"]
    return "\n".join(head + [row.replace("'", '"') for row in rows])


def commands() -> list[str]:
    """Return the commands of the CLI as people type them, groups spelled out (`keys list`)."""
    needs(SOURCE / "cli" / "__init__.py")
    return spelled(typer.main.get_command(importlib.import_module("livepost.cli").app))


def spelled(command: object, before: str = "") -> list[str]:
    """Return a command's own name, or those of all below it."""
    if not isinstance(command, TyperGroup):
        return [before]
    context = typer.Context(command)
    below = {name: command.get_command(context, name) for name in command.list_commands(context)}
    return [name for key, sub in below.items() for name in spelled(sub, f"{before} {key}".strip())]


def options(name: str) -> list[str]:
    """Return the options of a command, `--help` aside, each as it stands in a heading."""
    command = typer.main.get_command(importlib.import_module("livepost.cli").app)
    for word in name.split():
        assert isinstance(command, TyperGroup)
        command = command.get_command(typer.Context(command), word)
    return [parameter.opts[0] for parameter in command.params if parameter.param_type_name == "option"]


def literals(call: str, keyword: str) -> set[str]:
    """Return the string literals given as `keyword` in calls of `call` anywhere in the source."""
    return {
        argument.value.value
        for _, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == call
        for argument in node.keywords
        if argument.arg == keyword
        and isinstance(argument.value, ast.Constant)
        and isinstance(argument.value.value, str)
    }


def links(text: str) -> list[str]:
    """Return the targets of relative Markdown links, without anchors."""
    return [target.split("#")[0] for target in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in target]


def test_the_table_of_settings_is_that_of_the_code() -> None:
    text = (REFERENCE / "settings.md").read_text()
    assert settings_table() in text, f"put this table into docs/reference/settings.md:\n{settings_table()}"


def test_no_setting_is_there_that_nobody_reads() -> None:
    needs(SOURCE / "runtime" / "__init__.py")
    read = {
        node.attr
        for path, tree in modules()
        if not path.is_relative_to(SOURCE / "settings")
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
    }
    wanted = {READ_AS.get(key, attribute(key)) for key in keys() if key not in RESERVED}
    assert wanted - read == set()


def test_every_command_is_in_the_reference() -> None:
    text = (REFERENCE / "cli.md").read_text()
    assert [name for name in commands() if f"livepost {name}" not in text] == []


def test_every_option_is_in_the_heading_of_its_command() -> None:
    headings = (REFERENCE / "cli.md").read_text().splitlines()
    missing = [
        f"{name} {option}"
        for name in commands()
        for option in options(name)
        if not any(re.match(rf"## `livepost {name}[ `].*{option}[] `]", f"{line} ") for line in headings)
    ]
    assert missing == []


def test_every_command_of_the_reference_is_there() -> None:
    promised = re.findall(
        r"^## `livepost ([a-z -]+?)(?: [A-Z\[].*)?`", (REFERENCE / "cli.md").read_text(), re.MULTILINE
    )
    names = commands()
    assert [name for name in promised if not any(f"{known} ".startswith(f"{name} ") for known in names)] == []


def test_every_error_is_in_the_reference() -> None:
    text = (REFERENCE / "errors.md").read_text()
    names = [name for name, cls in inspect.getmembers(errors, inspect.isclass) if cls.__module__ == errors.__name__]
    assert [name for name in names if f"`{name}`" not in text] == []


def test_every_code_of_a_refusal_is_in_the_reference() -> None:
    text = "".join(path.read_text() for path in REFERENCE.glob("*.md"))
    assert [code for code in sorted(literals("RejectedError", "code")) if f"`{code}`" not in text] == []


def test_every_reason_for_a_skip_is_in_the_reference() -> None:
    text = "".join(path.read_text() for path in REFERENCE.glob("*.md"))
    assert [reason for reason, _ in REASONS if f"`{reason}`" not in text] == []


def test_every_dependency_is_explained() -> None:
    project = PYPROJECT["project"]
    wanted = project["dependencies"] + [one for extra in project["optional-dependencies"].values() for one in extra]
    names = [re.split(r"[\[<>=; ]", one)[0] for one in wanted]
    text = (DOCS / "explanation" / "dependencies.md").read_text()
    assert [name for name in names if f"| `{name}` |" not in text] == []


def test_every_explained_dependency_is_one() -> None:
    locked = (HOUSE / "requirements" / "test.txt").read_text()
    text = (DOCS / "explanation" / "dependencies.md").read_text()
    named = re.findall(r"^\| `([\w-]+)` \|", text, flags=re.MULTILINE)
    assert named and [name for name in named if f"\n{name}==" not in locked] == []


def test_every_decision_record_is_in_the_index_and_has_its_headings() -> None:
    records = sorted((DOCS / "adr").glob("[0-9]*.md"))
    index = (DOCS / "adr" / "README.md").read_text()
    assert [int(path.name[:4]) for path in records] == list(range(1, len(records) + 1))
    assert [path.name for path in records if f"]({path.name})" not in index] == []
    wanted = ("Status:", "## Context", "## Decision", "## Consequences")
    assert [(path.name, one) for path in records for one in wanted if one not in path.read_text()] == []


def test_the_changelog_begins_with_what_is_not_released_yet() -> None:
    headings = re.findall(r"^## (.+)$", (HOUSE / "CHANGELOG.md").read_text(), flags=re.MULTILINE)
    assert headings[0] == "Unreleased"


@pytest.mark.parametrize(
    "path", [*HOUSE.glob("*.md"), *DOCS.rglob("*.md")], ids=lambda path: str(path.relative_to(HOUSE))
)
def test_every_link_leads_somewhere(path: Path) -> None:
    assert [target for target in links(path.read_text()) if target and not (path.parent / target).exists()] == []


def test_every_file_of_the_docs_is_reached_from_their_first_page() -> None:
    seen, open_pages = set(), [DOCS / "README.md"]
    while open_pages:
        page = open_pages.pop().resolve()
        if page in seen or page.suffix != ".md" or not page.exists():
            continue
        seen.add(page)
        open_pages += [page.parent / target for target in links(page.read_text()) if target]
    assert [str(page) for page in DOCS.rglob("*.md") if page.resolve() not in seen] == []


def test_every_metric_is_in_the_reference() -> None:
    told = set(re.findall(r'"(livepost_[a-z_]+)"', (SOURCE / "ops" / "metrics.py").read_text()))
    text = (REFERENCE / "metrics.md").read_text()
    assert len(told) > 15
    assert [name for name in sorted(told) if f"`{name}`" not in text] == []
