"""Livepost and others on the same work in the same run: `run.py` drives, one file a peer."""
