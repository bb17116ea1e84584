"""Mails given to a provider's API (ESP), by way of django-anymail.

Reads: mails, a provider's address and key. Writes: receipts. Promises: a mail is written at most once for one call of
`send`; what nothing was written of is `temporary`, what the provider answered is what `answer.py` says, and all else is
`unknown`; a provider's own tracking is off. Only `anymail.py` and `wire.py` know the libraries of `livepost[esp]`.
"""
