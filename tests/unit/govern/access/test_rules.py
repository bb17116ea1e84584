from __future__ import annotations

from pathlib import Path

import pytest

from livepost.errors import RejectedError, SettingsError
from livepost.govern.access.permission import Permission
from livepost.govern.access.rules import Rules, default_rules, load_rules, too_wide
from livepost.model.principal import ROLES, Principal

READ_LETTERS = Permission("read", "letters")
PERMIT_LETTERS = 'permit (principal == Role::"analyst", action == Action::"read", resource == Kind::"letters");'
FORBID_SENDING = 'forbid (principal == Role::"marketer", action == Action::"send", resource);'


def project(folder: Path, text: str) -> Path:
    (folder / "policies").mkdir()
    (folder / "policies" / "ours.cedar").write_text(text)
    return folder


def who(role: str, *scopes: str) -> Principal:
    return Principal(by="user:1", role=role, scopes=scopes)  # type: ignore[arg-type]


def test_what_no_policy_permits_is_denied() -> None:
    assert not any(Rules("").permits(role, "read", "Kind", "house") for role in ROLES)


def test_a_forbid_is_stronger_than_any_permit() -> None:
    rules = Rules(f"permit (principal, action, resource); {FORBID_SENDING}")
    assert rules.may(who("marketer"), Permission("read", "people"))
    assert not rules.may(who("marketer"), Permission("send", "broadcasts"))


def test_a_project_may_forbid_anything(tmp_path: Path) -> None:
    rules = load_rules(project(tmp_path, FORBID_SENDING))
    assert default_rules().may(who("marketer"), Permission("send", "broadcasts"))
    assert not rules.may(who("marketer"), Permission("send", "broadcasts"))
    assert rules.may(who("admin"), Permission("send", "broadcasts"))


def test_a_project_may_permit_what_it_names(tmp_path: Path) -> None:
    assert not default_rules().may(who("analyst"), READ_LETTERS)
    assert load_rules(project(tmp_path, PERMIT_LETTERS)).may(who("analyst"), READ_LETTERS)


@pytest.mark.parametrize(
    "wide",
    [
        "permit (principal, action, resource);",
        'permit (principal == Role::"analyst", action, resource == Kind::"letters");',
        'permit (principal == Role::"analyst", action == Action::"read", resource);',
        'permit (principal, action == Action::"read", resource == Kind::"letters");',
        'permit (principal == Role::"analyst", action == Action::"read", resource is Kind);',
    ],
)
def test_a_projects_permit_that_names_not_all_three_is_refused(tmp_path: Path, wide: str) -> None:
    with pytest.raises(SettingsError, match="expected each permit to name a role, an action and a resource"):
        load_rules(project(tmp_path, f'@id("wide") {wide}'))
    assert too_wide(f'@id("wide") {wide}') == ["wide"]
    assert too_wide(PERMIT_LETTERS + FORBID_SENDING) == []


@pytest.mark.parametrize(
    "text",
    [
        PERMIT_LETTERS.replace("analyst", "analist"),
        PERMIT_LETTERS.replace("letters", "leters"),
        PERMIT_LETTERS.replace('"read"', '"reed"'),
        "permit (",
    ],
)
def test_a_policy_with_a_word_that_there_is_not_is_refused_with_its_file(tmp_path: Path, text: str) -> None:
    with pytest.raises(SettingsError, match=r"ours\.cedar"):
        load_rules(project(tmp_path, text))


def test_a_project_without_policies_has_ours(tmp_path: Path) -> None:
    rules = load_rules(tmp_path)
    assert rules.roles(READ_LETTERS) == default_rules().roles(READ_LETTERS)


def test_scopes_take_away_and_never_give() -> None:
    rules = default_rules()
    assert rules.may(who("developer", "read:letters"), READ_LETTERS)
    assert not rules.may(who("developer", "read:people"), READ_LETTERS)
    assert not rules.may(who("analyst", "read:letters"), READ_LETTERS)


def test_a_refusal_says_who_may() -> None:
    who_may = r"the role analyst may not \(owner, admin, developer, privacy officer may\)"
    with pytest.raises(RejectedError, match=who_may):
        default_rules().require(who("analyst"), READ_LETTERS)
    with pytest.raises(RejectedError, match="the scope read:letters") as refused:
        default_rules().require(who("owner", "read:people"), READ_LETTERS)
    assert (refused.value.status, refused.value.code) == (403, "role")


def test_what_cedar_cannot_decide_is_denied() -> None:
    rules = Rules('permit (principal == Role::"owner", action, resource);')
    assert not rules.decide("no such role", "read", "Kind", "people")
    assert rules.decide("owner", "read", "Kind", "people")


def test_a_broken_glass_shows_all_to_who_may_break_it_and_nothing_more_to_others() -> None:
    rules = load_rules()
    for role in ROLES:
        plain = Principal(by="user:1", role=role)
        broken = Principal(by="user:1", role=role, glass="ab")
        may = rules.permits(role, "open", "Kind", "glass")
        assert may is (role in ("owner", "admin", "marketer", "analyst", "developer"))
        for field in ("user_id", "email", "first_name", "age", "note"):
            assert rules.sight(broken).how(field) == ("plain" if may else rules.sight(plain).how(field))
    forbidding = Rules(
        "permit (principal, action, resource);"
        'forbid (principal, action == Action::"see", resource);'
        'forbid (principal, action == Action::"open", resource == Kind::"glass");'
    )
    assert forbidding.sight(Principal(by="user:1", role="analyst", glass="ab")).how("email") != "plain"
