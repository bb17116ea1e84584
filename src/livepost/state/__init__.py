"""The state: what the engine knows of people, and what it has for the courier, up to a position in the log.

Reads: nothing. Writes: its own file. Promises: position, rows, dedupe entries, outbox and transitions of a step are
there together or not at all, fsynced when `commit` returns; one process opens it.
"""
