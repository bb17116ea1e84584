"""`policy.toml`: what does not fit is refused with its place; a field of which nothing is said has no purpose."""

from __future__ import annotations

from pathlib import Path

import pytest

from livepost.clock import DAY_MS
from livepost.errors import SettingsError
from livepost.settings.policy import Policy, load_policy

WHOLE = """
[controller]
name = "The Corner Shop"
contact = "privacy@corner-shop.example"

[purposes.service]
text = "Your orders, and mails about them"
basis = "contract"
retention = "3650d"

[fields."Identified.email"]
purposes = ["service"]
retention = "730d"
mask = "partial"
"""


def loaded(folder: Path, text: str) -> Policy:
    (folder / "policy.toml").write_text(text)
    policy = load_policy(folder)
    assert policy is not None
    return policy


def test_a_project_without_the_file_promises_nothing(tmp_path: Path) -> None:
    assert load_policy(tmp_path) is None


def test_a_field_has_what_is_said_of_it_and_what_the_defaults_say(tmp_path: Path) -> None:
    policy = loaded(tmp_path, WHOLE + '[defaults]\nretention = "30d"\nowner = "privacy@corner-shop.example"\n')
    email = policy.of_field("Identified.email")
    assert (email.purposes, email.retention_ms, email.mask) == (("service",), 730 * DAY_MS, "partial")
    assert email.owner == "privacy@corner-shop.example"
    phone = policy.of_field("Identified.phone")
    assert (phone.purposes, phone.retention_ms, phone.mask) == ((), 30 * DAY_MS, "hide")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("[controller", "is not TOML"),
        (WHOLE.replace('"contract"', '"because"'), r"\$.purposes\[...\].basis"),
        (WHOLE.replace('"730d"', '"2 years"'), r"\$.fields\[...\]"),
        (WHOLE + "[surprises]\n", "surprises"),
        (WHOLE.replace("name =", "title ="), r"\$.controller"),
        ("x" * 1_000_001, "at most 1000000"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(tmp_path: Path, text: str, place: str) -> None:
    with pytest.raises(SettingsError, match=place):
        loaded(tmp_path, text)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "policy.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match="UTF-8"):
        load_policy(tmp_path)
