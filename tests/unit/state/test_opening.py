from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path

import pytest

from livepost.errors import HeldError, StoreError
from livepost.settings.part import PARTS
from livepost.state.opening import BODIES, open_state, state_name
from livepost.testing.contracts.state import full_step


def test_every_part_that_is_built_has_a_body() -> None:
    (state,) = [part for part in PARTS if part.key == "state"]
    assert set(state.built) == set(BODIES)


@pytest.mark.parametrize("setting", BODIES)
def test_a_state_is_opened_by_one_at_a_time_and_is_its_owners_alone(setting: str, tmp_path: Path) -> None:
    path = tmp_path / state_name(setting)
    with closing(open_state(setting, path)) as state:
        state.commit(full_step(1))
        with pytest.raises(HeldError, match="another engine has the state"):
            open_state(setting, path)
    assert path.stat().st_mode & 0o077 == 0
    with closing(open_state(setting, path)) as state:
        loaded = state.loaded()
        assert loaded and loaded.position == 1


def test_a_library_that_is_not_installed_is_answered_with_the_line_to_type(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "livepost.state.rocksdb", raising=False)
    monkeypatch.setitem(sys.modules, "rocksdict", None)
    with pytest.raises(StoreError, match=r"needs rocksdict.*type: python -m pip install 'livepost\[rocksdb\]'"):
        open_state("rocksdb:", tmp_path / "state")
