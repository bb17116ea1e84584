"""Many shards, each with its own people, that come to what one engine over the same log comes to.

Reads: the log, whatever read it in its order (`Interleaving`). Writes: nothing; it says what each shard is to keep and
to send. Promises: people, transitions, decisions and their ids are those of one engine, in whatever order messages
arrive, however often, and wherever a shard falls over; each shard runs the very same `process.stage.step`.

A record's way: `Sieve` (does it count), `Links` (who becomes one at it), `Home` (whose is it by then), `Shard` (the
step). The embedded engine has all people in one place and needs none of this.
"""
