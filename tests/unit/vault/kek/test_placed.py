"""Keys of a vault on disk moved from place to place: a file, AWS KMS (moto plays it), Transit as its reference says."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import boto3
import msgspec
import pytest
from moto import mock_aws

from livepost.errors import SettingsError, StoreError
from livepost.vault.base import USER, ExternalId
from livepost.vault.kek import places, plain, rotation, wrapped
from livepost.vault.kek.base import KekStore
from livepost.vault.kek.kms import Kms
from livepost.vault.kek.memory import MemoryKeks
from livepost.vault.kek.placed import Keeper, PlacedKeks
from livepost.vault.kek.places import MAX_OLDER, Places, PlacesFile
from livepost.vault.kek.plain import FileKeks, VariableKeks
from livepost.vault.kek.rotation import START, Wrapping
from livepost.vault.kek.transit import Transit, TransitServer
from livepost.vault.kek.wrapped import WrappedKeks
from livepost.vault.sqlite import SqliteVault

PEOPLE = 25
STEP = 10
FILE, TRANSIT = "file:kek", "transit:livepost"


class Said(msgspec.Struct, frozen=True):
    status: int
    body: bytes


class Engine:
    """A Transit engine: gives a key a ciphertext, and the key back for it, in the words of HashiCorp's reference."""

    def __init__(self) -> None:
        self.keys: dict[str, str] = {}

    def __call__(self, url: str, body: bytes, headers: Mapping[str, str]) -> Said:
        told = msgspec.json.decode(body)
        if url.endswith("/v1/transit/decrypt/livepost"):
            return self._said(plaintext=self.keys[told["ciphertext"]])
        assert (url.endswith("/v1/transit/datakey/plaintext/livepost"), told) == (True, {"bits": 256})
        ciphertext = f"vault:v1:{len(self.keys)}"
        self.keys[ciphertext] = base64.b64encode(os.urandom(32)).decode()
        return self._said(plaintext=self.keys[ciphertext], ciphertext=ciphertext)

    def _said(self, **data: str) -> Said:
        return Said(200, msgspec.json.encode({"data": data}))


