"""Previews: loaded by the first who asks, one at a time, and nothing breaks by a template that is none."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Event, Thread

import pytest

from livepost.deliver.mail import NotMade
from livepost.errors import StoreError
from livepost.model.decision import Decision
from livepost.model.message import RenderedMail
from livepost.model.person import PersonView
from livepost.runtime.author.project import load_project
from livepost.runtime.engine.asking import engine_of
from livepost.runtime.front import preview
from livepost.runtime.front.preview import Previews, supposed
from livepost.runtime.front.reasons import person_of
from tests.unit.runtime.still import THREE_LOOKS, StillHouse, ada, make_project


@pytest.fixture
def house(tmp_path: Path) -> StillHouse:
    still = StillHouse(make_project(tmp_path / "shop"))
    still.take(ada(), *THREE_LOOKS)
    still.work()
    return still


@pytest.fixture
def previews(house: StillHouse) -> Iterator[Previews]:
    with closing(Previews(house.folder, house.project)) as one:
        yield one


def view_of(house: StillHouse) -> PersonView:
    with closing(house.folder.vault(readonly=True)) as vault, engine_of(house.folder, house.project) as engine:
        return person_of(vault, engine, "ada", ())


def test_the_mail_is_made_of_the_projects_templates_and_the_persons_own_values(
    house: StillHouse, previews: Previews
) -> None:
    mail = previews.of("browse_reminder", view_of(house))
    assert isinstance(mail, RenderedMail)
    assert "Ada" in mail.subject and 'href="#"' in mail.html


def test_another_project_that_serves_makes_the_next_preview(house: StillHouse, previews: Previews) -> None:
    view = view_of(house)
    previews.of("browse_reminder", view)
    page = house.project.folder / "shop.py"
    page.write_text(page.read_text().replace("Still thinking it over", "Tea, then"))
    other = load_project(house.project.folder, house.folder.settings, anew=True)
    before = previews.of("browse_reminder", view)
    previews.use(other)
    after = previews.of("browse_reminder", view)
    assert isinstance(before, RenderedMail) and isinstance(after, RenderedMail)
    assert (before.subject, after.subject) == ("Still thinking it over, Ada?", "Tea, then, Ada?")


def test_a_decision_is_supposed_as_the_campaign_would_make_it(house: StillHouse) -> None:
    view = view_of(house)
    decision = supposed(house.project, "browse_reminder", view)
    assert isinstance(decision, Decision)
    assert (decision.campaign, decision.person, decision.class_) == ("browse_reminder", view.person, "marketing")


def test_nothing_is_opened_before_somebody_asks(house: StillHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preview, "MAKING", "no.such.module")
    with closing(Previews(house.folder, house.project)) as idle, pytest.raises(ModuleNotFoundError):
        idle.of("browse_reminder", view_of(house))  # it is the first question that loads


def test_a_front_loads_what_makes_mails_with_the_first_question_only() -> None:
    assert "livepost.render.template" not in front_modules()
    assert "livepost.render.template" in front_modules("livepost.runtime.author.making")


def front_modules(*more: str) -> set[str]:
    """Return what is loaded in a fresh process that has a front, and more."""
    names = ", ".join(["livepost.runtime.front.process", *more])
    program = f"import sys, {names}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_a_template_that_cannot_be_compiled_is_told_and_one_that_was_mended_is_used(
    house: StillHouse, previews: Previews
) -> None:
    [template, *_] = sorted((house.project.folder / "templates").glob("*.mjml"))
    good = template.read_text()
    template.write_text("<mjml><mj-body>{% if %}</mj-body></mjml>")
    told = previews.of("browse_reminder", view_of(house))
    assert isinstance(told, NotMade) and told.reason == "render"
    template.write_text(good)
    assert isinstance(previews.of("browse_reminder", view_of(house)), RenderedMail)


def test_one_is_made_at_a_time_and_whoever_waits_too_long_is_told_so(
    house: StillHouse, previews: Previews, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preview, "TURN_S", 0.05)
    view, making, done = view_of(house), Event(), Event()

    class Slow:
        def preview(self, decision: Decision, view: PersonView, shown: object = None) -> NotMade:
            making.set()
            done.wait(20)
            return NotMade("render", "slow")

    monkeypatch.setattr(previews, "_maker", Slow())
    first = Thread(target=previews.of, args=("browse_reminder", view))
    first.start()
    try:
        assert making.wait(20)
        with pytest.raises(StoreError, match="another preview takes long"):
            previews.of("browse_reminder", view)
    finally:
        done.set()
        first.join()
    assert isinstance(previews.of("browse_reminder", view), NotMade)  # the turn is free again
