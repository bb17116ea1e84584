"""SQL over people, events and mails as they may be seen for one purpose: what may not be seen is not there.

Reads people, the log, the ledger, the vault's keys; writes nothing, no disk either. Promises that the process in which
a query runs is never given a raw personal value: tables are made of masked values here and handed to it, with the
purpose's fields alone, of people who allow it alone. It opens no file and no connection, and ends with its question.
"""
