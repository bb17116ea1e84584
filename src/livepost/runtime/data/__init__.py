"""A data folder: where its stores lie and how they are opened, its keys, and what its writer keeps beside the log.

Reads and writes the folder; promises that every process finds the same thing under the same name.
"""
