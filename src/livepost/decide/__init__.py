"""Decide: campaigns. From what happened to a person to decisions: who gets which mail because of what, or why not.

Reads: a person's journal and moments. Writes: nothing; it returns the new journal and outbox items. Promises:
inputs are the shard's state and nothing else; ids are derived, so a replay decides the same; each skip has a reason.
"""
