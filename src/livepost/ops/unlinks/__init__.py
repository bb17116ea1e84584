"""What the log says of one person, to make two people of them: reads blocks, writes nothing, returns `Unlink`s."""

from livepost.ops.unlinks.links import Link
from livepost.ops.unlinks.unlinks import Unlinks

__all__ = ["Link", "Unlinks"]
