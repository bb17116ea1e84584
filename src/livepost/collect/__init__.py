"""The HTTP face of Segment, and of Snowplow: authenticate, read and decode requests, answer after the commit.

Reads: requests of SDKs and servers. Writes: nothing itself; it hands calls to `intake`. Promises: 200 only
after the event is fsynced; no body is read or unpacked beyond its bound; what cannot be read is refused, a
well-formed event that breaks the plan is taken.
"""
