"""The vault: subjects, their external ids (sealed) and their keys (wrapped).

Reads: the key-encryption key. Writes: its own store. Promises: an external id is found by a keyed blind index
and never stored in clear; what `commit` returned for survives a power cut; a forgotten subject's seals open
for nobody.
"""
