"""Identity: which subjects are one person, and what the person is called. Pure rules; the state holds the answers."""

from livepost.identity.rules import may_merge, name_of

__all__ = ["may_merge", "name_of"]
