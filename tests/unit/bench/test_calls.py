import msgspec

from livepost.bench import small_shop
from livepost.bench.calls import CALL_BYTES, PRODUCTS, identify, order, view, views
from livepost.intake.call import read_call
from livepost.intake.plan import TrackingPlan
from livepost.intake.verdict import judge
from livepost.model.record import Verdict
from livepost.project.compiled import compile_project
from livepost.project.declarations import collect

AT = "2026-11-22T10:00:00.000Z"


def test_every_view_has_the_same_size_and_a_message_id_of_its_own() -> None:
    made = list(views(200, people=10, run="r"))
    assert {len(call) for call in made} == {CALL_BYTES}
    assert len({msgspec.json.decode(call)["messageId"] for call in made}) == 200


def test_the_longest_view_still_fits() -> None:
    assert len(view("shopper-999999", PRODUCTS - 1, "round-9-single-00000000", AT)) == CALL_BYTES


def test_every_call_keeps_to_the_plan_of_the_small_shop() -> None:
    plan = TrackingPlan(compile_project(collect(vars(small_shop))))
    for raw in (view("shopper-1", 1, "m-1", AT), identify("shopper-1", "m-2"), order("shopper-1", "m-3")):
        assert judge(read_call(raw), 0, plan).verdict is Verdict.ACCEPTED
