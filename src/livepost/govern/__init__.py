"""Who may do what.

In: secrets and what a browser brought. Out: sessions of the console and the one-time links that open them. Promised: a
session cannot be made without the workspace's secret, and ends by itself.
"""
