"""What goes between the front and a recorder: a batch's body, and the piece of a block made of it."""

from __future__ import annotations

import msgspec

from livepost.intake.plan import NO_SIGNALS
from livepost.intake.record import Arrival
from livepost.model.compiled import Compiled
from livepost.model.consent import SignalRules

JOB = "job"
ADMIT = "admit"
PLAN = "plan"
"""What a recorder asks the front: to take what is done and give more to do; to make subjects of external ids; whose
tracking plan calls are judged by.
"""


class Job(msgspec.Struct, frozen=True, array_like=True):
    """A batch to be read: its body, how it came (`sent_at` is in the body), and which plan it is judged by."""

    number: int
    body: bytes
    arrival: Arrival
    plan: str = ""


class Planned(msgspec.Struct, frozen=True):
    """Whose tracking plan calls are judged by: events and currency; what browsers' signals of consent speak of, and the
    erasure list by which calls are let in. `hash` is another one whenever any of them changed.
    """

    hash: str
    project: Compiled
    erased: dict[bytes, int] = {}
    signals: SignalRules = NO_SIGNALS


class Refusal(msgspec.Struct, frozen=True, array_like=True):
    """Why a body is refused, in the words of RejectedError."""

    message: str
    code: str
    status: int


class Done(msgspec.Struct, frozen=True, array_like=True):
    """What came of a job: the records of all its calls (`packed_piece`), or why it is refused; neither if it failed."""

    number: int
    piece: bytes | None = None
    refusal: Refusal | None = None


class Asked(msgspec.Struct, frozen=True, array_like=True):
    """A recorder, by its process id, asks for more, and tells what came of the jobs it had."""

    recorder: int
    done: list[Done]
