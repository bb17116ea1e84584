"""The command `livepost`: a file for the commands of each concern; errors are one sentence on stderr, exit code 1."""

from livepost.cli.app import app, main

__all__ = ["app", "main"]
