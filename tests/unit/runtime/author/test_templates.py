from pathlib import Path

import pytest

from livepost.errors import LivepostError, ProjectError
from livepost.runtime.author.templates import TEMPLATE_BYTES_MAX, load_templates, read_templates


def test_templates_are_read_by_file_name_and_folders_left_out(tmp_path: Path) -> None:
    (tmp_path / "note.liquid").write_text("Hello {{ name }}")
    (tmp_path / "parts").mkdir()
    assert read_templates(tmp_path) == {"note.liquid": "Hello {{ name }}"}


def test_a_project_without_a_folder_of_templates_has_none(tmp_path: Path) -> None:
    assert list(load_templates(tmp_path).names()) == []


def test_a_template_at_the_bound_is_read_and_one_above_it_refused(tmp_path: Path) -> None:
    (tmp_path / "a.liquid").write_bytes(b"x" * TEMPLATE_BYTES_MAX)
    assert len(read_templates(tmp_path)["a.liquid"]) == TEMPLATE_BYTES_MAX
    (tmp_path / "a.liquid").write_bytes(b"x" * (TEMPLATE_BYTES_MAX + 1))
    with pytest.raises(ProjectError, match=f"at most {TEMPLATE_BYTES_MAX} bytes; shorten it") as raised:
        read_templates(tmp_path)
    assert raised.value.where == str(tmp_path / "a.liquid")


def test_a_template_that_is_none_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "note.mjml").write_text("<mjml><mj-body>{% if %}</mj-body></mjml>")
    with pytest.raises(LivepostError, match="note"):
        load_templates(tmp_path)
