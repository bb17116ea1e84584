"""Observe: what the house measures about itself."""