class Ground:
    """A folder with a vault, and the places its keys may be in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.engine = Engine()
        self.kms = f"aws-kms:{boto3.client('kms').create_key()['KeyMetadata']['KeyId']}"

    def store(self, setting: str) -> PlacedKeks:
        return PlacedKeks(setting, PlacesFile(self.folder / "kek.places"), self.keeper)

    def keeper(self, place: str) -> Keeper:
        kind, _, name = place.partition(":")
        if kind == "file":
            return FileKeks(self.folder / name)
        if kind == "env":
            return VariableKeks(name)
        server = TransitServer(address="https://vault.example.com", token="hvs.token")
        service = Kms(name, "shop") if kind == "aws-kms" else Transit(name, server, self.engine)
        return WrappedKeks(self.folder / "kek.wrapped", service)

    def vault(self, keks: KekStore, *, readonly: bool = True) -> SqliteVault:
        return SqliteVault(self.folder / "vault.db", keks, readonly=readonly)

    def begin(self, place: str) -> None:
        """Make a key in a place, and a vault with people wrapped by it."""
        store = self.store(place)
        store.make_first(is_new=True)
        with closing(self.vault(store, readonly=False)) as vault:
            for number in range(PEOPLE):
                vault.admit([ExternalId(USER, f"u{number}")])
            vault.commit()

    def move(self, setting: str, to: str, wrapping: Callable[[SqliteVault], Wrapping] = lambda one: one) -> None:
        """Move the keys as a command does while no house runs."""
        with closing(self.vault(self.store(setting), readonly=False)) as vault:
            self.store(setting).move(to)
            for _ in rotation.steps(self.store(setting), wrapping(vault), STEP):
                pass

    def known(self, keks: KekStore) -> int:
        """Return how many people a vault opened with these keys knows, each with their key."""
        with closing(self.vault(keks)) as vault:
            return sum(vault.find(ExternalId(USER, f"u{number}")) is not None for number in range(PEOPLE))

    def alone(self, place: str) -> MemoryKeks:
        """Return the newest key of a place, without any other."""
        return MemoryKeks(self.keeper(place).read()[0].key)

    def require_moved(self, before: str, to: str) -> None:
        """Hold that all is wrapped by the newest key of a place, and nothing by one of the place before."""
        assert self.known(self.alone(to)) == PEOPLE
        with pytest.raises(StoreError, match="does not open"):
            self.known(self.alone(before))
        told = PlacesFile(self.folder / "kek.places").read()
        assert told is not None and (told.now, told.next, before in told.older) == (to, "", True)
        assert not rotation.is_under_way(self.store(to))


@pytest.fixture
def ground(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ground]:
    for name, value in {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with mock_aws():
        yield Ground(tmp_path)


def test_keys_move_from_a_file_to_kms_to_transit_and_back_into_a_file(ground: Ground) -> None:
    ground.begin(FILE)
    ground.move(FILE, ground.kms)
    ground.require_moved(FILE, ground.kms)
    ground.move(ground.kms, TRANSIT)
    ground.require_moved(ground.kms, TRANSIT)
    ground.move(TRANSIT, FILE)
    assert ground.known(ground.alone(FILE)) == PEOPLE
    assert [one.retired for one in ground.keeper(FILE).read()] == [False, True]
    assert ground.store(FILE).older == (TRANSIT, ground.kms)
    assert ground.known(ground.store(FILE)) == PEOPLE


def test_a_key_of_kms_moves_to_another_and_into_a_variable(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    other = f"aws-kms:{boto3.client('kms').create_key()['KeyMetadata']['KeyId']}"
    ground.begin(ground.kms)
    ground.move(ground.kms, other)
    ground.require_moved(ground.kms, other)
    monkeypatch.setenv("SHOP_KEK", base64.b64encode(os.urandom(32)).decode())
    ground.move(other, "env:SHOP_KEK")
    ground.require_moved(other, "env:SHOP_KEK")


class Killed(BaseException):
    """What a SIGKILL is to the process it ends: nothing behind it is done."""


class Kills:
    """Kills at one of the points at which something durable was or was not done."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.left = -1
        for module, name in (
            (plain, "replace"),
            (plain, "write_new"),
            (wrapped, "replace"),
            (wrapped, "write_new"),
            (places, "replace"),
        ):
            monkeypatch.setattr(module, name, self.around(getattr(module, name)))

    def around(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def called(*arguments: Any) -> Any:
            self.point()
            told = call(*arguments)
            self.point()
            return told

        return called

    def point(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise Killed


class Dying:
    """A vault whose process may be killed before and behind each of its transactions."""

    def __init__(self, vault: SqliteVault, kills: Kills) -> None:
        self._wrap_anew = kills.around(vault.wrap_anew)

    def wrap_anew(self, after: int = START, limit: int = STEP) -> int | None:
        last: int | None = self._wrap_anew(after, limit)
        return last


WAYS: dict[str, Callable[[Ground], tuple[str, ...]]] = {
    "a file to KMS": lambda ground: (FILE, ground.kms),
    "KMS to Transit": lambda ground: (ground.kms, TRANSIT),
    "Transit to a file": lambda ground: (TRANSIT, FILE),
    "back into the file": lambda ground: (FILE, TRANSIT, FILE),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_move_killed_at_any_step_leaves_everybody_to_be_opened_and_is_gone_on_with(
    tmp_path: Path, ground: Ground, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    kills, points = Kills(monkeypatch), 0
    while True:
        points += 1
        here = Ground(tmp_path / str(points))
        here.folder.mkdir()
        *earlier, before, to = WAYS[way](here)
        here.begin([*earlier, before][0])
        for place in earlier:
            here.move(place, before)
        kills.left = points
        try:
            here.move(before, to, lambda vault: Dying(vault, kills))
        except Killed:
            kills.left = -1
        else:
            break
        assert here.known(here.store(before)) == PEOPLE
        note = PlacesFile(here.folder / "kek.places").read()
        if note is not None:  # whoever wrote the new setting too early is not misled
            assert here.known(here.store(to)) == PEOPLE
        if note is None or note.now != to:
            here.move(before, to)
        here.require_moved(before, to)
    assert points == 17  # two writes to the note and one of the key, three steps, retiring and the note, twice each


class Skipping:
    """A vault that leaves out the second step, as one would whose walk jumps."""

    def __init__(self, vault: SqliteVault) -> None:
        self._vault = vault

    def wrap_anew(self, after: int = START, limit: int = STEP) -> int | None:
        return after + limit if after == STEP else self._vault.wrap_anew(after, limit)


def test_a_step_left_out_is_found(ground: Ground) -> None:
    ground.begin(FILE)
    ground.move(FILE, ground.kms, Skipping)
    with pytest.raises(StoreError, match="does not open"):
        ground.require_moved(FILE, ground.kms)


def test_who_reads_all_the_while_finds_everybody_without_being_told(ground: Ground) -> None:
    ground.begin(FILE)
    with (
        closing(ground.vault(ground.store(FILE))) as reader,
        closing(ground.vault(ground.store(FILE), readonly=False)) as vault,
    ):
        ground.store(FILE).move(ground.kms)
        vault.admit([ExternalId(USER, "new")])
        for step, _ in enumerate(rotation.steps(ground.store(FILE), vault, STEP)):
            vault.admit([ExternalId(USER, f"new {step}")])
            for number in range(PEOPLE):
                assert reader.find(ExternalId(USER, f"u{number}")) is not None
        vault.commit()
        assert reader.find(ExternalId(USER, "new")) is not None
    with closing(ground.vault(ground.alone(ground.kms))) as after:
        assert after.find(ExternalId(USER, "new 0")) is not None


def test_places_left_behind_are_not_asked_until_their_keys_are_destroyed(ground: Ground) -> None:
    ground.begin(TRANSIT)
    ground.move(TRANSIT, FILE)
    ground.engine.keys, kept = {}, ground.engine.keys  # an engine that answers nothing any more
    assert ground.known(ground.store(FILE)) == PEOPLE
    with pytest.raises(KeyError):
        ground.store(FILE).retired()
    ground.engine.keys = kept
    [left] = ground.store(FILE).retired()
    assert left.key == ground.keeper(TRANSIT).read()[0].key and left.retired
    assert ground.store(FILE).destroy() == 1
    assert not (ground.folder / "kek.wrapped").exists()
    assert (ground.store(FILE).retired(), ground.store(FILE).older, ground.store(FILE).destroy()) == ([], (), 0)
    assert ground.known(ground.store(FILE)) == PEOPLE


def test_destroying_leaves_the_lines_of_the_service_that_wraps(ground: Ground) -> None:
    ground.begin(ground.kms)
    ground.move(ground.kms, TRANSIT)
    assert len((ground.folder / "kek.wrapped").read_bytes().splitlines()) == 2
    assert ground.store(TRANSIT).destroy() == 1
    assert len((ground.folder / "kek.wrapped").read_bytes().splitlines()) == 1
    assert ground.known(ground.store(TRANSIT)) == PEOPLE


def test_a_variable_left_behind_is_taken_out_by_hand_before_anything_is_destroyed(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_KEK", base64.b64encode(os.urandom(32)).decode())
    ground.begin("env:SHOP_KEK")
    ground.move("env:SHOP_KEK", FILE)
    ground.move(FILE, TRANSIT)
    with pytest.raises(SettingsError, match="take it out of the environment"):
        ground.store(TRANSIT).destroy()
    assert (ground.folder / "kek").exists()
    monkeypatch.delenv("SHOP_KEK")
    assert ground.store(TRANSIT).destroy() == 1
    assert not (ground.folder / "kek").exists()


def test_a_setting_that_names_where_keys_were_is_refused_at_a_start_with_what_to_write(ground: Ground) -> None:
    ground.begin(FILE)
    ground.store(FILE).require_agreed()
    ground.move(FILE, TRANSIT)
    ground.store(TRANSIT).require_agreed()
    with pytest.raises(SettingsError, match='were moved; write kek = "transit:livepost"') as error:
        ground.store(FILE).require_agreed()
    assert "`livepost keys move file:kek`" in str(error.value)
    assert ground.known(ground.store(FILE)) == PEOPLE  # a process of the house that runs is not stopped by it


def test_a_setting_that_names_a_place_of_other_keys_is_refused(ground: Ground) -> None:
    ground.begin(FILE)
    ground.move(FILE, TRANSIT)
    FileKeks(ground.folder / "another").make()
    with pytest.raises(SettingsError, match=r'open nothing of this vault.*write kek = "transit:livepost"'):
        ground.store("file:another").read()
    ground.store(TRANSIT).move("file:third")
    with pytest.raises(SettingsError, match="move from transit:livepost to file:third; name one of these"):
        ground.store("file:another").read()


def test_a_file_that_was_moved_by_hand_since_is_taken(ground: Ground) -> None:
    ground.begin(TRANSIT)
    ground.move(TRANSIT, FILE)
    (ground.folder / "kek").rename(ground.folder / "elsewhere")
    assert ground.known(ground.store("file:elsewhere")) == PEOPLE
    store = ground.store("file:elsewhere")
    with closing(ground.vault(store, readonly=False)) as vault:
        rotation.begin(store)
        list(rotation.steps(store, vault))
    told = PlacesFile(ground.folder / "kek.places").read()
    assert told is not None
    assert told == Places("file:elsewhere", older=(TRANSIT,), seal=told.seal)
    assert ground.known(ground.store("file:elsewhere")) == PEOPLE


def test_a_vault_is_not_given_a_second_first_key(ground: Ground) -> None:
    ground.begin(FILE)
    with pytest.raises(SettingsError, match="expected the key of the vault in transit:livepost, got none"):
        ground.store(TRANSIT).make_first(is_new=False)
    assert not (ground.folder / "kek.wrapped").exists()
    ground.store(FILE).make_first(is_new=False)


def test_keys_do_not_move_to_where_they_are_to_a_used_file_or_to_a_second_place_at_once(ground: Ground) -> None:
    ground.begin(FILE)
    store = ground.store(FILE)
    with pytest.raises(SettingsError, match="are in file:kek already"):
        store.move(FILE)
    FileKeks(ground.folder / "another").make()
    with pytest.raises(SettingsError, match="keys in file:another already, which are not of this vault"):
        store.move("file:another")
    store.move(TRANSIT)
    store.move(TRANSIT)
    assert len(ground.engine.keys) == 1
    with pytest.raises(SettingsError, match="move to transit:livepost already"):
        store.move("file:third")


def test_a_variable_is_moved_to_with_one_new_key(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    ground.begin(FILE)
    with pytest.raises(SettingsError, match="in the variable SHOP_KEK, got none"):
        ground.store(FILE).move("env:SHOP_KEK")
    old = base64.b64encode(ground.keeper(FILE).read()[0].key).decode()
    new = base64.b64encode(os.urandom(32)).decode()
    for told in (old, f"{new} {old}"):
        monkeypatch.setenv("SHOP_KEK", told)
        with pytest.raises(SettingsError, match="expected in env:SHOP_KEK one key, which is new"):
            ground.store(FILE).move("env:SHOP_KEK")
    assert ground.known(ground.store(FILE)) == PEOPLE
    monkeypatch.setenv("SHOP_KEK", new)
    ground.move(FILE, "env:SHOP_KEK")
    ground.require_moved(FILE, "env:SHOP_KEK")


def test_another_place_is_taken_where_the_first_gave_no_key(ground: Ground) -> None:
    ground.begin(FILE)
    with pytest.raises(SettingsError, match="did not generate data key"):
        ground.store(FILE).move("aws-kms:alias/none")
    assert ground.known(ground.store(FILE)) == PEOPLE
    ground.move(FILE, TRANSIT)
    ground.require_moved(FILE, TRANSIT)
    assert ground.store(TRANSIT).destroy() == 1
    assert ground.store(TRANSIT).older == ()


def test_keys_are_left_in_so_many_places_and_no_more(ground: Ground) -> None:
    ground.begin("file:0")
    for number in range(MAX_OLDER):
        ground.move(f"file:{number}", f"file:{number + 1}")
    with pytest.raises(SettingsError, match=f"left in {MAX_OLDER} places already"):
        ground.store(f"file:{MAX_OLDER}").move("file:one-more")
    assert len(ground.store(f"file:{MAX_OLDER}").retired()) == MAX_OLDER
    assert ground.store(f"file:{MAX_OLDER}").destroy() == MAX_OLDER
    ground.store(f"file:{MAX_OLDER}").move("file:one-more")
