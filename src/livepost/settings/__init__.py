"""The settings: how one workspace is run, as one typed class.

Reads: `livepost.toml` of a project folder, `LIVEPOST_*` variables, flags of the command line (the later
wins). Writes: nothing. Promises: an unknown name, a value that does not fit, a secret written out and a part
that is not built are refused with a sentence; every value knows where it came from; no secret is shown.
"""
