"""The rules that a project has to keep, and the records of what is done with data.

In: a project as it is written, its settings, keys and policy. Out: what holds and what does not, with its place;
records of processing (GDPR art. 30). Promised: nothing is run and nobody is asked: the same files give the same answer.
"""
