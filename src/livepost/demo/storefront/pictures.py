"""The shop's pictures: still lifes as SVG, drawn here.

In: a product. Out: SVG text. Promised: the same picture for the same product each time; nothing in it but shapes.
"""

from __future__ import annotations

from livepost.demo.storefront.catalogue import Product
from livepost.ids import digest

WIDTH, HEIGHT = 240, 180

# Wall, light on the wall, table; by shelf.
GROUNDS = {
    "Fruit": ("#f6dfc0", "#fbeeda", "#d9a066"),
    "Bakery": ("#f3d9b8", "#faead3", "#b98557"),
    "Dairy": ("#d8e4e4", "#ebf2f1", "#c7a57e"),
    "Pantry": ("#ecd2bd", "#f7e6d8", "#a9764f"),
    "Drinks": ("#e9d9c6", "#f6ecdf", "#a87f58"),
}


def picture(product: Product) -> str:
    """Return a product's picture."""
    wall, light, table = GROUNDS[product.category]
    draw = digest("picture", product.product_id)
    x, radius = 60 + draw[0] % 120, 54 + draw[1] % 22
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}">'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{wall}"/>'
        f'<circle cx="{x}" cy="72" r="{radius}" fill="{light}"/>'
        f'<rect y="138" width="{WIDTH}" height="42" fill="{table}"/>'
        f'<ellipse cx="120" cy="150" rx="78" ry="8" fill="#000" opacity=".16"/>'
        f"{DRAWN[product.drawn]}</svg>"
    )


def _circles(places: tuple[tuple[int, int], ...], radius: int, fill: str, shine: str) -> str:
    return "".join(
        f'<circle cx="{x}" cy="{y}" r="{radius}" fill="{fill}"/>'
        f'<circle cx="{x - radius // 3}" cy="{y - radius // 3}" r="{radius // 4}" fill="{shine}"/>'
        for x, y in places
    )


def _strawberry(x: int, y: int) -> str:
    seeds = "".join(
        f'<ellipse cx="{x + dx}" cy="{y + dy}" rx="1.4" ry="2.2" fill="#f7d9a0"/>'
        for dx, dy in ((-9, 4), (0, 0), (9, 4), (-5, 14), (5, 14), (0, 24))
    )
    return (
        f'<path d="M{x - 21} {y - 4}c0-16 42-16 42 0c0 18-12 34-21 38c-9-4-21-20-21-38z" fill="#c8372d"/>{seeds}'
        f'<path d="M{x - 16} {y - 12}l8 8l8-7l8 7l8-8c-6-8-26-8-32 0z" fill="#5c7a35"/>'
    )


def _doughnut(x: int, y: int, icing: str) -> str:
    return (
        f'<ellipse cx="{x}" cy="{y}" rx="38" ry="24" fill="#c98a4b"/>'
        f'<path d="M{x - 36} {y - 4}c0-27 72-27 72 0c-6 10-12 2-18 8s-12-2-18 4s-14-6-20-2s-14-4-16-10z" '
        f'fill="{icing}"/>'
        f'<ellipse cx="{x}" cy="{y - 5}" rx="11" ry="6" fill="#8f5b2c"/>'
    )


