"""Livepost."""
