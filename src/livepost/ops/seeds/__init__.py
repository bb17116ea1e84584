"""The history of features that are new at a cut, for the engine to fold in: made by DuckDB over the log up to there.

Reads blocks; writes nothing, no disk either. Promises that the same log gives the same seeds under the same numbers, so
that a change cut short goes on where it was; and that a record feeds a seed if and only if it counts and would have fed
the feature live (docs/reference/semantics.md, "Which records count", "Features", "Changes").
"""

from livepost.ops.seeds.seeds import Seeds

__all__ = ["Seeds"]
