"""What consent means by the shop's policy.

In: `policy.toml`, the ledger's history. Out: rules for signals of browsers, how long consents are good, consent records
as ISO/IEC TS 27560 names their fields. Promised: what is missing, unknown or expired is a no.
"""
