"""Api: what programs and the public see over HTTP.

Reads: what `runtime` hands in. Writes: through the ledger and the intake handed in. Promises: errors are
help; a GET decides nothing.
"""
