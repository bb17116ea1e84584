"""The engine's process: it alone opens the state. It reads the log, steps, commits and answers what it knows.

Beside it: its people swept, recovered, kept as a snapshot or built anew from the log, and who asks it.
"""
