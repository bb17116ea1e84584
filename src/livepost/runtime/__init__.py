"""Runtime: who runs the rooms. It opens stores, hands bodies to consumers, and moves what one room made to the next.

`embedded` bodies are processes on one data folder (front, engine, courier; recorders) under a supervisor; `simulated`
is the same rooms in one process, in memory, on a clock that moves when told.
"""
