"""The naive engine through forgotten people: docs/reference/semantics.md, "Forgetting", in plain Python."""

from __future__ import annotations

from collections.abc import Sequence

from livepost.model.change import told_by
from livepost.model.compiled import Compiled
from livepost.model.forget import Forget
from livepost.model.record import Kind, Record
from tests.oracle.naive import Ending, OracleResult
from tests.oracle.unlinking import Unlinking


class Forgetting(Unlinking):
    """Takes FORGET records, too."""

    def take(self, record: Record) -> Ending | None:
        """Take the next record of the log."""
        if record.kind == Kind.FORGET:
            self.forget(record, told_by(record, Forget))
        return super().take(record)

    def forget(self, record: Record, told: Forget) -> None:
        """Serve what was due, then know nothing of the people any more."""
        people = [self.person_by_subject[one] for one in told.subjects if one in self.person_by_subject]
        for person in {id(each): each for each in people}.values():
            self.serve(person, record.stamp)
            for subject in person.subjects:
                del self.person_by_subject[subject]


def run(compiled: Compiled, records: Sequence[Record], workspace: str) -> OracleResult:
    """Return what the log means."""
    engine = Forgetting(compiled, records, workspace)
    return engine.finish([engine.take(record) for record in records])
