"""Approvals of more than broadcasts: what is asked for in words and as a hash, and whose approval is enough.

Reads and writes: the control store, through `control.approvals`. Promised: what an approval lets be done is exactly
what was shown to who approved it, once, within its time.
"""
