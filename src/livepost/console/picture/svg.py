"""SVG, written down safely.

In: names, attributes, text. Out: `Markup`. Promised: text is escaped; a picture carries its own alternative.
"""

from __future__ import annotations

from markupsafe import Markup, escape

Value = str | float


def tag(name: str, *inside: str | Markup, **attributes: Value) -> Markup:
    """Return an element; an attribute `class_` is `class`, `_` in names is `-`, numbers have two digits at most.

    >>> tag("text", "a < b", x=1.5, class_="soft")
    Markup('<text x="1.5" class="soft">a &lt; b</text>')
    """
    told = "".join(f' {_attribute(key)}="{escape(_value(value))}"' for key, value in attributes.items())
    return Markup(f"<{name}{told}>") + Markup("").join(inside) + Markup(f"</{name}>")  # noqa: S704 - escaped above


def picture(
    width: float, height: float, alternative: str, *inside: Markup, class_: str = "", role: str = "img"
) -> Markup:
    """Return a whole picture of that many units; `alternative` is what it says to who does not see it.

    `role` is `group` for one that holds links: what is an image has nothing inside that one can follow (ARIA 1.2).
    """
    return tag(
        "svg",
        *inside,
        class_=f"picture {class_}".strip(),
        viewBox=f"0 0 {_value(width)} {_value(height)}",
        role=role,
        aria_label=alternative,
    )


def points(places: list[tuple[float, float]]) -> str:
    """Return the path through places.

    >>> points([(0, 1), (2.5, 3)])
    'M0 1L2.5 3'
    """
    return "".join(f"{'L' if at else 'M'}{_value(x)} {_value(y)}" for at, (x, y) in enumerate(places))


def _attribute(key: str) -> str:
    return key if key == "viewBox" else key.rstrip("_").replace("_", "-")


def _value(value: Value) -> str:
    return value if isinstance(value, str) else f"{value:.2f}".rstrip("0").rstrip(".")
