"""The command `livepost`: each file holds the commands of one concern; errors are one sentence on stderr, exit code 1."""

from livepost.cli.app import app, main

__all__ = ["app", "main"]
