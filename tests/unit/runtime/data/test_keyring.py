import stat
import threading
from pathlib import Path

import msgspec
import pytest

from livepost.clock import MINUTE_MS
from livepost.model.principal import ROLES, SEND_EVENTS, Holder
from livepost.model.record import KeyKind
from livepost.runtime.data import keyring
from livepost.runtime.data.keyring import KEYS_MAX, NAME_MAX, SCOPES_MAX, KeyRing, KeyRingError

NOW_MS = 1_795_296_700_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "keys.json"


def test_a_folder_without_keys_knows_none(path: Path) -> None:
    ring = KeyRing(path)
    assert ring.all() == []
    assert ring.lookup("lp_write_anything") is None


def test_a_new_key_is_found_with_its_source_and_kind(path: Path) -> None:
    ring = KeyRing(path)
    write, secret = ring.new("write", "website", NOW_MS), ring.new("secret", "server", NOW_MS)
    assert ring.lookup(write.key) == ("website", KeyKind.WRITE)
    assert ring.lookup(secret.key) == ("server", KeyKind.SECRET)
    assert [key.made_ms for key in ring.all()] == [NOW_MS, NOW_MS]


def test_a_key_that_differs_in_its_last_character_is_not_found(path: Path) -> None:
    ring = KeyRing(path)
    key = ring.new("write", "website", NOW_MS).key
    assert ring.lookup(key[:-1] + ("a" if key[-1] != "a" else "b")) is None
    assert ring.lookup("") is None


def test_a_revoked_key_is_not_valid_and_stays_listed(path: Path) -> None:
    ring = KeyRing(path)
    made = ring.new("write", "website", NOW_MS)
    ring.revoke(made.stored.id, NOW_MS + 1)
    assert ring.lookup(made.key) is None
    assert [key.revoked_ms for key in ring.all()] == [NOW_MS + 1]


def test_what_another_process_changed_is_seen_at_the_next_lookup(path: Path) -> None:
    here, there = KeyRing(path), KeyRing(path)
    made = there.new("secret", "server", NOW_MS)
    assert here.lookup(made.key) == ("server", KeyKind.SECRET)
    there.revoke(made.stored.id, NOW_MS)
    assert here.lookup(made.key) is None


def test_keys_are_invalid_once_their_file_is_gone(path: Path) -> None:
    ring = KeyRing(path)
    key = ring.new("write", "website", NOW_MS).key
    path.unlink()
    assert ring.lookup(key) is None


