"""Whatever is sent, whether as the OpenAPI document describes it or not, is answered as the document says.

Not with a fault of ours, not without a token, and with nothing that is not described.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, assume, given, settings
from schemathesis import GenerationMode
from schemathesis.config import SchemathesisConfig
from whole_service import WholeService, service_over

from autoscaler.api.routes import watch

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

OPERATIONS = (
    "listWorkloads",
    "getFleet",
    "getWorkload",
    "getSeries",
    "listForecasts",
    "getLatestForecast",
    "getForecast",
    "getAccuracy",
    "listDecisions",
    "getDecision",
    "replayDecision",
    "getSpend",
    "getWorkloadSpend",
    "listOverrides",
    "createOverride",
    "deleteOverride",
    "listEvents",
    "createWhatIf",
    "createPolicySearch",
    "listJobs",
    "getJob",
    "cancelJob",
    "whoAmI",
    "listAudit",
    "watch",
)
TOKEN = {"Authorization": "Bearer root-token"}
EXAMPLES = int(os.environ.get("API_FUZZ_EXAMPLES", "25"))
CHECKS = {
    # 400 is for parts that do not fit together, which no description of the parts can tell.
    "positive_data_acceptance": {"expected-statuses": ["2xx", "400", "403", "404", "409"]},
}


@pytest.fixture(scope="module")
def service(an_hour: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WholeService]:
    """An hour of all scenes, and streams that end at once."""
    file = shutil.copy(an_hour, tmp_path_factory.mktemp("fuzzed") / "store.db")
    with pytest.MonkeyPatch.context() as patch, service_over(file) as made:
        patch.setattr(watch, "_LASTS_S", 0.0)
        yield made


@pytest.fixture(scope="module")
def described(service: WholeService) -> schemathesis.BaseSchema:
    config = SchemathesisConfig.from_dict({"checks": CHECKS})
    return schemathesis.openapi.from_asgi("/openapi.json", service.app, config=config, headers=TOKEN)


def test_every_operation_is_tried(described: schemathesis.BaseSchema) -> None:
    found = [result.ok().definition.raw["operationId"] for result in described.get_all_operations()]
    assert sorted(found) == sorted(OPERATIONS)


def _is_sent_whole(case: schemathesis.Case) -> bool:
    """Whether the address has every parameter of the case: one that is an empty list goes nowhere."""
    params = case.as_transport_kwargs(base_url="http://service")["params"]
    address = requests.Request("GET", "http://service", params=params).prepare().url
    sent = parse_qs(urlsplit(address).query, keep_blank_values=True)
    return all(name in sent for name in case.query)


@pytest.mark.parametrize(
    "mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=lambda mode: mode.value
)
@pytest.mark.parametrize("name", OPERATIONS)
def test_every_answer_is_as_described(
    described: schemathesis.BaseSchema, service: WholeService, name: str, mode: GenerationMode
) -> None:
    operation = described.find_operation_by_id(name)
    decision = service.store.decisions(workload="shop/checkout", limit=1).decisions[0].id
    there = {"namespace": "shop", "name": "checkout", "id": decision, "madeAt": "2026-11-27T17:50:00Z"}
    known = {parameter.name: there[parameter.name] for parameter in operation.path_parameters}
    cases = operation.as_strategy(mode)
    if mode is GenerationMode.POSITIVE and known and "jobs" not in operation.path:
        cases |= operation.as_strategy(mode, path_parameters=known)

    @settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck), database=None)
    @given(cases)
    def answered(case: schemathesis.Case) -> None:
        assume(_is_sent_whole(case))
        case.call_and_validate(headers=TOKEN)

    answered()


def test_what_one_answer_names_can_be_asked_for_next(described: schemathesis.BaseSchema) -> None:
    class Walk(described.as_state_machine()):  # type: ignore[misc]  # a class that is made from the document
        def get_call_kwargs(self, case: schemathesis.Case) -> dict[str, Any]:
            return {"headers": TOKEN}

    Walk.run(
        settings=settings(
            max_examples=EXAMPLES // 2,
            stateful_step_count=6,
            suppress_health_check=list(HealthCheck),
            database=None,
            deadline=None,
        )
    )
