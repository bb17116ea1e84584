"""Bench: how fast parts of the house are; each module opens with its question and an estimate.

Reads: nothing of a data folder; each run makes its own input from a fixed seed. Writes: nothing; `run` returns a dict
that can be written as JSON. Promises: CPU time beside wall time, and a ratio against a limit of the same run.
"""
