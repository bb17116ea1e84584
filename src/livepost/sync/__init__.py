"""Sync: keep segments and chosen features in step with the vendors that a shop also works with.

In: who belongs where today, from a source that `runtime` hands in. Out: batched requests by `fetch`; what each vendor
has, what waits, dead letters, in `audiences.db`. Promised: nothing leaves without consent for the destination's
purpose; what a vendor may have is written down before it is sent, what it has after it answered: a kill at any moment
and any repetition end with the vendor equal to us.
"""
