"""What people may do with a running house besides looking at it: replay its dead letters.

In: wishes of the console, from any thread. Out: what came of them. Promised: what changes the house is done in the
front's event loop, by the front's own hands.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from livepost.errors import StoreError
from livepost.ledger.base import Ledger
from livepost.model.letter import Replay, Replayed
from livepost.observe.rates import Rates
from livepost.runtime.folder import DataFolder
from livepost.runtime.looking import Looking
from livepost.runtime.project import Project

REPLAY_S = 30.0
"""How long a wish may take: the engine has to fold what was replayed before."""


class Tending(Looking):
    """Looks at a house and tends it; made within the front's event loop."""

    def __init__(
        self,
        folder: DataFolder,
        project: Project,
        ledger: Ledger,
        rates: Rates,
        trouble: Callable[[], str | None],
        *,
        outcomes: Callable[[], int],
        replay: Callable[[Replay], Coroutine[Any, Any, Replayed]],
        home: Path | None = None,
    ) -> None:
        """Take what `Looking` takes, and who replays letters in this event loop."""
        super().__init__(folder, project, ledger, rates, trouble, outcomes=outcomes, home=home)
        self._loop = asyncio.get_running_loop()
        self._replay = replay

    def replay(self, wish: Replay) -> Replayed:
        """Replay a dead letter, or say why not; from another thread than the event loop's.

        Raises RejectedError for a call that is none, OverloadedError if too many wish, StoreError if it takes longer
        than REPLAY_S: it may then be replayed or not, and asking again does not do it twice.
        """
        answer = asyncio.run_coroutine_threadsafe(self._replay(wish), self._loop)
        try:
            return answer.result(REPLAY_S)
        except TimeoutError:
            raise StoreError(
                f"expected the letter to be replayed within {REPLAY_S:g} s, it was not; look at it again before you ask"
            ) from None
