"""Fetch: the one way out over HTTP.

In: addresses that somebody wrote, an operator or an author. Out: a host's answer, at most 1 MB, within 3 s in all.
Promised: nothing is connected to but addresses that are everybody's, and those that the setting `allow_outgoing` names;
what is checked is what is connected to.
"""
