"""Deliver: decisions into the ledger, claims, mails made from the freshest profile, sent, settled.

Reads: the engine's outbox and people, through protocols; the ledger. Writes: the ledger; the sender's mails.
Promises: no first byte before the ledger says `in_flight`; the checks are repeated right before it; a mail's
bytes follow RFC 5322, 2045, 2047 and 8058; what cannot be known is said to be unknown.
"""
