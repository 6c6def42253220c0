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
from whole_service import CHECKOUT, WholeService, service_over

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
OF_JOBS = {"createWhatIf", "createPolicySearch", "listJobs", "getJob", "cancelJob"}
NAMED_BY_ANSWERS = {"getDecision", "replayDecision", "deleteOverride", "getJob", "cancelJob"}
TOKEN = {"Authorization": "Bearer root-token"}
EXAMPLES = int(os.environ.get("API_FUZZ_EXAMPLES", "25"))
# 400 is for parts that do not fit together, which no description of the parts can tell.
_FITTING = ["2xx", "400", "403", "404", "409"]
CONFIGURATION = {
    "checks": {"positive_data_acceptance": {"expected-statuses": _FITTING}},
    "operations": [
        {
            # A patch is any object; what is no policy with it is refused field by field.
            "include-operation-id": "createWhatIf",
            "checks": {"positive_data_acceptance": {"expected-statuses": [*_FITTING, "422"]}},
        }
    ],
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
    config = SchemathesisConfig.from_dict(CONFIGURATION)
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


def _waiting_job(service: WholeService) -> str:
    """The identifier of a job of the caller's."""
    with service.client() as client:
        asked = client.post(f"{CHECKOUT}/what-if", json={"patch": {}})
    assert asked.status_code == 202, asked.text
    identifier: str = asked.json()["id"]
    return identifier


def test_a_job_waits_until_it_is_cancelled(service: WholeService) -> None:
    job = f"/api/v1/jobs/{_waiting_job(service)}"
    with service.client() as client:
        assert client.get(job).json()["state"] == "Queued"
        assert client.delete(job).json()["state"] == "Cancelled"
        assert client.get(job).json()["state"] == "Cancelled"


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
    if name in ("getJob", "cancelJob"):
        there["id"] = _waiting_job(service)
    known = {parameter.name: there[parameter.name] for parameter in operation.path_parameters}
    cases = operation.as_strategy(mode)
    if mode is GenerationMode.POSITIVE and known:
        cases |= operation.as_strategy(mode, path_parameters=known)

    statuses: set[int] = set()

    @settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck), database=None)
    @given(cases)
    def answered(case: schemathesis.Case) -> None:
        assume(_is_sent_whole(case))
        statuses.add(case.call_and_validate(headers=TOKEN).status_code)

    answered()
    if name in OF_JOBS and mode is GenerationMode.POSITIVE:
        assert statuses & {200, 202}, f"never came as far as a job: {statuses}"


def test_what_one_answer_names_can_be_asked_for_next(described: schemathesis.BaseSchema) -> None:
    # A walk whose every step ends at something that is not there proves nothing.
    seen: set[tuple[str, int]] = set()

    class Walk(described.as_state_machine()):  # type: ignore[misc]  # a class that is made from the document
        def get_call_kwargs(self, case: schemathesis.Case) -> dict[str, Any]:
            return {"headers": TOKEN}

        def before_call(self, case: schemathesis.Case) -> None:
            """Lead a request that is as described to a workload that is there; what answers name stays."""
            if case.meta is None or case.meta.generation.mode is GenerationMode.NEGATIVE:
                return
            there = {"namespace": "shop", "name": "checkout"}
            case.path_parameters.update({name: there[name] for name in case.path_parameters if name in there})
            if isinstance(case.body, dict) and isinstance(case.body.get("until"), str):
                case.body = {**case.body, "from": None, "until": "2100-01-01T00:00:00Z"}

        def after_call(self, response: schemathesis.Response, case: schemathesis.Case) -> None:
            seen.add((case.operation.definition.raw["operationId"], response.status_code))

    Walk.run(
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=6,
            suppress_health_check=list(HealthCheck),
            database=None,
            deadline=None,
        )
    )
    reached = {name for name, status in seen if status == 200}
    assert reached & NAMED_BY_ANSWERS, f"nothing that an answer had named was there: {sorted(seen)}"
