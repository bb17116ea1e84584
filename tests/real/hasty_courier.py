"""The negative control: a courier whose book goes on behind a message before its answer is known."""

from __future__ import annotations

from livepost.announce.announcer import Announcer
from livepost.announce.book import Standing
from livepost.announce.notice import Notice
from livepost.cli.courier import main
from livepost.cli.workspace import folder_here

_tell = Announcer._tell


def _hasty(self: Announcer, notice: Notice, standing: Standing) -> None:
    self._book.move(self._target.name, notice.cursor)
    _tell(self, notice, standing)


if __name__ == "__main__":
    Announcer._tell = _hasty  # type: ignore[method-assign]
    main(folder_here())
