"""Measure: what becomes of a mail: clicks, opens, unsubscribes, sends, as records; what the log says.

Reads: what a link's token meant, facts of a request, the ledger's moves, blocks. Writes: nothing; its functions are
pure and give records. Promises: the same outcome always has the same message_id, so handing it on twice folds
it once; a GET decides nothing.
"""
