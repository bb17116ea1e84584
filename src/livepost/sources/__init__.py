"""Sources: what other services tell us of their own accord: mail providers by webhooks, mail servers by reports.

Reads: requests and mails. Writes: nothing; it gives events to whoever writes them down. Promises: nothing is read of a
request before it is proven whose it is; what is checked is the bytes that came.
"""
