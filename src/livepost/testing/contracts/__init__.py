"""What every body of a contract must do, as pytest classes: subclass one and say how to open the body.

Reads: the body under test. Writes: what the body writes. Promises: a body that passes can be put in the place
of any other. Hypothesis and pytest come with `livepost[test]`.
"""
