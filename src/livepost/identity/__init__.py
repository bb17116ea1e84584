"""Identity: which subjects are one person, and what the person is called. Pure rules; the state holds the answers."""

from livepost.identity.apart import Marks, Separation, kept_apart
from livepost.identity.rules import may_merge, name_of

__all__ = ["Marks", "Separation", "kept_apart", "may_merge", "name_of"]
