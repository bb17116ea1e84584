from __future__ import annotations

import pytest

from livepost.render.frame import rendered_frame
from livepost.render.limits import TemplateError

MARKS = {"title": "the-title", "body": "the-body"}
WHOLE = "{{ title }}{{ body }}"


def test_values_are_escaped_and_marks_stand_where_they_were_put() -> None:
    text = rendered_frame("<i>{{ name }}</i>{{ title }}|{{ body }}", {"name": "<b>"}, MARKS, "f")
    assert text == "<i>&lt;b&gt;</i>the-title|the-body"


@pytest.mark.parametrize(
    "source", ["{{ title }}", "{{ body }}", "{{ title }}{{ body }}{{ body }}", "{{ title }}{{ body }}{{ x }}"]
)
def test_a_frame_without_its_marks_or_with_more_is_refused(source: str) -> None:
    with pytest.raises(TemplateError):
        rendered_frame(source, {}, MARKS, "f")
