"""What a person may ask, of a whole data folder: its stores, what each gives, and how a person is erased from all.

Reads: every store. Writes: what an erasure takes away, and its receipt. Promised: no store is left out, or tests fail.
"""
