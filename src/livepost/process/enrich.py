"""Step 5, enrich: join to each event the facts that came with it. Facts are in the record, put there at collect, so
that nothing is looked up here; today that is what a person said about consent."""

from __future__ import annotations

from livepost.process.batch import Batch


def enrich(batch: Batch) -> None:
    """Join consents (purpose -> allowed) to the events that carry them."""
    for place, context in batch.context.items():
        consent = context.get("consent")
        if consent and batch.alive[place]:
            batch.consents[place] = consent
