"""Events of mail providers (ESPs) at `POST /hooks/esp/{provider}`.

Reads: requests. Writes: `MailEvent`s to who hears them. Promises: a request is proven by the provider's own scheme
(`proof.py`, `sns.py`) before anything in it is believed; a 2xx says that all of its events are kept. Only `anymail.py`
knows django-anymail, which brings events of all providers into one form.
"""
