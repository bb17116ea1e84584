"""Parity: people recomputed with DuckDB from the log's records, compared with the live state value by value.

Reads blocks and `PersonView`s; writes nothing, no disk either. It shares with the engine only the structs of `model`
and the trees of `expr`: verdicts, dedupe, identity, windows and conditions are written here a second time, in SQL, so
that a mistake in either shows. Promises that no mismatch means: docs/reference/semantics.md, computed apart, gives
what is live.
"""

from livepost.ops.parity.compare import MISMATCHES_MAX, Mismatch, Parity, compare

__all__ = ["MISMATCHES_MAX", "Mismatch", "Parity", "compare"]
