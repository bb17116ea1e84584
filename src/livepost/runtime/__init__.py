"""Runtime: who runs the rooms. It opens stores, hands bodies to consumers, and moves what one room made to the next.

The embedded bodies are processes on one data folder, each with a room of its own here (`front`, `engine`, `courier`,
`recorder`), held together by `house`; `simulated` is the same rooms in one process, in memory, on a clock that moves
when told.
"""
