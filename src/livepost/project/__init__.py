"""What an author declares: events, a profile, segments and campaigns; its check and its compiled form.

Reads an imported module's names and nothing else; writes nothing; touches no clock or randomness, and no disk
but for the names of zones.
Promises that the same declarations always compile to the same data, `livepost.model.compiled`, with the same hash.
"""
