"""The one way into the log: validate, name the subject, compute facets, seal what is personal, append.

Reads: decoded calls and the compiled project. Writes: the vault (new subjects), then the log, each fsynced in
that order. Promises: what a waiter got a position for survives a power cut; no personal value stands open in
a record; an error reply is safe to retry; every queue has a bound.
"""
