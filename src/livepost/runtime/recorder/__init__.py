"""Recorders: processes that read large batches for the front, so that further cores help."""
