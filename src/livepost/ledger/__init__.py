"""The ledger: which mails were wanted, claimed, sent or skipped, and why; consents, suppressions, the fence.

Reads: outbox pages that the courier hands over, sends and clicks that the front does. Writes: its own store. Promises:
a decision enters once and never from behind the fence; no mail is claimed against a withdrawal that committed before;
every move is a row; what a method returned for survives a power cut.
"""
