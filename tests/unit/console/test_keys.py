"""The page of keys: what it tells of each, and what it lets whom do."""

from __future__ import annotations

from typing import Any

from livepost.model.principal import Role
from livepost.ops.keyed import Keys, ProgramKey, VaultKey, VaultKeys
from tests.unit.console.told import START, Browser, ToldHouse

PROGRAM = ProgramKey(
    id="0a1b2c3d",
    kind="secret",
    source="server",
    role="privacy_officer",
    scopes=("read:people",),
    made_ms=START,
    used_ms=None,
    expires_ms=None,
    state="valid",
)
VAULT = VaultKeys(place="file", name="", keys=(VaultKey(id="feed", state="seals"),), changed_ms=START, people=1_204)


def keys(*programs: ProgramKey, **vault: Any) -> Keys:
    told = {name: getattr(VAULT, name) for name in VAULT.__struct_fields__}
    return Keys(programs=list(programs), vault=VaultKeys(**{**told, **vault}))


def browser(told: Keys, role: Role = "owner", **also: Any) -> Browser:
    return Browser(ToldHouse(keys=told, **also), role=role)


def test_a_key_says_what_it_may_and_how_it_stands() -> None:
    text = browser(keys(PROGRAM)).get("/keys").text
    assert "0a1b2c3d" in text and "privacy officer" in text and "read:people" in text and "not known" in text
    assert 'value="revoke"' in text
    gone = ProgramKey(**{**{n: getattr(PROGRAM, n) for n in PROGRAM.__struct_fields__}, "state": "revoked"})
    assert 'value="revoke"' not in browser(keys(gone)).get("/keys").text


def test_the_vaults_key_says_where_it_is_and_what_it_wraps() -> None:
    text = browser(keys()).get("/keys").text
    assert "In a file" in text and "1,204 external ids are" in text and "wraps what is new" in text
    assert 'value="rotate"' in text and "livepost keys new write" in text
    moving = keys(
        place="aws-kms",
        name="alias/<x>",
        keys=(VaultKey(id="new", state="seals"), VaultKey(id="old", state="opens"), VaultKey(id="d", state="retired")),
        wrapped=300,
        trouble="the disk is full",
    )
    text = browser(moving).get("/keys").text
    assert "alias/&lt;x&gt;" in text and "still wraps a part" in text and "retired" in text
    assert "300 of 1,204" in text and "the disk is full" in text and 'value="rotate"' not in text


def test_the_page_says_where_a_move_left_keys() -> None:
    assert "Keys that a move left" not in browser(keys()).get("/keys").text
    text = browser(keys(place="transit", name="shop", left=("aws-kms", "file"))).get("/keys").text
    assert "Keys that a move left open backups of before only: wrapped by AWS KMS, in a file." in text
    assert "Transit, key shop" in text


def test_the_forms_do_what_they_say_and_the_audit_is_told_before() -> None:
    done: list[Any] = []
    one = browser(keys(PROGRAM), revoke_key=done.append, rotate_vault_key=lambda: done.append("rotated"))
    assert one.post("/keys", {"act": "revoke", "id": "0a1b2c3d"}).status_code == 200
    assert one.post("/keys", {"act": "rotate"}).status_code == 200
    assert done == ["0a1b2c3d", "rotated"]
    assert [(deed.did, deed.about) for _, deed in one.noted] == [
        ("key.revoked", "key.0a1b2c3d"),
        ("vault_key.rotated", ""),
    ]
    assert one.post("/keys", {"act": "revoke", "id": "../../etc"}).status_code == 400


def test_who_may_only_read_has_no_buttons_and_is_refused() -> None:
    done: list[Any] = []
    one = browser(keys(PROGRAM), "auditor", revoke_key=done.append)
    text = one.get("/keys").text
    assert 'value="revoke"' not in text and 'value="rotate"' not in text
    assert one.post("/keys", {"act": "revoke", "id": "0a1b2c3d"}).status_code == 403
    admin = browser(keys(PROGRAM), "admin", rotate_vault_key=done.append)
    assert 'value="rotate"' not in admin.get("/keys").text
    assert admin.post("/keys", {"act": "rotate"}).status_code == 403
    assert done == []
