"""The front's process: the only writer of the log, and everything that is asked over HTTP."""
