from __future__ import annotations

import json

from livepost.api.app import ACTIONS, OPERATIONS
from tests.unit.api.house import Asked


def test_every_operation_is_described_with_its_parameters_answers_and_refusals(asked: Asked) -> None:
    told = asked.ask("/openapi.json", key=None).json()
    assert told["openapi"].startswith("3.1")
    assert set(told["paths"]) == {one.path for one in (*OPERATIONS, *ACTIONS)}
    for operation in OPERATIONS:
        described = told["paths"][operation.path]["get"]
        assert {one["name"] for one in described["parameters"]} == set(operation.asked.__struct_fields__)
        assert {"200", "400", "401", "403", "405", "503"} <= set(described["responses"])


def test_every_action_is_described_with_its_key_its_body_and_its_refusals(asked: Asked) -> None:
    told = asked.ask("/openapi.json", key=None).json()
    for action in ACTIONS:
        described = told["paths"][action.path]["post"]
        [key] = described["parameters"]
        assert (key["name"], key["in"], key["required"]) == ("Idempotency-Key", "header", True)
        body = described["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        assert told["components"]["schemas"][body]["additionalProperties"] is False
        wanted = {"200", "202", "400", "401", "403", "405", "408", "413", "429", "503"}
        assert wanted <= set(described["responses"])


def test_a_parameter_that_may_be_left_out_is_not_described_as_null(asked: Asked) -> None:
    told = asked.ask("/openapi.json", key=None).json()
    for path in told["paths"].values():
        for operation in path.values():
            assert "null" not in json.dumps(operation["parameters"])


def test_every_reference_leads_to_a_schema(asked: Asked) -> None:
    told = asked.ask("/openapi.json", key=None)
    names = {part.partition('"')[0] for part in told.text.split('"#/components/schemas/')[1:]}
    assert names <= set(told.json()["components"]["schemas"])
