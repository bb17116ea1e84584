"""SQL with its values beside it, so that no value is ever spliced into the text."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Statement:
    """The values of one statement under construction, by parameter name.

    >>> statement = Statement()
    >>> statement.bind("Bobby'); DROP TABLE record")
    '$v0'
    """

    values: dict[str, Any] = field(default_factory=dict)

    def bind(self, value: Any) -> str:
        """Return the parameter that stands for a value in the text."""
        name = f"v{len(self.values)}"
        self.values[name] = value
        return f"${name}"