def test_keys_made_at_the_same_time_are_all_kept(path: Path) -> None:
    rings = [KeyRing(path) for _ in range(8)]
    threads = [threading.Thread(target=ring.new, args=("write", f"site-{n}", NOW_MS)) for n, ring in enumerate(rings)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(key.source for key in KeyRing(path).all()) == [f"site-{n}" for n in range(8)]


def test_only_the_owner_can_read_the_file(path: Path) -> None:
    KeyRing(path).new("write", "website", NOW_MS)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_secret_key_is_not_in_the_file_and_a_write_key_is(path: Path) -> None:
    ring = KeyRing(path)
    secret, write = ring.new("secret", "server", NOW_MS), ring.new("write", "website", NOW_MS)
    kept = path.read_text()
    assert secret.key not in kept and secret.key[14:] not in kept
    assert write.key in kept


def test_an_unknown_id_cannot_be_revoked(path: Path) -> None:
    with pytest.raises(KeyRingError, match="there is no key 0000; `livepost keys list` shows them"):
        KeyRing(path).revoke("0000", NOW_MS)


@pytest.mark.parametrize("source", ["", "x" * (NAME_MAX + 1)])
def test_a_source_needs_a_name_within_its_bound(path: Path, source: str) -> None:
    with pytest.raises(KeyRingError, match=f"1 to {NAME_MAX} characters, got {len(source)}"):
        KeyRing(path).new("write", source, NOW_MS)
    assert not path.exists()


def test_a_name_at_its_bound_is_taken(path: Path) -> None:
    assert KeyRing(path).new("write", "x" * NAME_MAX, NOW_MS).stored.source == "x" * NAME_MAX


def test_a_new_key_at_the_bound_takes_the_place_of_the_one_revoked_first(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyring, "KEYS_MAX", 3)
    ring = KeyRing(path)
    ids = [ring.new("write", "website", NOW_MS).stored.id for _ in range(3)]
    with pytest.raises(KeyRingError, match="at most 3 valid keys; revoke one"):
        ring.new("write", "website", NOW_MS)
    ring.revoke(ids[2], NOW_MS + 1)
    ring.revoke(ids[0], NOW_MS + 2)
    newest = ring.new("write", "website", NOW_MS).stored.id
    assert [key.id for key in ring.all()] == [ids[0], ids[1], newest]


def test_there_is_a_bound() -> None:
    assert KEYS_MAX == 1000


def test_a_key_expires_without_anybody_changing_the_file(path: Path) -> None:
    clock = [NOW_MS]
    ring = KeyRing(path, lambda: clock[0])
    made = ring.new("secret", "server", NOW_MS, expires_ms=NOW_MS + 1_000)
    lasting = ring.new("secret", "till", NOW_MS)
    assert ring.lookup(made.key) == ("server", KeyKind.SECRET)
    clock[0] += 1_000
    assert (ring.lookup(made.key), ring.holder(made.key)) == (None, None)
    assert ring.holder(lasting.key) == Holder("till", secret=True)


def test_a_key_that_is_held_to_scopes_sends_events_only_with_that_of_events(path: Path) -> None:
    ring = KeyRing(path)
    reads = ring.new("secret", "till", NOW_MS, ("read:people",))
    sends = ring.new("secret", "shop", NOW_MS, ("read:people", SEND_EVENTS))
    assert (ring.lookup(reads.key), ring.lookup(sends.key)) == (None, ("shop", KeyKind.SECRET))
    assert ring.holder(reads.key) == Holder("till", secret=True, scopes=("read:people",))
    assert ring.holder(ring.new("write", "site", NOW_MS).key) == Holder("site", secret=False)


def test_scopes_are_words_of_secret_keys(path: Path) -> None:
    ring = KeyRing(path)
    with pytest.raises(KeyRingError, match="for a write key"):
        ring.new("write", "site", NOW_MS, ("read:people",))
    for scope in ("read people", "*", "read:persons"):
        with pytest.raises(KeyRingError, match="like read:people"):
            ring.new("secret", "till", NOW_MS, (scope,))
    with pytest.raises(KeyRingError, match=r"did you mean send:events\?"):
        ring.new("secret", "till", NOW_MS, ("send:event",))
    with pytest.raises(KeyRingError, match="at most"):
        ring.new("secret", "till", NOW_MS, ("read:people",) * (SCOPES_MAX + 1))


def test_a_secret_key_has_a_role_and_a_write_key_has_none(path: Path) -> None:
    ring = KeyRing(path)
    made = ring.new("secret", "reports", NOW_MS, role="analyst")
    assert ring.holder(made.key) == Holder("reports", secret=True, role="analyst")
    assert ring.all()[0].role == "analyst"
    with pytest.raises(KeyRingError, match="no role for a write key"):
        ring.new("write", "site", NOW_MS, role="owner")


def test_events_are_sent_by_keys_whose_role_may(path: Path) -> None:
    ring = KeyRing(path)
    for role in ROLES:
        made = ring.new("secret", role, NOW_MS, role=role)
        assert (ring.lookup(made.key) is not None) == (role in ("owner", "admin", "developer"))
    with pytest.raises(KeyRingError, match="may send events"):
        ring.new("secret", "till", NOW_MS, ("send:events",), role="auditor")


def test_the_use_of_a_key_is_known_to_the_minute_by_all_processes(path: Path) -> None:
    now = [NOW_MS]
    ring, other = KeyRing(path, lambda: now[0]), KeyRing(path)
    sends, reads = ring.new("write", "site", NOW_MS), ring.new("secret", "till", NOW_MS)
    assert other.used_ms(sends.stored.id) is None
    ring.lookup(sends.key)
    now[0] += MINUTE_MS
    ring.holder(reads.key)
    ring.lookup("lp_write_another")
    minute_ms = NOW_MS - NOW_MS % MINUTE_MS
    assert (other.used_ms(sends.stored.id), other.used_ms(reads.stored.id)) == (minute_ms, minute_ms + MINUTE_MS)


def test_keys_of_before_scopes_are_read(path: Path) -> None:
    made = KeyRing(path).new("secret", "server", NOW_MS)
    told = msgspec.json.decode(path.read_bytes())
    for key in told:
        del key["scopes"], key["expires_ms"], key["role"]
    path.write_bytes(msgspec.json.encode(told))
    assert KeyRing(path).holder(made.key) == Holder("server", secret=True)
