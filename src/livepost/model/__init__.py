"""Structs that cross rooms. Nothing here reads, writes or decides; units are in the names or docstrings.

Times are UTC milliseconds since 1970 unless a name says otherwise; ids are 16 bytes; money is integer minor units.
"""