DRAWN = {
    "bananas": (
        '<path d="M78 62c-6 40 20 82 78 82c12 0 20-6 22-12c-44 2-74-22-84-72z" fill="#e0a92e"/>'
        '<path d="M96 56c0 38 26 72 76 70c10-1 16-6 18-12c-40 0-66-22-78-62z" fill="#f2c54b"/>'
        '<path d="M112 54c6 30 30 54 70 52c8-1 14-6 14-12c-34 0-58-16-70-44z" fill="#f8d873"/>'
        '<path d="M76 62l6-22l26-4l20 16l-16 4l-16 0z" fill="#8a6a24"/>'
    ),
    "strawberries": _strawberry(82, 104) + _strawberry(154, 106) + _strawberry(118, 92),
    "oranges": (
        _circles(((84, 118), (154, 118)), 34, "#e08324", "#f3b063")
        + _circles(((120, 92),), 34, "#ec9836", "#f8c07c")
        + '<path d="M120 60c4-14 20-18 30-12c-4 12-18 18-30 12z" fill="#5c7a35"/>'
    ),
    "grapes": (
        '<path d="M118 50c0-12 8-20 18-22" fill="none" stroke="#6d5330" stroke-width="5" stroke-linecap="round"/>'
        '<path d="M122 48c10-18 38-16 46-2c-12 14-36 14-46 2z" fill="#66803a"/>'
        + _circles(((88, 66), (112, 62), (136, 66), (158, 72)), 15, "#7a2f4d", "#b06a88")
        + _circles(((94, 90), (118, 88), (144, 92)), 15, "#8c3a5b", "#bd7c98")
        + _circles(((104, 114), (130, 114)), 15, "#7a2f4d", "#b06a88")
        + _circles(((117, 136),), 15, "#8c3a5b", "#bd7c98")
    ),
    "loaf": (
        '<path d="M52 96c-14-30 26-44 68-44s82 14 68 44v50h-136z" fill="#b97836"/>'
        '<path d="M64 98c-10-22 22-34 56-34s66 12 56 34v40h-112z" fill="#f3ddb6"/>'
        '<path d="M84 84c8-6 20-8 30-8M130 78c8 0 16 2 22 6" stroke="#dcb981" stroke-width="5" '
        'stroke-linecap="round" fill="none"/>'
    ),
    "baguette": (
        '<path d="M34 128c-4-16 14-22 34-34l70-40c22-12 50-20 62-6c8 14-12 30-34 42l-70 40c-26 14-54 18-62-2z" '
        'fill="#c4853d"/>'
        '<path d="M76 108l18 14M104 92l18 14M132 76l18 14M160 60l16 14" stroke="#f0cf96" stroke-width="8" '
        'stroke-linecap="round"/>'
    ),
    "doughnuts": _doughnut(84, 124, "#8a4a35") + _doughnut(158, 124, "#e9a9a4") + _doughnut(120, 90, "#f4e3c3"),
    "carton": (
        '<path d="M88 66l32-28l32 28v80h-64z" fill="#fbfaf5"/><path d="M120 38l32 28v80h-20v-84z" fill="#dfe5e6"/>'
        '<rect x="106" y="26" width="28" height="16" rx="3" fill="#4d7ea8"/>'
        '<path d="M88 104c14-12 22 10 44-2v44h-44z" fill="#4d7ea8"/><path d="M132 102l20-4v48h-20z" fill="#3f6b91"/>'
    ),
    "eggs": (
        '<ellipse cx="76" cy="104" rx="20" ry="26" fill="#f1d3ae"/>'
        '<ellipse cx="120" cy="102" rx="20" ry="26" fill="#faeedd"/>'
        '<ellipse cx="164" cy="104" rx="20" ry="26" fill="#e7bd8d"/>'
        '<path d="M44 112c10-10 20 10 32 8s20-16 32-6s20 6 30-4s24-4 34 6s14-8 24-4l-10 36h-132z" fill="#8c9a8c"/>'
    ),
    "cheese": (
        '<path d="M42 128l92-62c30 0 58 20 64 62z" fill="#f3c553"/><path d="M42 128h156v18h-156z" fill="#d99f2f"/>'
        '<circle cx="122" cy="104" r="11" fill="#d99f2f"/><circle cx="158" cy="112" r="7" fill="#d99f2f"/>'
        '<circle cx="94" cy="119" r="6" fill="#d99f2f"/><circle cx="142" cy="84" r="6" fill="#d99f2f"/>'
    ),
    "tub": (
        '<path d="M82 62c0-46 76-46 76 0z" fill="#fbeed2"/><path d="M98 44c6-12 18-18 30-16" stroke="#fffaf0" '
        'stroke-width="6" stroke-linecap="round" fill="none"/>'
        '<rect x="68" y="60" width="104" height="16" rx="8" fill="#c75b4a"/>'
        '<path d="M74 76h92l-10 70h-72z" fill="#f5d5cc"/>'
        '<path d="M78 100h84l-3 20h-78z" fill="#c75b4a"/>'
    ),
    "jar": (
        '<rect x="86" y="38" width="68" height="20" rx="5" fill="#b4472f"/>'
        '<path d="M82 58h76c10 6 12 14 12 22v54c0 8-4 12-12 12h-76c-8 0-12-4-12-12v-54c0-8 2-16 12-22z" '
        'fill="#c98f4e"/>'
        '<rect x="70" y="86" width="100" height="38" fill="#fbf1dc"/>'
        '<path d="M100 105c0-10 16-10 20-4c4-6 20-6 20 4c0 12-16 10-20 4c-4 6-20 8-20-4z" fill="#a86a2c"/>'
        '<path d="M82 68c-4 4-5 8-5 12" stroke="#ecc68f" stroke-width="5" stroke-linecap="round" fill="none"/>'
    ),
    "spaghetti": (
        '<path d="M90 40l60 0l10 106h-80z" fill="#f2d48a"/>'
        '<path d="M98 40l-6 106M108 40l-3 106M118 40l0 106M128 40l2 106M138 40l6 106M146 40l10 106" stroke="#d3a848" '
        'stroke-width="2.5"/><path d="M82 82h76l3 30h-82z" fill="#3f6e4f"/>'
        '<path d="M104 97h32" stroke="#f7efd9" stroke-width="6" stroke-linecap="round"/>'
    ),
    "tin": (
        '<rect x="76" y="48" width="88" height="98" fill="#b4472f"/>'
        '<rect x="76" y="48" width="88" height="44" fill="#f5ead7"/>'
        '<ellipse cx="120" cy="48" rx="44" ry="12" fill="#c9cdcf"/>'
        '<ellipse cx="120" cy="48" rx="34" ry="8" fill="#aab0b3"/>'
        '<path d="M76 146a44 10 0 0 0 88 0z" fill="#9c3a26"/><circle cx="120" cy="92" r="20" fill="#e3b04b"/>'
    ),
    "bag": (
        '<path d="M80 52h80l8 94h-96z" fill="#5a3d2b"/><path d="M84 34h72l4 18h-80z" fill="#442c1e"/>'
        '<rect x="90" y="76" width="60" height="46" rx="6" fill="#f0dfc4"/>'
        '<ellipse cx="120" cy="99" rx="12" ry="17" fill="#6d4527"/>'
        '<path d="M122 84c-8 10 6 18-3 30" stroke="#f0dfc4" stroke-width="3" fill="none"/>'
    ),
    "bottle": (
        '<rect x="106" y="22" width="28" height="14" rx="3" fill="#4f7a3a"/>'
        '<path d="M108 36h24v18c18 8 24 20 24 34v50c0 6-4 8-8 8h-56c-4 0-8-2-8-8v-50c0-14 6-26 24-34z" fill="#ee9a34"/>'
        '<rect x="84" y="92" width="72" height="34" fill="#fbf1dc"/><circle cx="120" cy="109" r="12" fill="#e08324"/>'
        '<path d="M96 66c-4 5-6 10-6 18" stroke="#f9c98a" stroke-width="5" stroke-linecap="round" fill="none"/>'
    ),
}
"""What stands on the table, by the name that the catalogue gives it."""
