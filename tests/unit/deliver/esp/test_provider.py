"""One row a provider, as settings, anymail and docs know it."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from livepost.deliver.esp.provider import PROVIDERS, Provider, provider_of
from livepost.settings.provider import EVERYWHERE, FORMS

PAGE = (Path(__file__).parents[4] / "docs" / "how-to" / "send-through-a-provider.md").read_text()


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda one: one.name)
def test_a_row_names_a_backend_that_anymail_has(provider: Provider) -> None:
    assert hasattr(import_module(f"anymail.backends.{provider.backend}"), "EmailBackend")
    assert provider_of(provider.name) is provider


def test_all_of_anymails_backends_have_a_row() -> None:
    folder = Path(str(import_module("anymail.backends").__file__)).parent
    none_of_theirs = {"__init__", "base", "base_requests", "console", "test", "sendinblue"}
    assert {path.stem for path in folder.glob("*.py")} - none_of_theirs == {one.backend for one in PROVIDERS}


@pytest.mark.parametrize("form", FORMS, ids=lambda one: one.name)
def test_every_option_of_the_settings_is_for_something(form: object) -> None:
    name, options, regions = form.name, form.options, form.regions  # type: ignore[attr-defined]
    provider = provider_of(name)
    used = {*provider.named, *EVERYWHERE, *(["region"] if provider.regions else [])}
    if name == "ses":
        used |= {"region", "user", "set"}
    assert set(options) <= used
    assert set(regions) == set(provider.regions)


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda one: one.name)
def test_the_docs_say_whether_a_contract_was_checked_and_which_key_goes_along(provider: Provider) -> None:
    [row] = [line for line in PAGE.splitlines() if line.startswith(f"| `{provider.name}:`")]
    assert ("*not contract-checked*" in row) == (not provider.contract_checked)
    assert ("contract-checked" in row) and (row.split("|")[5].strip() == "none") == (not provider.once)
