"""Ops: what the stores know, put together and into words for people.

Reads log, ledger, mailbox and what the engine tells, through what it is handed. Writes nothing.
"""
