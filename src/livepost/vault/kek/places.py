"""Which places hold the key-encryption keys of a vault, as a small file says once they were moved.

In: places, named as the setting `kek` names them. Out: the same, durably. Promised: the file is there whole, before a
change or after it; no key is in it.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from livepost.errors import SettingsError
from livepost.vault.kek.files import replace

MAX_OLDER = 8
"""Places left behind, whose keys were not destroyed, at most."""


class Places(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where keys are.

    now    the place whose newest key wraps everything
    next   the place they are moving to, "" where they do not move
    made   whether `next` has its key: from then on that one wraps what is new, and a crash changes nothing of it
    older  places left behind, the newest first: their keys open backups of before, until they are destroyed
    seal   the fingerprint of the key by which everything was wrapped last, "" where that is not known
    """

    now: str
    next: str = ""
    made: bool = False
    older: tuple[str, ...] = ()
    seal: str = ""

    def moved(self, seal: str) -> Places:
        """Return what holds when everything is wrapped by the key of `next`."""
        older = (self.now, *(one for one in self.older if one != self.next))
        return Places(self.next, older=older, seal=seal)


class PlacesFile:
    """The file; there is none before keys were moved for the first time."""

    def __init__(self, path: Path) -> None:
        """Take its path."""
        self._path = path

    def read(self) -> Places | None:
        """Return what it says, None where there is none; raise SettingsError where it cannot be read."""
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=Places)
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise SettingsError(
                f"expected in {self._path} where the key-encryption keys are, got something else: {error}; bring it "
                "back from a backup"
            ) from error

    def write(self, places: Places) -> None:
        """Put another in its place, durably; raise SettingsError if that cannot be done."""
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        replace(self._path, msgspec.json.encode(places))
