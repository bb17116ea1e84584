"""Load a project's templates. Apart from `project.py`, since front and engine need none and the libraries are heavy."""

from __future__ import annotations

from pathlib import Path

from livepost.errors import ProjectError
from livepost.render.template import Templates

TEMPLATE_BYTES_MAX = 500_000


def load_templates(project: Path) -> Templates:
    """Return the compiled templates of a project folder; raise TemplateError or ProjectError if one cannot be."""
    return Templates(read_templates(project / "templates"))


def read_templates(folder: Path) -> dict[str, str]:
    """Return the sources of all templates in a folder by file name; none where there is no folder."""
    paths = sorted(folder.iterdir()) if folder.is_dir() else []
    return {path.name: _read(path) for path in paths if path.is_file()}


def _read(path: Path) -> str:
    if path.stat().st_size > TEMPLATE_BYTES_MAX:
        raise ProjectError(f"expected a template of at most {TEMPLATE_BYTES_MAX} bytes; shorten it", str(path))
    return path.read_text(encoding="utf-8")
