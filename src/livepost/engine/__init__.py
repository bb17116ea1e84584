"""The engine's kernels: windows, next flips, memberships and picks over numpy, no clock, no store.

Reads: a compiled project and the rows of people. Writes: nothing; it returns arrays. Promises: one definition has one
answer, however records are cut into batches (SEMANTICS).
"""
