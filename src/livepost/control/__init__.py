"""Who may do what, and what was asked for and approved: the tables by which a workspace is governed.

Reads and writes: `control.db` in the data folder. Promised: a change is durable once its transaction has ended; any
process of the workspace may read and write; deleted values are overwritten.
"""
