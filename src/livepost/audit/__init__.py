"""The audit: who saw a person's data, and who changed what, in a chain that shows when somebody alters it.

Reads: entries. Writes: its own file, and signed heads where the operator says. Promises: an entry that was written is
durable and linked to all before it; no personal value is in one; a head kept elsewhere shows every change before it.
"""
