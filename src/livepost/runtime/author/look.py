"""The shop's own look of the pages that people see who get mails: the folder `pages` of a project.

In: `frame.liquid`, `words.LANGUAGE.toml`, `logo.svg` or `logo.png`, all of them optional; settings. Out: a `Look`.
Promised: a frame is rendered here, once a language, and never at a request. What cannot be used is told by
`livepost check`; a house that runs says it in our words and frame instead, for nobody may be kept from unsubscribing.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import TypeVar

from livepost.api.look import BODY, TITLE, Look, style
from livepost.api.mail import Offer
from livepost.api.wording import FALLBACK, Words, languages, ours, with_shops
from livepost.errors import LivepostError, ProjectError
from livepost.govern.consent.rules import sales_of
from livepost.model.compiled import Compiled
from livepost.project.problem import Problem
from livepost.settings.policy import Policy
from livepost.settings.settings import Settings

T = TypeVar("T")

FOLDER = "pages"
FRAME = "frame.liquid"
RENDERING = "livepost.render.frame"
"""The module with `rendered_frame`, loaded late: it is heavy, and most shops have no frame."""

FILE_BYTES_MAX = 65_536
"""Words, a frame or a logo."""

LOGOS = (("logo.svg", "image/svg+xml"), ("logo.png", "image/png"))

_MARKS = {"title": TITLE, "body": BODY}
_UNLOADED = re.compile(
    r"<(script|link|iframe|object|embed|form|base)\b|\bsrc\s*=\s*[\"']?\s*(?!data:)\w+:|url\(\s*['\"]?\w+://", re.I
)
"""What the pages' policy does not let a browser load or do."""


def look_of(folder: Path, settings: Settings) -> Look:
    """Return the look of a project's pages; of what cannot be used, ours."""
    return _look(folder, settings, [])


def problems_of_look(folder: Path, settings: Settings) -> list[Problem]:
    """Return what of a project's pages cannot be used."""
    problems: list[Problem] = []
    _look(folder, settings, problems)
    return problems


def offer_of(compiled: Compiled, settings: Settings, policy: Policy | None = None) -> Offer:
    """Return what a person can choose: what is mailed for, and what the policy calls a sale, in the policy's words."""
    marketing = (campaign.purpose for campaign in compiled.campaigns if campaign.class_ == "marketing")
    return Offer(
        purposes=tuple(dict.fromkeys((*marketing, *sales_of(policy)))),
        labels={name: policy.purposes[name].text for name in sales_of(policy)} if policy else {},
        topics=settings.topics,
        frequencies=tuple(frequency for frequency in settings.frequencies.split(", ") if frequency),
    )


def _look(folder: Path, settings: Settings, problems: list[Problem]) -> Look:
    pages = folder / FOLDER
    words = dict(_words(pages, settings, problems))
    logo = _tried(lambda: _logo(pages), "", problems)
    frames: dict[str, str] = _tried(lambda: _frames(pages, words, settings, logo), {}, problems)
    return Look(words=words, frames=frames, color=settings.page_color, logo=logo)


def _words(pages: Path, settings: Settings, problems: list[Problem]) -> Iterator[tuple[str, Words]]:
    for language in settings.languages:
        path = pages / f"words.{language}.toml"
        fallback = ours(language if language in languages() else FALLBACK)
        if path.is_file():
            yield language, _tried(lambda p=path, to=language: with_shops(to, _text(p), str(p)), fallback, problems)  # type: ignore[misc]
        else:
            if language not in languages():
                known = ", ".join(languages())
                problems.append(
                    Problem(
                        f"expected words for the language {language!r} of the setting `languages`: they come for "
                        f"{known}, and are written into {FOLDER}/words.{language}.toml for others"
                    )
                )
            yield language, fallback


def _frames(pages: Path, words: dict[str, Words], settings: Settings, logo: str) -> dict[str, str]:
    path = pages / FRAME
    if not path.is_file():
        return {}
    source = _text(path)
    found = _UNLOADED.search(source)
    if found:
        raise ProjectError(
            f"expected a frame that loads and runs nothing, got `{found.group().strip()}`; drop it", str(path)
        )
    made: dict[str, str] = {}
    for language, one in words.items():
        values = {
            "language": language,
            "direction": one.direction,
            "shop_name": settings.shop_name,
            "shop_address": settings.shop_address,
            "logo": logo,
            "style": style(settings.page_color),
        }
        made[language] = import_module(RENDERING).rendered_frame(
            source, values, {"title": TITLE, "body": BODY}, str(path)
        )
    return made


def _logo(pages: Path) -> str:
    for name, kind in LOGOS:
        if (pages / name).is_file():
            return f"data:{kind};base64,{base64.b64encode(_bytes(pages / name)).decode()}"
    return ""


def _text(path: Path) -> str:
    try:
        return _bytes(path).decode()
    except UnicodeDecodeError:
        raise ProjectError("expected UTF-8 text, got other bytes; save the file as UTF-8", str(path)) from None


def _bytes(path: Path) -> bytes:
    try:
        if path.stat().st_size > FILE_BYTES_MAX:
            raise ProjectError(
                f"expected a file of at most {FILE_BYTES_MAX} bytes, got more; make it smaller", str(path)
            )
        return path.read_bytes()
    except OSError as error:
        raise ProjectError(f"the file cannot be read ({error.strerror}); mend it", str(path)) from error


def _tried(make: Callable[[], T], instead: T, problems: list[Problem]) -> T:
    try:
        return make()
    except ProjectError as error:
        problems.append(Problem.of(error))
    except LivepostError as error:
        problems.append(Problem(str(error)))
    return instead
