from pathlib import Path

from livepost.runtime.rights.stores import STORES, store_standings, unclaimed
from tests.unit.runtime.still import THREE_LOOKS, StillHouse, ada, make_project, swept


def test_each_store_is_as_long_as_its_files_and_what_is_not_there_is_not_told(tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "0.db").write_bytes(b"x" * 100)
    (tmp_path / "log" / "0.db-wal").write_bytes(b"x" * 10)
    (tmp_path / "ledger.db").write_bytes(b"x" * 7)
    (tmp_path / "ledger.db-wal").write_bytes(b"x" * 3)
    (tmp_path / "else").write_bytes(b"x" * 1_000)
    found = store_standings(tmp_path)
    assert [(one.name, one.bytes) for one in found] == [("log", 110), ("ledger.db", 10)]
    assert all(one.purpose and one.free_bytes > 0 for one in found)


def test_a_folder_of_folders_is_as_long_as_all_files_in_it(tmp_path: Path) -> None:
    (tmp_path / "snapshots" / "7").mkdir(parents=True)
    (tmp_path / "snapshots" / "7" / "state.db").write_bytes(b"x" * 5)
    assert [(one.name, one.bytes) for one in store_standings(tmp_path)] == [("snapshots", 5)]


OF_ANOTHER_BODY = {"state.rocksdb", "state.rocksdb.images"}
WHERE_ASKED_FOR = {"snapshots", "replay", "webhooks.db", "audiences.db", "feed.json"}
WHERE_PROCESSES_RUN = {"applied", "audit.db", "control.db", "policy.toml", "processes.json"}


def test_a_house_has_no_store_that_is_not_told(tmp_path: Path) -> None:
    house = StillHouse(swept(make_project(tmp_path / "shop")))
    house.take(ada(), *THREE_LOOKS)
    house.work()
    others = OF_ANOTHER_BODY | WHERE_ASKED_FOR | WHERE_PROCESSES_RUN
    assert {one.name for one in store_standings(house.folder.path)} == {store.name for store in STORES} - others
    assert unclaimed(house.folder.path) == []


def test_a_file_that_no_store_claims_is_found(tmp_path: Path) -> None:
    (tmp_path / "lake").mkdir()
    (tmp_path / "ledger.db-wal").touch()
    (tmp_path / "courier-2.json").touch()
    assert unclaimed(tmp_path) == ["lake"]
