"""Bounds of the collect routes, in bytes unless the name says otherwise (INTERFACES, "HTTP")."""

from __future__ import annotations

MAX_BODY_BYTES = 500 * 1024
"""Of a batch, and of any body: above it 413, before the body is read or unpacked whole."""

MAX_EVENT_BYTES = 32 * 1024
"""Of a single call's body and of one event in a batch: above it 400."""

MAX_BATCH_EVENTS = 10_000
"""Events in one batch; a commit can hold a whole batch."""

MAX_PIXEL_PARAMETERS = 200
"""Parameters of a pixel's query."""

MAX_TOKEN_CHARS = 255
"""Characters of a write key or secret key."""

MAX_BUFFERED_BYTES = 64 * 1024 * 1024
"""Of all bodies being received at one time: above it 429."""

MAX_REQUESTS = 2_000
"""Requests being received at one time: above it 429."""

MAX_DRAINED_BYTES = 16 * 1024 * 1024
"""Of a refused body thrown away after the reply, so that a client still sending gets to read it."""

DRAIN_TIMEOUT_S = 5.0
"""Seconds that takes at most; then the connection is closed."""

BODY_TIMEOUT_S = 15.0
"""Seconds a client has to send its whole body, a sixteenth more at most: above it 408."""
