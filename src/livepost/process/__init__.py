"""Process: from records to people, segments and transitions; pure and vectorised.

Reads: blocks of the log and the people's rows. Writes: nothing; it returns a `Delta`. Promises: each person is
evaluated as SEMANTICS says, in log order, at due times and records, so the result is a function of the log alone.
"""
