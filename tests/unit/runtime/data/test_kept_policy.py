"""A wider policy.toml is in force once it was approved, and not before."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from livepost.audit.entry import decoded
from livepost.audit.sqlite import SqliteAudit
from livepost.cli.four_eyes import four_eyes_of, take_policy_here
from livepost.control.users import Users
from livepost.errors import SettingsError, StoreError
from livepost.model.principal import Role
from livepost.runtime.author.project import load_project
from livepost.runtime.data.folder import DataFolder
from livepost.runtime.data.kept_policy import TAKEN_AWAY, home_of, is_changed, keep_home, take_policy, wider
from livepost.settings.load import load
from livepost.settings.policy import Policy, load_policy
from tests.unit.runtime.still import STARTER, make_project

PAGE = (STARTER / "policy.toml").read_text()
WIDER = PAGE.replace("hosts = [", 'hosts = ["crm.example", ', 1)
WIDEST = PAGE.replace("hosts = [", 'hosts = ["crm.example", "more.example", ', 1)
ADMINS = 'permit (principal == Role::"admin", action == Action::"approve", resource == Kind::"policies");\n'


class Shop:
    """A project that promises something, its data folder, and users who could approve."""

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.home = make_project(path / "shop")
        self.write(PAGE)
        monkeypatch.chdir(self.home)
        self.settings = load(self.home, {}).settings
        self.folder = DataFolder(self.settings)
        self.folder.prepare()
        self.users: list[str] = []

    def write(self, page: str) -> None:
        (self.home / "policy.toml").write_text(page)

    def invite(self, *roles: Role) -> None:
        with closing(self.folder.control()) as store:
            users = Users(store, bytes(32))
            self.users = [f"user:{users.add(f'u{i}', f'u{i}@e.example', one, i).id}" for i, one in enumerate(roles)]

    def approve(self) -> None:
        with four_eyes_of(self.folder) as desk:
            for user in self.users:
                desk.approve(desk.approvals.listed()[0].id, user)

    def in_force(self) -> Policy | None:
        return load_project(self.home, self.settings).policy

    def noted(self) -> list[str]:
        with closing(SqliteAudit(self.folder.audit_file, self.settings.workspace, readonly=True)) as audit:
            return [decoded(one.body).did for one in audit.stored()]


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    shop = Shop(tmp_path, monkeypatch)
    assert take_policy_here(shop.folder) == "", "the first page relaxes nothing"
    return shop


@pytest.fixture
def two(shop: Shop) -> Iterator[Shop]:
    shop.invite("owner", "privacy_officer")
    yield shop


def test_what_is_wider_waits_for_two_users_and_is_then_taken(two: Shop) -> None:
    before = two.in_force()
    two.write(WIDER)
    told = take_policy_here(two.folder)
    assert told.startswith("policy.toml is relaxed, and the house goes by the one before: this waits for approval as ")
    assert two.in_force() == before != load_policy(two.home)
    with four_eyes_of(two.folder) as desk:
        [asked] = desk.approvals.listed()
    assert (asked.kind, asked.told) == ("policy", ("policy.toml is relaxed. hosts: crm.example is added.",))
    two.approve()
    assert two.in_force() == before, "it was approved, and not taken yet"
    assert take_policy_here(two.folder) == ""
    assert two.in_force() == load_policy(two.home) != before
    assert two.noted() == ["policy.taken", "approval.asked", "approval.used", "policy.taken"]


def test_an_approval_holds_for_that_page_alone_and_once(two: Shop) -> None:
    two.write(WIDER)
    take_policy_here(two.folder)
    two.approve()
    two.write(WIDEST)
    assert "waits for approval" in take_policy_here(two.folder)
    two.write(WIDER)
    assert take_policy_here(two.folder) == ""
    two.write(PAGE)
    assert take_policy_here(two.folder) == "", "it is stricter"
    two.write(WIDER)
    assert "waits for approval" in take_policy_here(two.folder), "the approval is used up"


def test_what_is_stricter_or_in_other_words_is_taken_at_once(two: Shop) -> None:
    for page in (PAGE + "\n# said again\n", PAGE.replace('retention = "365d"', 'retention = "30d"')):
        two.write(page)
        assert is_changed(two.folder, two.home)
        assert take_policy_here(two.folder) == ""
        assert two.in_force() == load_policy(two.home)
        assert not is_changed(two.folder, two.home)


def test_a_page_that_is_taken_away_waits_too(two: Shop) -> None:
    (two.home / "policy.toml").unlink()
    assert wider(two.folder, two.home) == [TAKEN_AWAY]
    assert "waits for approval" in take_policy_here(two.folder)
    assert two.in_force() is not None
    two.approve()
    assert take_policy_here(two.folder) == ""
    assert two.in_force() is None


def test_in_a_house_of_one_it_is_taken_and_the_audit_says_alone(shop: Shop) -> None:
    shop.invite("owner")
    shop.write(WIDER)
    assert take_policy_here(shop.folder) == ""
    assert shop.in_force() == load_policy(shop.home)
    assert shop.noted() == ["policy.taken", "approval.alone", "policy.taken"]


def test_without_the_question_it_would_be_in_force_at_once(two: Shop) -> None:
    """The negative control of all that waits."""
    two.write(WIDER)
    take_policy(two.folder, two.home, lambda wanted: None, lambda: None)
    assert two.in_force() == load_policy(two.home)


def test_a_page_that_does_not_fit_changes_nothing(two: Shop) -> None:
    before = two.in_force()
    two.write("[controller")
    with pytest.raises(SettingsError, match="not TOML"):
        take_policy_here(two.folder)
    two.write(PAGE)
    assert two.in_force() == before


def test_a_crash_leaves_the_page_before_whole(two: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    before = two.in_force()

    def full(self: Path, target: Path) -> Path:
        raise OSError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", full)
        two.write(PAGE + "\n# more\n")
        with pytest.raises(StoreError, match=r"policy\.toml cannot be written"):
            take_policy_here(two.folder)
    assert two.in_force() == before


def test_rules_are_those_of_the_houses_project_whatever_folder_one_stands_in(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (shop.home / "policies").mkdir()
    (shop.home / "policies" / "admins.cedar").write_text(ADMINS)
    shop.invite("owner", "admin")
    shop.write(WIDER)
    keep_home(shop.folder, shop.home)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "policy.toml").write_text(WIDER)
    monkeypatch.chdir(elsewhere)
    assert "two users" in take_policy_here(shop.folder)
    shop.folder.home_file.unlink()
    assert take_policy_here(shop.folder) == "", "the control: by this folder's rules only one could approve"


def test_a_project_that_is_not_there_any_more_is_said(shop: Shop, tmp_path: Path) -> None:
    assert home_of(shop.folder, tmp_path) == tmp_path
    keep_home(shop.folder, tmp_path / "gone")
    with pytest.raises(StoreError, match="where it ran last, found no folder"):
        home_of(shop.folder, tmp_path)
