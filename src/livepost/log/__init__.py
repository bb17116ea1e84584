"""The log: every accepted event, stamped, in blocks, fsynced before anyone is told "ok".

Reads: nothing. Writes: its own segments. Promises: what `append` returned for survives a power cut; stamps
never go back; `seq` has no gaps; one writer, any number of readers.
"""
